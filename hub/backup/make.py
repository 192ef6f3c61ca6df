"""Makes a point in a folder of backups while the hub runs.

Order is what keeps the two databases true to each other: first the hub's, then the telemetry store. A confirmed
sample is in the hub's telemetry outbox until the store has it. So what the hub's snapshot no longer has in its
outbox, the later snapshot of the store has; and what both have is written again without harm, by its seq.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import msgspec

from hub.backup import manifest as manifests
from hub.backup.errors import BackupError
from hub.backup.facts import facts_of
from hub.backup.frozen import frozen
from hub.backup.manifest import Facts, Manifest, Part, Point, point_name
from hub.backup.pages import DIGEST_BYTES, take
from hub.backup.rehearse import rehearse
from hub.backup.retention import Keep, kept
from hub.backup.sealed import sealing
from hub.backup.servers.archive import archive
from hub.backup.servers.influx import Taken, backup_influx
from hub.backup.servers.postgres import dump_postgres
from hub.backup.servers.programs import pack
from hub.db import open_database
from hub.settings import HubSettings

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How backups are made. `influx_rpc` is InfluxDB's own address for backups, `host:port`."""

    folder: Path
    secret: bytes | None = None
    full_every: timedelta = timedelta(hours=24)
    keep: Keep = field(default_factory=Keep)
    influx_rpc: str = "127.0.0.1:8088"
    secrets_folder: Path | None = None
    telemetry_only: bool = False
    """Leave the hub's database out, which a PostgreSQL that archives its log keeps by itself."""


class _Known(msgspec.Struct, frozen=True):
    """What is remembered of the newest copy of a database, so that the next writes only what changed."""

    point: str
    whole_at: datetime
    encrypted: bool
    key: bytes = b""
    digests: bytes = b""
    """Of the pages, where it is a file of SQLite."""
    influx: Taken | None = None


def make_point(settings: HubSettings, wanted: Wanted, *, now: datetime) -> Point:
    """Back up now, verify, and let the oldest points go. Raises BackupError; then no point is left behind.

    A whole point (without a base) is verified by restoring it aside; of the others each file is read again.
    """
    wanted.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(wanted.folder):
        known = {one.name for one in manifests.points(wanted.folder)}
        name = point_name(now)
        if name in known:
            raise BackupError(f"{name} is there already", f"Đã có bản sao lưu {name}.")
        aside = wanted.folder / f".making-{name}"
        aside.mkdir(mode=0o700)
        try:
            work = _Work(settings, wanted, aside, name, known, now)
            point = Point(name, work.run())
            rehearse(wanted.folder, aside, point, wanted.secret)
            _sync(aside)
            aside.rename(wanted.folder / name)
            _sync(wanted.folder)
            work.remember()
        except OSError as error:
            raise BackupError(f"{error}", f"Không ghi được bản sao lưu: {error}") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        prune(wanted.folder, wanted.keep, now=now)
    return point


def prune(folder: Path, keep: Keep, *, now: datetime) -> list[str]:
    """Let go of what is not to be kept; returns the names."""
    found = manifests.points(folder)
    stay = kept(
        {one.name: one.made_at for one in found}, {one.name: sorted(one.bases) for one in found}, keep, now
    )
    gone = [one.name for one in found if one.name not in stay]
    for name in gone:
        # Away by one step first: a point that is half deleted must not look like one.
        doomed = (folder / name).rename(folder / f".gone-{name}")
        shutil.rmtree(doomed)
    return gone


