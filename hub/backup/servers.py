"""PostgreSQL and InfluxDB by their own programs: `pg_dump`, `pg_restore`, `influxd backup` and `restore`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote, urlsplit

from sqlalchemy import make_url

from hub.backup.errors import BackupError, RestoreError
from hub.backup.pages import Source
from hub.backup.sealed import SealedWriter

_PIECE = 1024 * 1024


def dump_postgres(url: str, snapshot: str, to: SealedWriter) -> None:
    """Write a dump of the moment that `snapshot` (of `pg_export_snapshot`) holds. Raises BackupError."""
    command = ["pg_dump", "--format=custom", "--compress=0", "--no-owner", f"--snapshot={snapshot}"]
    with tempfile.TemporaryFile() as said:
        process = _started(command, postgres_environment(url), stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        with process, process.stdout as out:
            while piece := out.read(_PIECE):
                to.write(piece)
        if process.returncode:
            raise BackupError(*_failed("pg_dump", said))


def restore_postgres(url: str, source: Source) -> None:
    """Bring a dump into an empty database, whole or not at all. Raises RestoreError."""
    environment = postgres_environment(url)
    command = ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner"]
    command.append(f"--dbname={environment['PGDATABASE']}")
    with tempfile.TemporaryFile() as said:
        process = _started(command, environment, stdin=subprocess.PIPE, stderr=said)
        assert process.stdin is not None
        with process:
            try:
                while piece := source.read(_PIECE):
                    process.stdin.write(piece)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended already, and said why
            except RestoreError:
                process.kill()
                raise
        if process.returncode:
            raise RestoreError(*_failed("pg_restore", said))


def backup_influx(rpc: str, database: str, to: SealedWriter) -> None:
    """Write a portable backup of one InfluxDB 1.x database as a tar. Raises BackupError."""
    _answers(rpc)
    with tempfile.TemporaryDirectory(prefix="ngonden-influx-") as folder:
        _run(["influxd", "backup", "-portable", "-host", rpc, "-db", database, folder])
        with tarfile.open(fileobj=cast("IO[bytes]", to), mode="w|") as tar:
            for path in sorted(Path(folder).iterdir()):
                tar.add(path, path.name)


def unpack(source: Source, folder: Path) -> None:
    """Unpack a tar of a backup into a new folder, with nothing outside it. Raises RestoreError."""
    folder.mkdir(mode=0o700)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise RestoreError(f"damaged: {error}", f"Tệp sao lưu hỏng: {error}.") from None


def pack(folder: Path, to: SealedWriter) -> None:
    """Write a folder of secrets as a tar. Raises BackupError."""
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", to), mode="w|") as tar:
            tar.add(folder, ".")
    except OSError as error:
        raise BackupError(f"{folder} can't be read: {error}", f"Không đọc được {folder}: {error}") from None


def restore_influx(rpc: str, database: str, folder: Path) -> None:
    """Bring an unpacked portable backup into an InfluxDB 1.x that has no such database. Raises RestoreError."""
    try:
        _answers(rpc)
        source = _influx_source(folder)
        named = [] if source == database else ["-newdb", database]
        _run(["influxd", "restore", "-portable", "-host", rpc, "-db", source, *named, str(folder)])
    except BackupError as error:
        raise RestoreError(str(error), error.vi) from None


def _influx_source(folder: Path) -> str:
    """The name of the database in an unpacked portable backup: it can only be asked for by that."""
    for path in folder.glob("*.manifest"):
        for file in json.loads(path.read_text(encoding="utf-8")).get("files") or ():
            return str(file["database"])
    raise RestoreError("the backup of InfluxDB is empty", "Bản sao lưu InfluxDB không có dữ liệu.")


def influx_database(telemetry: str) -> str:
    """The database in a telemetry address such as `influx+http://host:8086/name`."""
    return unquote(urlsplit(telemetry).path.strip("/"))


def postgres_environment(url: str) -> dict[str, str]:
    """An address as the variables of PostgreSQL's programs: a password stands in no command line."""
    parts = make_url(url)
    found = {
        "PGHOST": parts.host,
        "PGPORT": None if parts.port is None else str(parts.port),
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
    }
    return {name: value for name, value in found.items() if value}


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


def _run(command: Sequence[str]) -> None:
    with tempfile.TemporaryFile() as said, _started(command, {}, stdout=said, stderr=said) as process:
        process.wait()
        if process.returncode:
            raise BackupError(*_failed(" ".join(command[:2]), said))


def _started(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=stdin, stdout=stdout, stderr=stderr
        )
    except FileNotFoundError:
        raise BackupError(
            f"{command[0]} is not installed on this machine: install the server's client programs",
            f"Máy này chưa cài {command[0]}: hãy cài bộ công cụ của máy chủ dữ liệu.",
        ) from None


def _failed(program: str, said: IO[bytes]) -> tuple[str, str]:
    said.seek(0)
    words = said.read()[-2000:].decode(errors="replace").strip() or "without a word"
    return f"{program} failed: {words}", f"{program} báo lỗi: {words}"
