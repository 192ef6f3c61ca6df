"""Back from a backup: into a fresh place, whole and checked, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from hub.backup.errors import RestoreError
from hub.backup.manifest import Part, Point, points
from hub.backup.rehearse import chain, check_database, check_file, restore_pages
from hub.backup.sealed import unsealing
from hub.backup.servers.influx import merge, restore_influx
from hub.backup.servers.postgres import restore_postgres
from hub.backup.servers.programs import unpack
from hub.db import open_database
from hub.ingest.lock import IngestLock, IngestRunningError
from hub.logs import first_line


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: `into` is a folder for files; the servers' addresses where the backup has parts of servers."""

    into: Path
    database: str | None = None
    influx_rpc: str | None = None
    influx_database: str | None = None


def choose(folder: Path, at: datetime | None) -> Point:
    """The newest point, or the newest not after `at`. Raises RestoreError where there is none."""
    found = [one for one in points(folder) if at is None or one.made_at <= at]
    if not found:
        raise RestoreError(
            f"no backup in {folder}" + ("" if at is None else f" up to {at.isoformat()}"),
            f"Không có bản sao lưu nào trong {folder}"
            + ("" if at is None else f" tính đến {at.isoformat()}"),
        )
    return found[-1]


def restore(folder: Path, point: Point, target: Target, secret: bytes | None) -> list[str]:
    """Restore a point; returns what was written where. Raises RestoreError, with nothing left half done.

    Nothing that exists is overwritten: neither a file nor a table.
    """
    _free(point, target)
    target.into.mkdir(mode=0o700, parents=True, exist_ok=True)
    done: list[str] = []
    aside = Path(tempfile.mkdtemp(prefix=".restoring-", dir=target.into))
    try:
        written = restore_pages(folder, point, aside, secret)
        for part in point.manifest.parts:
            at = folder / point.name / part.file
            if part.how == "pg_dump":
                assert target.database is not None
                check_file(at, part)
                with unsealing(at, secret) as source:
                    restore_postgres(target.database, source)
                check_database(target.database, point.manifest)
                done.append("PostgreSQL")
            elif part.how == "influx_portable":
                copies = []
                for name, one in reversed(chain(folder, point, part, {})):
                    copies.append(aside / f"{part.name}-{name}")
                    _unpack(folder / name / one.file, one, copies[-1], secret)
                merge(copies, aside / part.name)
                done.append(_after_unpacking(part, aside, target))
            elif part.how == "secrets":
                _unpack(at, part, aside / part.name, secret)
                done.append(_after_unpacking(part, aside, target))
        for path in written:
            # Its log was brought in when the check closed it; what is left beside it is not needed.
            path.rename(target.into / path.name)
            done.append(str(target.into / path.name))
    finally:
        shutil.rmtree(aside)
    return done


def _unpack(file: Path, part: Part, to: Path, secret: bytes | None) -> None:
    check_file(file, part)
    with unsealing(file, secret) as source:
        unpack(source, to)


def _after_unpacking(part: Part, aside: Path, target: Target) -> str:
    unpacked = aside / part.name
    if part.how == "influx_portable" and target.influx_rpc is not None:
        assert target.influx_database is not None
        restore_influx(target.influx_rpc, target.influx_database, unpacked)
        return f"InfluxDB {target.influx_database}"
    place = target.into / f"{part.name}-restored"
    unpacked.rename(place)
    return str(place)


def _free(point: Point, target: Target) -> None:
    hows = {part.how for part in point.manifest.parts}
    if "pg_dump" in hows and target.database is None:
        raise RestoreError(
            "the backup is one of PostgreSQL: name an empty database with --database",
            "Bản sao lưu thuộc PostgreSQL: hãy chỉ ra một cơ sở dữ liệu trống bằng --database.",
        )
    for part in point.manifest.parts:
        name = f"{part.name}.db" if part.how == "sqlite_pages" else f"{part.name}-restored"
        if (target.into / name).exists():
            _refuse_running(f"sqlite:///{target.into / name}" if part.name == "hub" else None)
            raise RestoreError(
                f"{target.into / name} is there already: restore into an empty folder, or move it away",
                f"Đã có {target.into / name}: hãy khôi phục vào thư mục trống, hoặc chuyển nó đi nơi khác.",
            )
    if "pg_dump" in hows and target.database is not None:
        _refuse_filled(target.database)


def _refuse_filled(database: str) -> None:
    engine = open_database(database)
    try:
        with engine.connect() as conn:
            tables = inspect(conn).get_table_names()
    except SQLAlchemyError as error:
        reason = first_line(error)
        raise RestoreError(
            f"the database can't be used: {reason}", f"Không dùng được cơ sở dữ liệu: {reason}"
        ) from None
    finally:
        engine.dispose()
    _refuse_running(database)
    if tables:
        raise RestoreError(
            f"the database has tables already ({tables[0]} …): restore into an empty one",
            f"Cơ sở dữ liệu đã có bảng ({tables[0]} …): hãy khôi phục vào cơ sở dữ liệu trống.",
        )


def _refuse_running(database: str | None) -> None:
    if database is None:
        return
    engine = open_database(database)
    try:
        IngestLock(engine).release()
    except IngestRunningError as error:
        raise RestoreError(
            f"a hub is running there: {error}", "Hub đang chạy trên cơ sở dữ liệu này: hãy dừng hub trước."
        ) from None
    finally:
        engine.dispose()
