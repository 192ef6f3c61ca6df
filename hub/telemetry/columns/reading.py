"""What charts and audits ask of the blocks and of the log, within one read transaction of the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hub.telemetry.columns import samples as columns
from hub.telemetry.columns import sums as rollups
from hub.telemetry.columns.compaction import log_points, split
from hub.telemetry.columns.file import HOUR, MINUTE, RAW, TIERS, Tier, part_of
from hub.telemetry.columns.packing import Floats, Ints
from hub.telemetry.columns.samples import Samples
from hub.telemetry.port import Point


@dataclass(slots=True)
class Means:
    """Collects pieces of a chart; `columns` gives the means per interval."""

    width_ms: int
    _times: list[Ints] = field(default_factory=list)
    _counts: list[Ints] = field(default_factory=list)
    _totals: list[Floats] = field(default_factory=list)

    def add_samples(self, samples: Samples) -> None:
        """Add samples; those of which nobody knows when they were are left out."""
        known = columns.take(samples, samples.datable())
        values = np.stack(rollups.metrics(known))
        finite = np.isfinite(values)
        self._times.append(known.time_ms)
        self._counts.append(finite.astype(np.int64))
        self._totals.append(np.where(finite, values, 0.0))

    def add_sums(self, times_ms: Ints, counts: Ints, totals: Ints) -> None:
        """Add intervals that begin at `times_ms`."""
        self._times.append(times_ms)
        self._counts.append(counts)
        self._totals.append(totals / np.array(rollups.SCALES)[:, None])

    def columns(self) -> tuple[list[float], list[list[float | None]]]:
        """Unix seconds where something is, and the means per metric, in the order of METRICS."""
        if not self._times:
            return [], [[] for _ in rollups.METRICS]
        slots, at = np.unique(np.concatenate(self._times) // self.width_ms, return_inverse=True)
        means: list[list[float | None]] = []
        for counts, totals in zip(
            np.concatenate(self._counts, axis=1), np.concatenate(self._totals, axis=1), strict=True
        ):
            number = np.bincount(at, weights=counts, minlength=len(slots))
            total = np.bincount(at, weights=totals, minlength=len(slots))
            means.append(
                [t / n if n else None for t, n in zip(total.tolist(), number.tolist(), strict=True)]
            )
        return (slots * self.width_ms / 1000).tolist(), means


def chart(connection: Any, pole: str, start_ms: int, end_ms: int, *, tier: Tier, width_ms: int) -> Means:
    """The pole's means at `tier`; where that has been let go of, at the next one that has not."""
    means = Means(width_ms)
    number = pole_number(connection, pole)
    if number is None:
        return means
    kept = dict(connection.execute("SELECT tier, from_ms FROM kept"))
    end = end_ms
    for step in TIERS[tier.number :]:
        begin = start_ms // step.width_ms * step.width_ms
        if step is not HOUR:
            begin = max(begin, kept.get(step.number, begin))
        if begin < end:
            if step is RAW:
                for samples in _raw_blocks(connection, number, begin, end):
                    means.add_samples(_between(samples, begin, end))
            else:
                _add_sums(connection, means, number, step, begin, end)
            end = begin
    for samples in tail(connection, pole, number):
        means.add_samples(_between(samples, start_ms, end_ms))
    return means


def tail(connection: Any, pole: str, number: int) -> Iterator[Samples]:
    """What the log holds of a pole beyond its blocks."""
    points = [point for point in log_points(connection, part_of(pole)) if point.pole == pole]
    if not points:
        return
    known = {
        (node, epoch): source
        for source, node, epoch in connection.execute(
            "SELECT id, node, epoch FROM source JOIN source_pole ON source = id WHERE pole = ?", (number,)
        )
    }
    found = columns.from_points(points, [known[(point.node, point.epoch)] for point in points])
    for start, piece in split(columns.without_doubles(found), RAW):
        for held in _raw_blocks(connection, number, start, start + 1):
            piece = columns.beyond(piece, held)
        if len(piece):
            yield piece


def seqs(connection: Any, pole: int, source: int) -> Iterator[Ints]:
    """The seqs of one source that are kept of one pole: in blocks, and in the log beyond them."""
    (code,) = connection.execute("SELECT code FROM pole WHERE id = ?", (pole,)).fetchone()
    blocks = _raw_blocks(connection, pole, 0, 1 << 53)
    for found in (*blocks, *tail(connection, code, pole)):
        yield found.seq[found.source == source]


def points(connection: Any, pole: str, start_ms: int, end_ms: int) -> list[Point]:
    """The samples of a pole as they were written, ordered by time."""
    number = pole_number(connection, pole)
    if number is None:
        return []
    sources = {
        source: (node, epoch, commune)
        for source, node, epoch, commune in connection.execute(
            "SELECT id, node, epoch, commune FROM source JOIN source_pole ON source = id WHERE pole = ?",
            (number,),
        )
    }
    found: list[Point] = []
    for samples in (*_raw_blocks(connection, number, start_ms, end_ms), *tail(connection, pole, number)):
        found += columns.to_points(_between(samples, start_ms, end_ms), pole, sources)
    return sorted(found, key=lambda point: (point.time_ms, point.node, point.epoch, point.seq))


def pole_number(connection: Any, pole: str) -> int | None:
    """The number of a pole; None for one of which nothing was ever written."""
    row = connection.execute("SELECT id FROM pole WHERE code = ?", (pole,)).fetchone()
    return None if row is None else int(row[0])


def _raw_blocks(connection: Any, pole: int, begin_ms: int, end_ms: int) -> Iterator[Samples]:
    for _, data in _blocks(connection, pole, RAW, begin_ms, end_ms):
        yield columns.unpack(data)


def _add_sums(connection: Any, means: Means, pole: int, tier: Tier, begin_ms: int, end_ms: int) -> None:
    for start, data in _blocks(connection, pole, tier, begin_ms, end_ms):
        sums = rollups.unpack(data)
        times = start + np.arange(len(sums.samples)) * tier.width_ms
        at = np.nonzero((sums.samples > 0) & (times >= begin_ms) & (times < end_ms))[0]
        means.add_sums(times[at], sums.counts[:, at], sums.totals[:, at])


def _blocks(connection: Any, pole: int, tier: Tier, begin_ms: int, end_ms: int) -> list[tuple[int, bytes]]:
    rows = connection.execute(
        "SELECT start_ms, data FROM block WHERE pole = ? AND tier = ? AND start_ms > ? AND start_ms < ?"
        " ORDER BY start_ms",
        (pole, tier.number, begin_ms - tier.span_ms, end_ms),
    )
    return [(int(start), bytes(data)) for start, data in rows]


def _between(samples: Samples, begin_ms: int, end_ms: int) -> Samples:
    at = np.nonzero((samples.time_ms >= begin_ms) & (samples.time_ms < end_ms))[0]
    return columns.take(samples, at)


def tier_for(width_ms: int) -> Tier:
    """The coarsest tier that an interval of this width still shows whole: at least 8 of its own."""
    if width_ms >= 8 * HOUR.width_ms:
        return HOUR
    return MINUTE if width_ms >= 8 * MINUTE.width_ms else RAW
