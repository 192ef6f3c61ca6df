"""The command of tariffs. `hub.cli` mounts it with `uptime.cli.register(app)`:

ngonden hub tariff --database URL [--from DATE --vnd-per-kwh PRICE --vat-percent VAT --source TEXT] [--json]
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated, NoReturn

import typer
from sqlalchemy import Engine

from hub.console import AsJson, Database, opened
from hub.db import reading
from hub.uptime.tariffs import Tariff, TariffError, checked, put, tariffs


def register(app: typer.Typer) -> None:
    """Add the command to the hub's command line."""
    app.command(
        "tariff",
        epilog="Example: ngonden hub tariff --database sqlite:////srv/hub.db --from 2025-05-10 "
        '--vnd-per-kwh 2204.07 --vat-percent 8 --source "giá bán lẻ bình quân từ 10/5/2025"',
    )(tariff)


def tariff(
    database: Database,
    valid_from: Annotated[
        str | None, typer.Option("--from", help="First day of the price, YYYY-MM-DD.")
    ] = None,
    vnd_per_kwh: Annotated[
        str | None, typer.Option(help="Đồng per kWh before VAT, at most two decimals.")
    ] = None,
    vat_percent: Annotated[str | None, typer.Option(help="VAT on top, in per cent.")] = None,
    source: Annotated[str, typer.Option(help="Where the price comes from: a decision, a bill.")] = "",
    by: Annotated[str, typer.Option(help="Who records it.")] = "command line",
    as_json: AsJson = False,
) -> None:
    """Record what a kilowatt-hour costs from a day on, or list the prices where no day is given.

    A price stays in force until the next one's first day; one with the same first day is replaced.
    """
    given = (valid_from, vnd_per_kwh, vat_percent)
    if any(given) and not all(given):
        _refuse("--from, --vnd-per-kwh và --vat-percent đi cùng nhau.\nGive the three together, or none.")
    with opened(database) as engine:
        if valid_from is not None and vnd_per_kwh is not None and vat_percent is not None:
            one = _checked(valid_from, vnd_per_kwh, vat_percent, source)
            with engine.begin() as conn:
                put(conn, one, by=by, now=datetime.now(UTC))
        _show(engine, as_json=as_json)


def _checked(valid_from: str, vnd_per_kwh: str, vat_percent: str, source: str) -> Tariff:
    try:
        first = date.fromisoformat(valid_from)
    except ValueError:
        _refuse(f"{valid_from}: ngày phải có dạng 2025-05-10.\n{valid_from}: a day is written 2025-05-10.")
    try:
        return checked(first, vnd_per_kwh, vat_percent, source)
    except TariffError as error:
        _refuse(f"{error.message_vi}\n{error}")


def _show(engine: Engine, *, as_json: bool) -> None:
    with reading(engine).connect() as conn:
        found = tariffs(conn)
    if as_json:
        facts = [
            {
                "valid_from": one.valid_from.isoformat(),
                "vnd_per_kwh": str(one.vnd_per_kwh),
                "vat_percent": one.vat_permille / 10,
                "source": one.source,
            }
            for one in found
        ]
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for one in found:
        price, vat = f"{one.vnd_per_kwh:,.2f}", f"{one.vat_permille / 10:g}"
        typer.echo(f"{one.valid_from}  {price} đ/kWh + {vat} % VAT  {one.source}")
    if not found:
        typer.echo("Chưa có giá điện nào. (No tariff is recorded.)")


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
