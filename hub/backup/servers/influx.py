"""InfluxDB 1.x by `influxd backup` and `influxd restore`, and only what changed since the last time.

`-since` copies the files that changed since a moment, by the server's own clock: what a node sent late is
in a new file like what is new. (`-start` goes by the points' own times and would miss it.) But `influxd
restore` takes of each shard the newest copy alone, and would bring back the last minutes only: so before a
restoration the copies of each shard are merged here into one. A file of InfluxDB never changes under its
name; where it has put several together since, the old ones are restored beside the new one, which wins by
its number.
"""

from __future__ import annotations

import json
import shutil
import socket
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any, cast

from hub.backup.errors import BackupError, RestoreError
from hub.backup.sealed import SealedWriter
from hub.backup.servers.programs import run
from hub.telemetry.factory import influx_address
from hub.telemetry.influxdb.server import DatabaseMissingError, InfluxAddress, InfluxServer
from hub.telemetry.port import StoreUnavailableError

SAMPLES, HOURS = "samples", "hours"
_OVERLAP = timedelta(seconds=60)
"""A file gets its name a moment after its last byte: so far back each copy looks once more."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Which server was asked and when, by its own clock; `whole`: everything is in it."""

    server: str
    asked_at: datetime
    whole: bool = True


def backup_influx(rpc: str, telemetry: str, since: Taken | None, to: SealedWriter) -> Taken:
    """Write a copy of an InfluxDB 1.x, samples and hours, as a tar: what changed since, or all of it.

    It is all where the server is not the one that was asked before, or its clock went back. Raises BackupError.
    """
    _answers(rpc)
    address = influx_address(telemetry)
    assert address is not None
    server = InfluxServer(address)
    try:
        asked_at = _clock_of(server)
        databases = _databases(server)
    except StoreUnavailableError as error:
        raise BackupError(
            f"InfluxDB can't be asked: {error}", f"Không hỏi được InfluxDB: {error}"
        ) from None
    finally:
        server.close()
    if since is not None and asked_at < since.asked_at:
        since = None
    with tempfile.TemporaryDirectory(prefix="ngonden-influx-") as name:
        folder = Path(name)
        taken = Taken(_copy(rpc, databases, since, folder), asked_at, since is None)
        if since is not None and taken.server != since.server:
            for path in folder.iterdir():
                shutil.rmtree(path)
            taken = Taken(_copy(rpc, databases, None, folder), asked_at)
        with tarfile.open(fileobj=cast("IO[bytes]", to), mode="w|") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, path.name)
    return taken