class _Work:
    """One point being made."""

    def __init__(
        self, settings: HubSettings, wanted: Wanted, aside: Path, name: str, known: set[str], now: datetime
    ) -> None:
        self._settings = settings
        self._wanted = wanted
        self._aside = aside
        self._name = name
        self._points = known
        self._now = now
        self._remembered: dict[str, _Known] = {}

    def run(self) -> Manifest:
        database, telemetry = self._settings.database, self._settings.telemetry
        parts: list[Part] = []
        facts: Facts | None = None
        if self._wanted.telemetry_only:
            self._check_archived(database)
        elif database.startswith(_SQLITE):
            part, facts = self._pages("hub", Path(database.removeprefix(_SQLITE)))
            parts.append(part)
        else:
            part, facts = self._dump(database)
            parts.append(part)
        if telemetry.startswith(_SQLITE):
            parts.append(self._pages("telemetry", Path(telemetry.removeprefix(_SQLITE)), facts=False)[0])
        else:
            parts.append(self._influx(telemetry))
        if self._wanted.secrets_folder is not None:
            parts.append(self._secrets(self._wanted.secrets_folder))
        made = Manifest(
            made_at=self._now,
            program_version=version("ngonden"),
            encrypted=self._wanted.secret is not None,
            facts=facts,
            parts=parts,
            secrets=manifests.SECRETS_LEFT_OUT
            if self._wanted.secrets_folder is None
            else f"The secrets of {self._wanted.secrets_folder} are in this backup: guard it like them.",
        )
        manifests.write(self._aside, made)
        return made

    def remember(self) -> None:
        """Only once the point stands: what the next one writes is counted from it."""
        for part, one in self._remembered.items():
            path = self._known_path(part)
            new = path.with_suffix(".new")
            new.write_bytes(msgspec.msgpack.encode(one))
            new.replace(path)

    def _known_path(self, part: str) -> Path:
        return self._wanted.folder / f".{part}.known"

    def _known(self, part: str, how: manifests.How) -> _Known | None:
        try:
            found = msgspec.msgpack.decode(self._known_path(part).read_bytes(), type=_Known)
        except (OSError, msgspec.DecodeError):
            return None
        fits = found.point in self._points and found.encrypted == (self._wanted.secret is not None)
        fits = fits and (found.influx is not None) == (how == "influx_portable")
        recent = timedelta(0) <= self._now - found.whole_at < self._wanted.full_every
        return found if fits and recent else None

    def _pages(self, part: str, path: Path, *, facts: bool = True) -> tuple[Part, Facts | None]:
        known = self._known(part, "sqlite_pages")
        key = secrets.token_bytes(DIGEST_BYTES) if known is None else known.key
        file = self._aside / f"{part}.pages{self._suffix}"
        with frozen(path) as still, sealing(file, self._wanted.secret) as out:
            taken = take(still.file, b"" if known is None else known.digests, out.write, key=key)
            held = facts_of(still.connection) if facts else None
        self._remembered[part] = _Known(
            self._name,
            self._now if known is None else known.whole_at,
            self._wanted.secret is not None,
            key=key,
            digests=taken.digests,
        )
        made = Part(
            name=part,
            how="sqlite_pages",
            file=file.name,
            sha256=out.sha256,
            size_bytes=file.stat().st_size,
            base=None if known is None else known.point,
            digest=taken.digest,
            digest_key=key.hex(),
            pages=taken.pages,
            changed_pages=taken.changed,
        )
        return made, held

    def _dump(self, url: str) -> tuple[Part, Facts]:
        engine = open_database(url)
        file = self._aside / f"hub.dump{self._suffix}"
        try:
            with (
                engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn,
                sealing(file, self._wanted.secret) as out,
            ):
                snapshot = str(conn.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())
                dump_postgres(url, snapshot, out)
                facts = facts_of(conn)
        finally:
            engine.dispose()
        return self._part("hub", "pg_dump", file, out.sha256), facts

    def _check_archived(self, url: str) -> None:
        engine = open_database(url)
        try:
            with engine.connect() as conn:
                archived = archive(conn)
        finally:
            engine.dispose()
        if archived is None:
            raise BackupError(
                "the hub's database is left out only where PostgreSQL archives its log (archive_mode): "
                "this one does not, and would be lost",
                "Chỉ được bỏ cơ sở dữ liệu của hub ra khỏi bản sao lưu "
                "khi PostgreSQL tự lưu nhật ký (archive_mode).",
            )

    def _influx(self, telemetry: str) -> Part:
        file = self._aside / f"telemetry.tar{self._suffix}"
        known = self._known("telemetry", "influx_portable")
        since = None if known is None else known.influx
        with sealing(file, self._wanted.secret) as out:
            taken = backup_influx(self._wanted.influx_rpc, telemetry, since, out)
        if taken.whole:
            known = None
        self._remembered["telemetry"] = _Known(
            self._name,
            self._now if known is None else known.whole_at,
            self._wanted.secret is not None,
            influx=taken,
        )
        base = None if known is None else known.point
        return self._part("telemetry", "influx_portable", file, out.sha256, base)

    def _secrets(self, folder: Path) -> Part:
        if self._wanted.secret is None:
            raise BackupError(
                "secrets are backed up encrypted only: name a key with --key-file",
                "Chỉ sao lưu khóa bí mật khi có mã hóa: hãy chỉ ra khóa bằng --key-file.",
            )
        file = self._aside / f"secrets.tar{self._suffix}"
        with sealing(file, self._wanted.secret) as out:
            pack(folder, out)
        return self._part("secrets", "secrets", file, out.sha256)

    def _part(
        self, name: str, how: manifests.How, file: Path, sha256: str, base: str | None = None
    ) -> Part:
        size_bytes = file.stat().st_size
        return Part(name=name, how=how, file=file.name, sha256=sha256, size_bytes=size_bytes, base=base)

    @property
    def _suffix(self) -> str:
        return ".gz" if self._wanted.secret is None else ".sealed"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two backups into one folder would prune each other's base."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError(
                f"another backup into {folder} is under way", f"Đang có lần sao lưu khác vào {folder}."
            ) from None
        for left in [*folder.glob(".making-*"), *folder.glob(".gone-*"), *folder.glob(".rehearsal-*")]:
            shutil.rmtree(left)
        yield


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
