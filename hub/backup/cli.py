"""The commands around backups. `hub.cli` mounts them with `backup.cli.register(app)`:

ngonden hub backup --config FILE --to DIR [--every 4m] [--key-file FILE] …
ngonden hub backups DIR
ngonden hub backup-check --config FILE [--to DIR] [--bases DIR] [--at-most 5m]
ngonden hub backup-key FILE
ngonden hub restore DIR --into DIR [--at TIME] [--database URL] [--influx-rpc HOST:PORT] …
"""

from __future__ import annotations

import json
import math
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from hub.backup.errors import BackupError
from hub.console import AsJson
from hub.logs import configure_logs, first_line
from hub.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from hub.backup.age import Found
    from hub.backup.servers.archive import Archive

_EXAMPLE_TO = "/var/backups/ngonden"
_SPAN = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Folder = Annotated[Path, typer.Argument(help="The folder of backups.", show_default=False)]
KeyFile = Annotated[
    Path | None, typer.Option(help="The key for encryption; `ngonden hub backup-key` makes one.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the hub's command line."""
    app.command("backup", epilog=f"Example: ngonden hub backup --config data/hub.toml --to {_EXAMPLE_TO}")(
        backup
    )
    app.command("backups", epilog=f"Example: ngonden hub backups {_EXAMPLE_TO}")(list_backups)
    app.command(
        "backup-check",
        epilog=f"Example: ngonden hub backup-check --config data/hub.toml --to {_EXAMPLE_TO} --at-most 5m",
    )(backup_check)
    app.command("backup-key", epilog="Example: ngonden hub backup-key /etc/ngonden/backup.key")(backup_key)
    app.command("restore", epilog=f"Example: ngonden hub restore {_EXAMPLE_TO} --into /srv/ngonden-new")(
        restore
    )


def span(text: str) -> timedelta:
    """`90s`, `5m`, `6h` or `2d`; raises typer.BadParameter."""
    found = _SPAN.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter(f"{text!r}: write it like 90s, 5m, 6h or 2d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def backup(
    config: Annotated[Path, typer.Option("--config", help="The hub's settings.", show_default=False)],
    to: Annotated[
        Path, typer.Option("--to", help="The folder of backups: another disk.", show_default=False)
    ],
    every: Annotated[
        str | None, typer.Option(help="Go on, one each 90s, 5m, 1h; else one and done.")
    ] = None,
    key_file: KeyFile = None,
    secrets: Annotated[
        Path | None, typer.Option(help="Also this folder (certificates, settings); needs a key.")
    ] = None,
    full_every: Annotated[str, typer.Option(help="How often everything is written anew.")] = "24h",
    keep_hours: Annotated[int, typer.Option(min=1, help="Every backup of so many hours stays.")] = 48,
    keep_days: Annotated[int, typer.Option(min=0, help="Then one of each day.")] = 14,
    keep_weeks: Annotated[int, typer.Option(min=0, help="Then one of each week.")] = 8,
    influx_rpc: Annotated[str, typer.Option(help="InfluxDB's address for backups.")] = "127.0.0.1:8088",
    telemetry_only: Annotated[
        bool,
        typer.Option("--telemetry-only", help="Without the hub's database, where PostgreSQL archives it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Back the hub up while it runs; each backup is verified after writing, and old ones are let go."""
    from hub.backup.make import Wanted, make_point
    from hub.backup.retention import Keep
    from hub.backup.sealed import read_secret

    with _reasons():
        pause = None if every is None else span(every)
        settings = load_settings(config)
        wanted = Wanted(
            folder=to,
            secret=None if key_file is None else read_secret(key_file),
            full_every=span(full_every),
            keep=Keep(keep_hours, keep_days, keep_weeks),
            influx_rpc=influx_rpc,
            secrets_folder=secrets,
            telemetry_only=telemetry_only,
        )
    if pause is not None:
        _go_on(lambda: _said(make_point(settings, wanted, now=_now()).name, as_json=True), pause)
        return
    with _reasons():
        began_s = time.monotonic()
        point = make_point(settings, wanted, now=_now())
    _said(point.name, as_json=as_json)
    if not as_json:
        size = sum(part.size_bytes for part in point.manifest.parts)
        typer.echo(f"{size / 1e6:.1f} MB in {time.monotonic() - began_s:.1f} s, verified.")
        typer.echo(point.manifest.secrets)


def list_backups(folder: Folder, as_json: AsJson = False) -> None:
    """Every backup in a folder, oldest first: when, how large, and what it holds."""
    from hub.backup.manifest import points

    with _reasons():
        found = points(folder)
    if as_json:
        facts = [
            {
                "name": one.name,
                "made_at": one.made_at.isoformat(),
                "whole": not one.bases,
                "bytes": sum(part.size_bytes for part in one.manifest.parts),
                "ledger_head": None if one.manifest.facts is None else one.manifest.facts.ledger_head,
                "encrypted": one.manifest.encrypted,
            }
            for one in found
        ]
        typer.echo(json.dumps(facts))
        return
    table = Table("Backup", "Whole", "MB", "Entries in the ledger", "Encrypted")
    for one in found:
        size = sum(part.size_bytes for part in one.manifest.parts)
        entries = "" if one.manifest.facts is None else str(one.manifest.facts.ledger_entries)
        table.add_row(
            one.name,
            "" if one.bases else "yes",
            f"{size / 1e6:.1f}",
            entries,
            "yes" if one.manifest.encrypted else "",
        )
    Console().print(table)


def backup_check(
    config: Annotated[Path, typer.Option("--config", help="The hub's settings.", show_default=False)],
    to: Annotated[Path | None, typer.Option("--to", help="The folder of backups.")] = None,
    bases: Annotated[
        Path | None,
        typer.Option(help="The folder of PostgreSQL's base backups, where its log is archived."),
    ] = None,
    at_most: Annotated[str, typer.Option(help="So much may be lost.")] = "5m",
    as_json: AsJson = False,
) -> None:
    """Tell how much would be lost if the disk died now; status 1 where that is more than may be.

    What counts is the newest backup, and for a PostgreSQL that archives its log how far the archive has come.
    """
    from hub.backup.age import look

    now = _now()
    with _reasons():
        allowed = span(at_most)
        found = look(to, _archive_of(load_settings(config).database), bases, now)
    if as_json:
        typer.echo(json.dumps(_check_facts(found, allowed, now)))
    else:
        _tell_standings(found, now)
        verdict = (
            f"Đạt: mất tối đa {at_most}.\nHolds: at most {at_most} would be lost."
            if found.holds(allowed, now)
            else f"KHÔNG đạt: sẽ mất hơn {at_most}.\nDoes NOT hold: more than {at_most} would be lost."
        )
        typer.echo(verdict)
    if not found.holds(allowed, now):
        raise typer.Exit(1)


def backup_key(
    file: Annotated[Path, typer.Argument(help="The new key's file.", show_default=False)],
) -> None:
    """Make a key for encrypted backups. Keep a copy apart: without it nobody can read them, you neither."""
    from hub.backup.sealed import make_secret

    with _reasons():
        make_secret(file)
    typer.echo(f"{file}: made, readable by you alone. Keep a copy of it apart from this machine.")


def restore(
    folder: Folder,
    into: Annotated[Path, typer.Option(help="An empty or new folder.", show_default=False)],
    at: Annotated[
        datetime | None, typer.Option(help="The newest not after this time (UTC); else the newest of all.")
    ] = None,
    key_file: KeyFile = None,
    database: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database, where the backup is one.")
    ] = None,
    influx_rpc: Annotated[
        str | None, typer.Option(help="InfluxDB's address for backups, to restore telemetry there.")
    ] = None,
    influx_database: Annotated[str, typer.Option(help="The name it shall have there.")] = "ngonden",
    as_json: AsJson = False,
) -> None:
    """Restore into a fresh place, and check all of it; nothing that exists is overwritten."""
    from hub.backup import restore as restoring
    from hub.backup.sealed import read_secret

    with _reasons():
        secret = None if key_file is None else read_secret(key_file)
        point = restoring.choose(folder, None if at is None else at.replace(tzinfo=at.tzinfo or UTC))
        target = restoring.Target(into, database, influx_rpc, influx_database)
        done = restoring.restore(folder, point, target, secret)
    facts = point.manifest.facts
    if as_json:
        head = None if facts is None else facts.ledger_head
        typer.echo(json.dumps({"point": point.name, "restored": done, "ledger_head": head}))
        return
    typer.echo(f"Restored as of {point.made_at.isoformat()}: {', '.join(done)}.")
    if facts is not None:
        typer.echo(
            f"The ledger has {facts.ledger_entries} entries, head {facts.ledger_head}: "
            "compare it with a report."
        )
    typer.echo(
        "Next: let `database` and `telemetry` in hub.toml and web.toml name what was restored, start the hub,\n"
        "and record again what was entered by hand after that time. Nodes send again what was not confirmed.\n"
        "Tiếp theo: sửa `database` và `telemetry` trong hub.toml và web.toml cho trỏ tới chỗ vừa khôi phục,\n"
        "khởi động hub, rồi nhập lại những gì đã ghi tay sau thời điểm trên."
    )


def _go_on(make: Callable[[], None], pause: timedelta) -> None:
    """One after the other until SIGTERM. A failure is told once, and tried again at the next turn."""
    configure_logs()
    log = structlog.get_logger(__name__)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    failing = False
    due_s = time.monotonic()
    while not stop.wait(max(0.0, due_s - time.monotonic())):
        due_s = max(due_s + pause.total_seconds(), time.monotonic())
        try:
            make()
        except (BackupError, SQLAlchemyError) as error:
            if not failing:
                log.error("backup_failed", error=str(error))
            failing = True
            continue
        if failing:
            log.info("backup_works_again")
        failing = False


def _archive_of(database: str) -> Archive | None:
    from hub.backup.servers.archive import archive
    from hub.db import open_database

    if database.startswith("sqlite:"):
        return None
    engine = open_database(database)
    try:
        with engine.connect() as conn:
            return archive(conn)
    finally:
        engine.dispose()


def _check_facts(found: Found, allowed: timedelta, now: datetime) -> dict[str, object]:
    return {
        "holds": found.holds(allowed, now),
        "at_most_s": allowed.total_seconds(),
        "lost_s": {
            of: None if math.isinf(lost_s) else round(lost_s) for of, lost_s in found.lost_s(now).items()
        },
        "standings": [
            {"of": one.of, "by": one.by, "up_to": None if one.up_to is None else one.up_to.isoformat()}
            for one in found.standings
        ],
        "archive_failing": None if found.archive is None else found.archive.failing,
        "base_at": None if found.base_at is None else found.base_at.isoformat(),
    }


def _tell_standings(found: Found, now: datetime) -> None:
    from hub.backup.age import BASE_AT_MOST

    table = Table("Database", "By", "Up to", "Seconds ago")
    for one in found.standings:
        age_s = one.age_s(now)
        up_to = "" if one.up_to is None else one.up_to.astimezone(UTC).isoformat(timespec="seconds")
        table.add_row(one.of, one.by, up_to, "never" if math.isinf(age_s) else f"{age_s:.0f}")
    Console().print(table)
    if found.archive is not None and found.archive.failing is not None:
        typer.echo(
            f"Không lưu được tệp nhật ký {found.archive.failing}: xem nhật ký của PostgreSQL.\n"
            f"The log file {found.archive.failing} could not be archived: see PostgreSQL's own log.",
            err=True,
        )
    if found.base_missing:
        typer.echo(
            f"Không có bản sao nền (pg_basebackup) nào trong {BASE_AT_MOST.days} ngày qua.\n"
            f"There is no base backup (pg_basebackup) of the last {BASE_AT_MOST.days} days.",
            err=True,
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _said(name: str, *, as_json: bool) -> None:
    typer.echo(json.dumps({"backup": name}) if as_json else f"Backup {name} made.")


@contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        typer.echo(f"{error.vi}\n{error}", err=True)
        raise typer.Exit(2) from None
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except SQLAlchemyError as error:
        reason = first_line(error)
        typer.echo(f"Không dùng được cơ sở dữ liệu.\nThe database can't be used: {reason}", err=True)
        raise typer.Exit(2) from None
