"""A SQLite file in WAL mode that stands still for a while, though others go on writing.

SQLite's own backup writes the whole file anew each time: every five minutes a gigabyte, which wears out a disk
in a year. Read in place, only the pages that changed need to be written. For that the log is brought into the
file while the one writer waits (milliseconds), and a reader takes its snapshot before the writer goes on. Such
a reader needs nothing of the log, and as long as it reads, SQLite brings nothing more into the file (the reader
holds WAL_READ_LOCK(0), see https://www.sqlite.org/walformat.html): writers only make the log longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from hub.backup.errors import BackupError
from hub.db import sqlite_module

_PATIENCE_S = 30
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Frozen:
    """The file's bytes as they stand, and a connection that reads the same moment. End no transaction on it."""

    file: BinaryIO
    connection: Connection


@contextmanager
def frozen(
    path: Path,
    *,
    pause: Callable[[float], None] = time.sleep,
    steady_s: Callable[[], float] = time.monotonic,
) -> Iterator[Frozen]:
    """Hold the database at `path` still until the end of the `with`. Raises BackupError.

    Fails after 30 s of readers that hold on to an older moment.
    """
    sqlite = sqlite_module()
    try:
        # Closed last: closing any handle on the file takes this process's locks on it away.
        with (
            path.open("rb") as file,
            _connection(sqlite, path) as reader,
            _connection(sqlite, path) as writer,
            # Before the snapshot is taken: on its first connection SQLAlchemy rolls back once.
            _read_by(reader) as connection,
        ):
            _freeze(reader, writer, path, pause, steady_s)
            yield Frozen(file, connection)
    except (OSError, sqlite.Error) as error:
        raise BackupError(f"{path} can't be read: {error}", f"Không đọc được {path}: {error}") from error


@contextmanager
def _connection(sqlite: Any, path: Path) -> Iterator[Any]:
    opened = sqlite.connect(f"file:{path}?mode=rw", uri=True, timeout=10, isolation_level=None)
    with closing(opened):
        yield opened


@contextmanager
def _read_by(reader: Any) -> Iterator[Connection]:
    """The reader as SQLAlchemy's, which neither begins nor ends a transaction on it before its end."""
    engine = create_engine(
        "sqlite://", creator=lambda: reader, poolclass=StaticPool, pool_reset_on_return=None
    )
    with engine.connect() as connection:
        yield connection


def _freeze(
    reader: Any,
    writer: Any,
    path: Path,
    pause: Callable[[float], None],
    steady_s: Callable[[], float],
) -> None:
    if reader.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        raise BackupError(f"{path} is not in WAL mode", f"{path} không ở chế độ WAL")
    reader.execute("PRAGMA synchronous=FULL")  # a checkpoint of ours is as safe as the hub's own
    give_up_s = steady_s() + _PATIENCE_S
    while True:
        writer.execute("BEGIN IMMEDIATE")
        try:
            busy, in_log, in_file = reader.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            # Busy is also the end of somebody else's checkpoint, which goes on without the write lock.
            if not busy and in_log == in_file:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                return
        finally:
            with suppress(Exception):
                writer.execute("ROLLBACK")
        if steady_s() >= give_up_s:
            raise BackupError(
                f"{path}: somebody has been reading an older moment for {_PATIENCE_S} s; try again",
                f"{path}: có tiến trình đang đọc quá lâu; hãy thử lại",
            )
        pause(_PAUSE_S)
