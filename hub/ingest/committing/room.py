"""Room on the disk under an SQLite database: enough is kept free to let the telemetry outbox drain again.

While the telemetry store is away the outbox grows. If it filled the disk, it could not shrink any more:
deleting takes room in SQLite's write-ahead log first, and the hub would stand still although the store is back.
So nothing is taken in before that; it stays with the broker and the nodes. What was deleted leaves room inside
the file, which counts as free.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import Engine

from hub.db import reading

_LOOK_EVERY_S = 1.0
_log = structlog.get_logger(__name__)


def free_bytes(folder: Path) -> int:
    """What the file system of a folder still takes."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class DiskRoom:
    """`enough` is asked before messages are committed. PostgreSQL's disk is its own server's to watch."""

    def __init__(
        self, engine: Engine, reserve_bytes: int, *, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._reader = reading(engine)
        self._reserve_bytes = reserve_bytes
        self._free = free
        path = engine.url.database if engine.dialect.name == "sqlite" else None
        self._folder = Path(path).absolute().parent if path else None
        self._look_due_s = float("-inf")
        self._enough = True

    def enough(self, monotonic_s: float) -> bool:
        """Whether messages may be taken in; looks once a second, and says in the log when that changes.

        Raises SQLAlchemyError where the database does not answer.
        """
        if self._folder is None or monotonic_s < self._look_due_s:
            return self._enough
        self._look_due_s = monotonic_s + _LOOK_EVERY_S
        left = self._free(self._folder)
        if left < self._reserve_bytes:
            left += self._unused_bytes()
        enough = left >= self._reserve_bytes
        if enough != self._enough:
            self._enough = enough
            megabytes = {"left_mb": round(left / 1e6), "reserve_mb": round(self._reserve_bytes / 1e6)}
            if enough:
                _log.info("database_disk_has_room", **megabytes)
            else:
                _log.error("database_disk_full", folder=str(self._folder), **megabytes)
        return enough

    def _unused_bytes(self) -> int:
        """Room inside the file that later rows will take."""
        with self._reader.connect() as conn:
            pages = int(conn.exec_driver_sql("PRAGMA freelist_count").scalar_one())
            return pages * int(conn.exec_driver_sql("PRAGMA page_size").scalar_one())