def _copy(rpc: str, databases: dict[str, str], since: Taken | None, folder: Path) -> str:
    """Have the server copied into folders named by what they hold; returns which server it is."""
    moment = []
    if since is not None:
        moment = ["-since", (since.asked_at - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")]
    for holds, database in databases.items():
        run(["influxd", "backup", "-portable", *moment, "-host", rpc, "-db", database, str(folder / holds)])
    return _server_of(folder / SAMPLES)


def _databases(server: InfluxServer) -> dict[str, str]:
    """What is to be copied, by what it holds. The hours may not be set up yet."""
    address = server.address
    found = {SAMPLES: address.database}
    server.strict_query("SHOW MEASUREMENTS LIMIT 1", address.database)
    try:
        server.strict_query("SHOW MEASUREMENTS LIMIT 1", address.hours_database)
    except DatabaseMissingError:
        return found
    return {**found, HOURS: address.hours_database}


def _clock_of(server: InfluxServer) -> datetime:
    """The server's own time, to the second."""
    answer = server.ask("GET", "/ping", {}, None)
    try:
        return parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise StoreUnavailableError("/ping does not tell its time") from None


def _server_of(folder: Path) -> str:
    """The number that a server gave itself at its first start, out of a copy of what it knows of itself.

    The file is protobuf: field 1 is InfluxDB's `meta.Data`, whose field 3 is `ClusterID`.
    """
    path = next(folder.glob("*.meta"))
    data = _field(path.read_bytes(), 1)
    number = _field(data, 3) if isinstance(data, bytes) else None
    if not isinstance(number, int):
        raise BackupError(
            f"{path.name} of InfluxDB is not understood", f"Không hiểu tệp {path.name} của InfluxDB."
        )
    return f"{number:016x}"


def _field(message: bytes, wanted: int) -> int | bytes | None:
    """A field of a protobuf message: a number, or bytes."""
    at = 0

    def number() -> int:
        nonlocal at
        found = shift = 0
        while True:
            byte = message[at]
            at += 1
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found

    try:
        while at < len(message):
            key = number()
            value: int | bytes = number()
            if key & 7 == 2:
                length = cast("int", value)
                value = message[at : at + length]
                at += length
            elif key & 7 != 0:
                return None
            if key >> 3 == wanted:
                return value
    except IndexError:
        return None
    return None


def merge(copies: Sequence[Path], to: Path) -> None:
    """Put copies, oldest first, each holding what changed since the one before, together into a whole one."""
    to.mkdir(mode=0o700)
    for holds in (SAMPLES, HOURS):
        having = [copy / holds for copy in reversed(copies) if (copy / holds).is_dir()]
        if having:
            _merge(having, to / holds)


def _merge(newest_first: Sequence[Path], to: Path) -> None:
    to.mkdir(mode=0o700)
    manifests = [(folder, _manifest(folder)) for folder in newest_first]
    folder, newest = manifests[0]
    shutil.copy(folder / newest["meta"]["fileName"], to)
    files = []
    # A shard that the newest does not name was let go of since.
    for shard in newest["files"] or ():
        of_it = [
            folder / one["fileName"]
            for folder, manifest in manifests
            for one in manifest["files"] or ()
            if one["shardID"] == shard["shardID"]
        ]
        size_bytes = _merge_shard(of_it, to / shard["fileName"])
        files.append({**shard, "size": size_bytes})
    (to / "merged.manifest").write_text(json.dumps({**newest, "files": files}), encoding="utf-8")


def _merge_shard(newest_first: Sequence[Path], to: Path) -> int:
    seen: set[str] = set()
    with tarfile.open(to, "w:gz", compresslevel=1) as out:
        for path in newest_first:
            with tarfile.open(path) as tar:
                for member in tar:
                    if member.name not in seen:
                        seen.add(member.name)
                        out.addfile(member, tar.extractfile(member))
    return to.stat().st_size


def _manifest(folder: Path) -> dict[str, Any]:
    found = sorted(folder.glob("*.manifest"))
    if not found:
        raise RestoreError("the backup of InfluxDB is damaged", "Bản sao lưu InfluxDB bị hỏng.")
    manifest: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
    return manifest


def restore_influx(rpc: str, database: str, folder: Path) -> None:
    """Bring a whole copy into an InfluxDB 1.x that has no such databases. Raises RestoreError."""
    try:
        _answers(rpc)
        address = InfluxAddress(url="", database=database)
        _restore(rpc, folder / SAMPLES, database)
        if (folder / HOURS).is_dir() and _manifest(folder / HOURS)["files"]:
            _restore(rpc, folder / HOURS, address.hours_database)
    except BackupError as error:
        raise RestoreError(str(error), error.vi) from None


def _restore(rpc: str, folder: Path, database: str) -> None:
    files = _manifest(folder)["files"]
    if not files:
        raise RestoreError("the backup of InfluxDB is empty", "Bản sao lưu InfluxDB không có dữ liệu.")
    source = str(files[0]["database"])  # it can only be asked for by the name it had
    named = [] if source == database else ["-newdb", database]
    run(["influxd", "restore", "-portable", "-host", rpc, "-db", source, *named, str(folder)])


def _answers(rpc: str) -> None:
    """Ask first: influxd itself tries for two minutes before it says that nobody is there."""
    host, _, port = rpc.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise BackupError(
            f"InfluxDB does not answer at {rpc} (its bind-address, not the one for HTTP): {error}",
            f"InfluxDB không trả lời tại {rpc} (địa chỉ bind-address, không phải địa chỉ HTTP): {error}",
        ) from None
