"""The telemetry store without a server: one SQLite file of its own, in which samples stand as
columns.

A write appends to a log; from there points are moved into compressed blocks of one pole, together
with their sums per minute and per hour (`hub/telemetry/columns/`). A point is the same when (node,
epoch, seq) is, so a write may be repeated for as long as its block is kept, and for two days whatever
its age.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog

from hub.telemetry.buckets import interval_ms, unix_ms
from hub.telemetry.columns import reading
from hub.telemetry.columns.compaction import Compactor, grouped_by_part
from hub.telemetry.columns.file import Names, open_file, part_of, prepare, sqlite, transaction
from hub.telemetry.columns.packing import DamagedBlockError
from hub.telemetry.columns.version1 import carry_over
from hub.telemetry.port import (
    Health,
    Point,
    PointsRefusedError,
    Series,
    StoreUnavailableError,
    Tally,
)
from hub.telemetry.retention import HOUR_MS, MINUTE_MS, Retention

COMPACT_AFTER_MS = HOUR_MS
"""How long points wait in the log, so that a block is written anew for many of them at once."""
COMPACT_AT_POINTS = 200_000
"""A part of the log with so many is compacted before its time: a chart reads it whole."""
_MOST = 1 << 53
_ENCODER = msgspec.msgpack.Encoder()
_log = structlog.get_logger(__name__)


class EmbeddedStore:
    """See `hub.telemetry.port.TelemetryStore`. The file and its tables are made when they are
    missing.

    The process that writes also compacts and lets old blocks go, a little with each write; others
    only read. `clock` gives Unix seconds. Raises StoreUnavailableError for a file that cannot be
    opened.
    """

    def __init__(
        self, path: Path, keep: Retention | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._keep = keep or Retention()
        self._clock = clock
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._parts: dict[str, int] = {}
        self._waiting: dict[int, list[int]] | None = None
        self._next_care_ms = 0
        self._writer = open_file(path)
        self._names = Names(self._writer)
        self._compactor = Compactor(self._writer, self._names)
        try:
            if prepare(self._writer, path) == 1:
                carry_over(self._writer, self._compactor, path, now_ms=self._now_ms())
        except sqlite.Error as error:
            raise StoreUnavailableError(f"{path}: {error}") from error
        self._reader = open_file(path)

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        """See TelemetryStore."""
        with self._writing:
            try:
                rows = self._log_rows(points)
                with transaction(self._writer):
                    for point in points:
                        self._names.know(point.node, point.epoch, point.commune, point.pole)
                    self._writer.executemany(
                        "INSERT INTO log (part, points, written_ms, data) VALUES (?, ?, ?, ?)", rows
                    )
            except sqlite.Error as error:
                self._names.forget()
                raise StoreUnavailableError(f"{self._path}, batch {batch_id}: {error}") from error
            except (OverflowError, UnicodeEncodeError) as error:
                self._names.forget()
                raise PointsRefusedError(f"batch {batch_id}: {error}") from error
            self._note(rows)
            self._care()

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        """See TelemetryStore. From samples, minutes or hours: the coarsest of which an interval holds 8."""
        width_ms = interval_ms(start, end, max_points)
        tier = reading.tier_for(width_ms)
        width_ms = -(-width_ms // tier.width_ms) * tier.width_ms
        with self._read() as connection:
            means = reading.chart(
                connection, pole, unix_ms(start), unix_ms(end), tier=tier, width_ms=width_ms
            )
            times, (power_w, voltage_v, level, camera_reachable) = means.columns()
        return Series(
            pole=pole,
            start=start,
            end=end,
            time=times,
            power_w=power_w,
            voltage_v=voltage_v,
            level=level,
            camera_reachable=camera_reachable,
        )

    def count(self, node: str, epoch: str) -> Tally:
        """See TelemetryStore; what is older than samples are kept is not counted."""
        with self._read() as connection:
            pairs = connection.execute(
                "SELECT pole, source FROM source JOIN source_pole ON source = id WHERE node = ? AND epoch = ?",
                (node, epoch),
            ).fetchall()
            found = [seqs for pole, source in pairs for seqs in reading.seqs(connection, pole, source)]
        if not found:
            return Tally(0, 0, 0)
        all_of_them = np.concatenate(found)
        return Tally(len(all_of_them), len(np.unique(all_of_them)), int(all_of_them.max(initial=0)))

    def points(self, pole: str, start: datetime, end: datetime) -> list[Point]:
        """The pole's samples from `start` to before `end` with all their fields, ordered by time.

        Raises StoreUnavailableError.
        """
        with self._read() as connection:
            return reading.points(connection, pole, unix_ms(start), unix_ms(end))

    def compact(self) -> int:
        """Move all of the log into blocks now and let go of what is too old; how many points were moved.

        Raises StoreUnavailableError.
        """
        with self._writing:
            moved = 0
            try:
                for (part,) in self._writer.execute("SELECT DISTINCT part FROM log").fetchall():
                    moved += self._compactor.compact(part, now_ms=self._now_ms())
                while self._compactor.expire(self._keep, now_ms=self._now_ms()):
                    pass
            except sqlite.Error as error:
                self._names.forget()
                raise StoreUnavailableError(f"{self._path}: {error}") from error
            self._waiting = {}
            return moved

    def health(self) -> Health:
        """See TelemetryStore."""
        try:
            with self._read() as connection:
                connection.execute("SELECT count(*) FROM pole").fetchone()
        except StoreUnavailableError as error:
            return Health(up=False, detail=str(error))
        return Health(up=True, detail=f"embedded, {self._path.name}")

    def close(self) -> None:
        """See TelemetryStore."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    @contextmanager
    def _read(self) -> Iterator[Any]:
        """The reader in one transaction: what compaction moves meanwhile is seen once, before or after."""
        with self._reading:
            try:
                self._reader.execute("BEGIN")
                try:
                    yield self._reader
                finally:
                    self._reader.execute("COMMIT")
            except (sqlite.Error, DamagedBlockError) as error:
                raise StoreUnavailableError(f"{self._path}: {error}") from error

    def _log_rows(self, points: Sequence[Point]) -> list[tuple[int, int, int, bytes]]:
        for point in points:
            if point.pole not in self._parts:
                self._parts[point.pole] = part_of(point.pole)
            if not (
                0 <= point.time_ms < _MOST and 0 <= point.seq < _MOST and 0 <= point.received_ms < _MOST
            ):
                raise OverflowError(f"{point.node} seq {point.seq}: a time or number beyond all reason")
        now_ms = self._now_ms()
        return [
            (part, len(group), now_ms, _ENCODER.encode(group))
            for part, group in grouped_by_part(points, self._parts).items()
        ]

    def _note(self, rows: Sequence[tuple[int, int, int, bytes]]) -> None:
        if self._waiting is None:
            found = self._writer.execute("SELECT part, sum(points), min(written_ms) FROM log GROUP BY part")
            self._waiting = {part: [number, oldest_ms] for part, number, oldest_ms in found}
            return
        for part, number, now_ms, _ in rows:
            self._waiting.setdefault(part, [0, now_ms])[0] += number

    def _care(self) -> None:
        """Compact at most one part that is due; let go of old blocks now and then. A failure waits a
        minute.
        """
        now_ms = self._now_ms()
        if now_ms < self._next_care_ms < now_ms + 2 * HOUR_MS:
            return
        assert self._waiting is not None
        due = [
            part
            for part, (number, oldest_ms) in self._waiting.items()
            if number >= COMPACT_AT_POINTS or now_ms - oldest_ms >= COMPACT_AFTER_MS
        ]
        try:
            if due:
                self._compactor.compact(due[0], now_ms=now_ms)
                del self._waiting[due[0]]
            elif not self._compactor.expire(self._keep, now_ms=now_ms):
                self._next_care_ms = now_ms + MINUTE_MS
        except (sqlite.Error, msgspec.MsgspecError, ValueError) as error:
            # The points are safe in the log: only the file's size and the charts' speed wait for this.
            self._names.forget()
            self._next_care_ms = now_ms + MINUTE_MS
            _log.warning("telemetry_compaction_failed", path=str(self._path), error=str(error))
