"""Running a server's own programs, and what they say when they fail."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from hub.backup.errors import BackupError, RestoreError
from hub.backup.pages import Source
from hub.backup.sealed import SealedWriter

PIECE_BYTES = 1024 * 1024


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


def run(command: Sequence[str]) -> None:
    """Run a program to its end. Raises BackupError with its words."""
    with tempfile.TemporaryFile() as said, started(command, {}, stdout=said, stderr=said) as process:
        process.wait()
        if process.returncode:
            raise BackupError(*failed(" ".join(command[:2]), said))


def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a program with these variables beside ours. Raises BackupError where it is not installed."""
    try:
        return subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=stdin, stdout=stdout, stderr=stderr
        )
    except FileNotFoundError:
        raise BackupError(
            f"{command[0]} is not installed on this machine: install the server's client programs",
            f"Máy này chưa cài {command[0]}: hãy cài bộ công cụ của máy chủ dữ liệu.",
        ) from None


def failed(program: str, said: IO[bytes]) -> tuple[str, str]:
    """What is told of a program that failed, in English and Vietnamese."""
    said.seek(0)
    words = said.read()[-2000:].decode(errors="replace").strip() or "without a word"
    return f"{program} failed: {words}", f"{program} báo lỗi: {words}"
