"""Moves points out of the log into blocks, and lets go of blocks that have served their time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import structlog

from hub.telemetry.columns import samples as columns
from hub.telemetry.columns import sums as rollups
from hub.telemetry.columns.file import HOUR, MINUTE, RAW, Names, Tier, transaction
from hub.telemetry.columns.packing import DamagedBlockError
from hub.telemetry.columns.samples import Samples
from hub.telemetry.columns.sums import Sums
from hub.telemetry.port import Point
from hub.telemetry.retention import DAY_MS, Retention

REPEATS_WITHIN_MS = 2 * DAY_MS
"""A block of samples that took something less than this ago stays: what is written again must be known."""
_ROWS_AT_ONCE = 500
_log = structlog.get_logger(__name__)
_POINTS = msgspec.msgpack.Decoder(list[Point])


def log_points(connection: Any, part: int) -> list[Point]:
    """What waits in one part of the log, in the order in which it was written."""
    rows = connection.execute("SELECT data FROM log WHERE part = ? ORDER BY id", (part,))
    return [point for (data,) in rows for point in _POINTS.decode(data)]


def split(samples: Samples, tier: Tier) -> Iterator[tuple[int, Samples]]:
    """The samples by the block of `tier` that they fall into: (its start, those in it)."""
    starts = samples.time_ms // tier.span_ms * tier.span_ms
    for start in np.unique(starts):
        yield int(start), columns.take(samples, np.nonzero(starts == start)[0])


class Compactor:
    """Works on the writer's connection; each public call is one transaction of its own."""

    def __init__(self, connection: Any, names: Names) -> None:
        self._connection = connection
        self._names = names

    def compact(self, part: int, *, now_ms: int) -> int:
        """Move one part of the log into blocks; how many points it held."""
        with transaction(self._connection):
            last = self._connection.execute("SELECT max(id) FROM log WHERE part = ?", (part,)).fetchone()[0]
            if last is None:
                return 0
            points = log_points(self._connection, part)
            self.fold(points, now_ms=now_ms)
            self._connection.execute("DELETE FROM log WHERE part = ? AND id <= ?", (part, last))
            return len(points)

    def fold(self, points: Sequence[Point], *, now_ms: int) -> None:
        """Put points into the blocks of their poles, within the caller's transaction."""
        by_pole: defaultdict[str, list[Point]] = defaultdict(list)
        for point in points:
            by_pole[point.pole].append(point)
        for pole, its in by_pole.items():
            sources = [self._names.source(point.node, point.epoch, point.commune) for point in its]
            found = columns.without_doubles(columns.from_points(its, sources))
            self.fold_samples(self._names.pole(pole), found, now_ms=now_ms)

    def expire(self, keep: Retention, *, now_ms: int) -> int:
        """Let go of at most some hundred blocks that are older than they are kept; how many went."""
        gone = 0
        for tier, days in ((RAW, keep.raw_days), (MINUTE, keep.minute_days), (HOUR, keep.hour_days)):
            floor_ms = (now_ms - days * DAY_MS) // tier.span_ms * tier.span_ms
            touched_ms = now_ms - REPEATS_WITHIN_MS if tier is RAW else now_ms + 1
            with transaction(self._connection):
                self._connection.execute(
                    "INSERT INTO kept VALUES (?1, ?2)"
                    " ON CONFLICT (tier) DO UPDATE SET from_ms = max(from_ms, excluded.from_ms)",
                    (tier.number, floor_ms),
                )
                gone += self._connection.execute(
                    "DELETE FROM block WHERE id IN (SELECT id FROM block"
                    " WHERE tier = ? AND start_ms < ? AND touched_ms < ? LIMIT ?)",
                    (tier.number, floor_ms, touched_ms, _ROWS_AT_ONCE),
                ).rowcount
        return gone

    def fold_samples(self, pole: int, found: Samples, *, now_ms: int) -> None:
        """Put samples of one pole, without doubles, into its blocks, within the caller's transaction."""
        sums: dict[tuple[Tier, int], Sums] = {}
        for start, piece in split(found, RAW):
            held = self._samples(pole, start, now_ms)
            fresh = columns.beyond(piece, held) if held is not None else piece
            if not len(fresh):
                continue
            whole = columns.joined(held, fresh) if held is not None else fresh
            self._put(pole, RAW, start, columns.pack(whole), now_ms)
            for tier in (MINUTE, HOUR):
                key = (tier, tier.block_start(start))
                if key not in sums:
                    sums[key] = self._sums(pole, *key, now_ms)
                sums[key].add(fresh, start_ms=key[1], width_ms=tier.width_ms)
        for (tier, start), total in sums.items():
            if total.samples.any():
                self._put(pole, tier, start, rollups.pack(total), now_ms)

    def _samples(self, pole: int, start: int, now_ms: int) -> Samples | None:
        data = self._get(pole, RAW, start)
        if data is None:
            return None
        try:
            return columns.unpack(data)
        except DamagedBlockError as error:
            self._set_aside(pole, RAW, start, now_ms, error)
            return None

    def _sums(self, pole: int, tier: Tier, start: int, now_ms: int) -> Sums:
        data = self._get(pole, tier, start)
        if data is not None:
            try:
                return rollups.unpack(data)
            except DamagedBlockError as error:
                self._set_aside(pole, tier, start, now_ms, error)
        return Sums.empty(tier.span_ms // tier.width_ms)

    def _get(self, pole: int, tier: Tier, start: int) -> bytes | None:
        row = self._connection.execute(
            "SELECT data FROM block WHERE pole = ? AND tier = ? AND start_ms = ?",
            (pole, tier.number, start),
        ).fetchone()
        return None if row is None else bytes(row[0])

    def _put(self, pole: int, tier: Tier, start: int, data: bytes, now_ms: int) -> None:
        self._connection.execute(
            "INSERT INTO block (pole, tier, start_ms, touched_ms, data) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (pole, tier, start_ms) DO UPDATE"
            " SET touched_ms = excluded.touched_ms, data = excluded.data",
            (pole, tier.number, start, now_ms, data),
        )

    def _set_aside(self, pole: int, tier: Tier, start: int, now_ms: int, error: DamagedBlockError) -> None:
        _log.error("telemetry_block_damaged", pole=pole, tier=tier.number, start_ms=start, error=str(error))
        key = (pole, tier.number, start)
        self._connection.execute(
            "INSERT INTO damaged (pole, tier, start_ms, found_ms, data)"
            " SELECT pole, tier, start_ms, ?4, data FROM block WHERE pole = ?1 AND tier = ?2 AND start_ms = ?3",
            (*key, now_ms),
        )
        self._connection.execute("DELETE FROM block WHERE pole = ? AND tier = ? AND start_ms = ?", key)


def grouped_by_part(points: Iterable[Point], parts: dict[str, int]) -> dict[int, list[Point]]:
    """The points by the part of their pole, as `parts` has it."""
    groups: defaultdict[int, list[Point]] = defaultdict(list)
    for point in points:
        groups[parts[point.pole]].append(point)
    return groups
