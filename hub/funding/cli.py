"""The ledger's commands. `hub.cli` mounts them with `funding.cli.register(app)`:

ngonden hub fund-import FILE --database URL [--by NAME] [--json]
ngonden hub fund-verify --database URL [--json]
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.console import AsJson, Database, opened, read_file
from hub.db import reading
from hub.funding.importing import import_entries
from hub.funding.reads import totals
from hub.funding.store import verify_ledger


def register(app: typer.Typer) -> None:
    """Add the commands to the hub's command line."""
    app.command(
        "fund-import", epilog="Example: ngonden hub fund-import money.csv --database sqlite:////srv/hub.db"
    )(fund_import)
    app.command("fund-verify", epilog="Example: ngonden hub fund-verify --database sqlite:////srv/hub.db")(
        fund_verify
    )


def fund_import(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; columns in docs/registry-import.md")],
    database: Database,
    by: Annotated[str, typer.Option(help="Who records these entries.")] = "import",
    as_json: AsJson = False,
) -> None:
    """Record plans, receipts and expenses from a file: all of it, or nothing when a row is wrong."""
    data = read_file(file)
    with opened(database) as engine, engine.begin() as conn:
        result = import_entries(conn, data, by=by, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(asdict(result), ensure_ascii=False))
    else:
        for one in result.errors:
            typer.echo(f"{file}:{one.row} {one.column}: {one.message_vi} ({one.message_en})", err=True)
        for title in result.ignored_columns:
            typer.echo(f"Bỏ qua cột “{title}” (column {title!r} is not known and was ignored)", err=True)
        typer.echo(
            f"{result.recorded} recorded, {result.known} known already, {len(result.errors)} errors"
            + ("" if result.stored else "; nothing was recorded")
        )
    if result.errors:
        raise typer.Exit(1)


def fund_verify(database: Database, as_json: AsJson = False) -> None:
    """Walk the whole chain of entries and tell whether anything was changed after it was recorded."""
    with opened(database, migrate=False) as engine, reading(engine).connect() as conn:
        head, faults = verify_ledger(conn)
        sums = totals(conn)
    if as_json:
        facts = {
            "entries": head.id,
            "head": head.hash,
            "faults": [asdict(one) for one in faults],
            "totals": asdict(sums),
        }
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        for one in faults:
            typer.echo(f"Bút toán {one.entry_id}: {one.message_vi} ({one.message_en})", err=True)
        typer.echo(f"{head.id} entries, {len(faults)} faults, head {head.hash}")
    if faults:
        raise typer.Exit(1)
