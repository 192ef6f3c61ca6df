"""How large a year of a commune is in the embedded telemetry store, and how long its charts take.

The samples are made up as columns, as a lamp with a meter would give them (see `_Pole`), and go through the
store's own way into blocks, retention following week by week. What a write costs is measured apart, on points.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from hub.telemetry.columns.compaction import Compactor
from hub.telemetry.columns.file import RAW, Names, open_file, prepare, transaction
from hub.telemetry.columns.packing import Floats, Ints
from hub.telemetry.columns.samples import Cameras, Samples, take, to_points
from hub.telemetry.embedded import EmbeddedStore
from hub.telemetry.port import Point
from hub.telemetry.retention import DAY_MS, HOUR_MS, Retention

POLES = 219
CAMERAS = 50
INTERVAL_S = 30
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
CHART_POINTS = 600
_WEEK_DAYS = 7
_COMMUNE = "tram-than"
_WRITTEN_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class YearReport:
    """Sizes in megabytes (10⁶ bytes), times in milliseconds or microseconds as the names say."""

    poles: int
    days: int
    samples: int
    file_mb: float
    raw_days_kept: int
    raw_mb: float
    minute_mb: float
    hour_mb: float
    bytes_per_sample: float
    year_at_full_resolution_mb: float
    """What a year would take, were all samples kept."""
    day_chart_ms: float
    month_chart_ms: float
    year_chart_ms: float
    """Medians over poles, each asked for the first time by a freshly opened store."""
    slowest_chart_ms: float
    write_us_per_point: float
    """Processor time, like the next one: waiting for the disk is shared by all points of a batch."""
    compact_us_per_point: float


def run_year(
    data: Path, *, poles: int, days: int, keep: Retention, seed: int, progress: Callable[[int], None]
) -> YearReport:
    """Fill `data`/telemetry.db with `days` days of `poles` poles; `progress` is told the pole-days done."""
    write_us, compact_us = _measure_writing(data / "written.db", poles, seed)
    path = data / "telemetry.db"
    _fill(path, poles, days, keep, seed, progress)
    sizes, held = _sizes(path)
    charts = _charts(path, poles, days)
    file_bytes = sum(file.stat().st_size for file in data.glob("telemetry.db*"))
    per_sample = sizes[0] / max(1, held)
    return YearReport(
        poles=poles,
        days=days,
        samples=poles * days * DAY_MS // (INTERVAL_S * 1000),
        file_mb=round(file_bytes / 1e6, 1),
        raw_days_kept=min(days, keep.raw_days),
        raw_mb=round(sizes[0] / 1e6, 1),
        minute_mb=round(sizes[1] / 1e6, 1),
        hour_mb=round(sizes[2] / 1e6, 1),
        bytes_per_sample=round(per_sample, 2),
        year_at_full_resolution_mb=round(per_sample * poles * 365 * 86_400 / INTERVAL_S / 1e6, 1),
        day_chart_ms=round(statistics.median(charts["day"]), 1),
        month_chart_ms=round(statistics.median(charts["month"]), 1),
        year_chart_ms=round(statistics.median(charts["year"]), 1),
        slowest_chart_ms=round(max(max(times) for times in charts.values()), 1),
        write_us_per_point=round(write_us, 2),
        compact_us_per_point=round(compact_us, 2),
    )


class _Pole:
    """A lamp's samples with the decimals of its meter: 0.01 W, 0.1 V, 1 mA, 0.1 Wh, ms; one day at a time."""

    def __init__(self, number: int, source: int, rng: np.random.Generator) -> None:
        self.code = f"TG-{number + 1:04d}"
        self.source = source
        self._has_camera = number < CAMERAS
        self._rng = rng
        self._rated_w = float(rng.choice([40.0, 60.0, 80.0]))
        self._offset_ms = int(rng.integers(0, INTERVAL_S * 1000 - 1000))
        self._seq = 0
        self._energy_wh = 0.0

    def day(self, start_ms: int) -> Samples:
        rng, number = self._rng, 86_400 // INTERVAL_S
        time_ms = (
            start_ms + self._offset_ms + np.arange(number) * INTERVAL_S * 1000 + rng.integers(0, 4, number)
        )
        hour = (time_ms / HOUR_MS + 7) % 24
        level: Floats = np.where(
            (hour > 18) | (hour < 5.5), np.where((hour > 23) | (hour < 4.5), 0.5, 1.0), 0.0
        ).astype(np.float64)
        hum = np.cumsum(rng.normal(0, 0.15, number))
        voltage = 227 + 4 * np.sin(hour / 24 * 2 * np.pi) + hum - np.linspace(0, hum[-1], number)
        voltage += rng.normal(0, 0.2, number)
        power = np.where(level > 0, self._rated_w * (0.1 + 0.9 * level) + rng.normal(0, 0.25, number), 0.4)
        energy = self._energy_wh + np.cumsum(power) * INTERVAL_S / 3600
        self._energy_wh = float(energy[-1])
        seq = self._seq + 1 + np.arange(number)
        self._seq += number
        checks = number if self._has_camera else 0
        return Samples(
            time_ms=time_ms,
            source=np.full(number, self.source, np.int64),
            seq=seq,
            received_ms=time_ms + 25 + rng.exponential(60, number).astype(np.int64),
            synced=np.ones(number, np.int64),
            historical=np.zeros(number, np.int64),
            dark=(level > 0).astype(np.int64),
            reason=np.zeros(number, np.int64),
            floats={
                "effect_level": level,
                "commanded_level": np.full(number, np.nan),
                "power_w": _decimals(power, 2),
                "voltage_v": _decimals(voltage, 1),
                "current_a": _decimals(power / (voltage * 0.95), 3),
                "power_factor": _decimals(np.where(level > 0, rng.normal(0.95, 0.004, number), 0.0), 2),
                "energy_wh": _decimals(energy, 1),
            },
            cameras=Cameras(
                each=np.full(number, 1 if checks else 0, np.int64),
                name=np.ones(checks, np.int64),
                reachable=(rng.random(checks) > 0.002).astype(np.int64),
                latency_ms=_decimals(rng.gamma(4, 3, checks), 1),
            ),
            words=["photocell", "CAM-1"],
        )


def _decimals(values: Floats, places: int) -> Floats:
    rounded: Floats = np.round(values, places)
    return rounded


def _fill(
    path: Path, poles: int, days: int, keep: Retention, seed: int, progress: Callable[[int], None]
) -> None:
    connection = open_file(path)
    prepare(connection, path)
    names = Names(connection)
    compactor = Compactor(connection, names)
    made = _poles(poles, names, seed)
    first_ms = int(FIRST_DAY.timestamp() * 1000)
    for week in range(0, days, _WEEK_DAYS):
        end = min(days, week + _WEEK_DAYS)
        now_ms = first_ms + end * DAY_MS
        for pole in made:
            with transaction(connection):
                for day in range(week, end):
                    compactor.fold_samples(
                        names.pole(pole.code), pole.day(first_ms + day * DAY_MS), now_ms=now_ms
                    )
        while compactor.expire(keep, now_ms=now_ms):
            pass
        progress(end * poles)
    connection.close()


def _poles(poles: int, names: Names, seed: int) -> list[_Pole]:
    made = []
    for number in range(poles):
        node = f"tg-{number + 1:04d}"
        names.know(node, "bench", _COMMUNE, node.upper())
        rng = np.random.default_rng((seed, number))
        made.append(_Pole(number, names.source(node, "bench", _COMMUNE), rng))
    return made


def _sizes(path: Path) -> tuple[dict[int, int], int]:
    connection = open_file(path)
    query = "SELECT tier, sum(length(data)) FROM block GROUP BY tier"
    sizes = {0: 0, 1: 0, 2: 0} | dict(connection.execute(query).fetchall())
    (blocks,) = connection.execute("SELECT count(*) FROM block WHERE tier = 0").fetchone()
    connection.close()
    return sizes, blocks * RAW.span_ms // (INTERVAL_S * 1000)


def _charts(path: Path, poles: int, days: int) -> dict[str, list[float]]:
    end = FIRST_DAY + timedelta(days=days)
    spans = {"day": 1, "month": 30, "year": 365}
    times: dict[str, list[float]] = {name: [] for name in spans}
    for number in range(0, poles, max(1, poles // 20)):
        store = EmbeddedStore(path)
        for name, span in spans.items():
            started = time.perf_counter()
            series = store.series(f"TG-{number + 1:04d}", end - timedelta(days=span), end, CHART_POINTS)
            times[name].append((time.perf_counter() - started) * 1000)
            assert series.time, "an empty chart would be quick"
        store.close()
    return times


def _measure_writing(path: Path, poles: int, seed: int) -> tuple[float, float]:
    """Processor microseconds per point for `write`, and for moving two hours of the commune into blocks."""
    points = points_of(poles, seed)
    now_s = FIRST_DAY.timestamp() + 7200
    store = EmbeddedStore(path, clock=lambda: now_s)
    started = time.process_time()
    for at in range(0, len(points), _WRITTEN_AT_ONCE):
        store.write(at, points[at : at + _WRITTEN_AT_ONCE])
    written = time.process_time()
    store.compact()
    compacted = time.process_time()
    store.close()
    return (written - started) / len(points) * 1e6, (compacted - written) / len(points) * 1e6


def points_of(poles: int, seed: int, *, hours: int = 2) -> list[Point]:
    """The first hours, at most a day, of so many poles, in the order of their times."""
    first_ms = int(FIRST_DAY.timestamp() * 1000)
    points: list[Point] = []
    for number in range(poles):
        pole = _Pole(number, 1, np.random.default_rng((seed, number)))
        names = {1: (pole.code.lower(), "bench", _COMMUNE)}
        points += to_points(_first(pole.day(first_ms), hours * 3600 // INTERVAL_S), pole.code, names)
    return sorted(points, key=lambda point: point.time_ms)


def _first(samples: Samples, number: int) -> Samples:
    at: Ints = np.arange(number)
    return take(samples, at)
