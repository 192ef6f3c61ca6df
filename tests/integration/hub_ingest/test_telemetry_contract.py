"""What every telemetry store promises, held on the embedded one and on real InfluxDB 1.6.7, 1.8.10 and 2.7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest

from hub.telemetry.embedded import EmbeddedStore
from hub.telemetry.factory import open_store
from hub.telemetry.port import CameraPoint, Point, Tally, TelemetryStore
from hub.telemetry.retention import Retention
from tests.support.influxd import Influxd

pytestmark = pytest.mark.servers

DAY = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH = "11111111-1111-4111-8111-111111111111"


class CompactingStore(EmbeddedStore):
    """The embedded store with nothing in its log: all that is read comes out of blocks."""

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        super().write(batch_id, points)
        self.compact()


@pytest.fixture(params=["embedded", "compacted", "influxd", "influxd_1_8", "influxd_2"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TelemetryStore]:
    opened: TelemetryStore
    if request.param == "embedded":
        opened = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    elif request.param == "compacted":
        opened = CompactingStore(tmp_path / "telemetry.db", Retention(30_000, 30_000, 30_000))
    else:
        server: Influxd = request.getfixturevalue(request.param)
        name = f"t{uuid4().hex}"
        server.set_up(name)
        opened = open_store(server.telemetry(name))
    yield opened
    opened.close()


def point(
    seq: int,
    *,
    at_s: float = 0,
    pole: str = "TG-0001",
    epoch: str = EPOCH,
    power_w: float | None = 40.0,
    level: float = 1.0,
    cameras: tuple[CameraPoint, ...] = (),
    reason: str = "sun",
    clock: Literal["synced", "unsynced"] = "synced",
    historical: bool = False,
) -> Point:
    time_ms = int((DAY.timestamp() + at_s) * 1000)
    return Point(
        node="tg-0001",
        epoch=epoch,
        seq=seq,
        commune="tram-than",
        pole=pole,
        time_ms=time_ms,
        received_ms=time_ms + 40,
        clock=clock,
        historical=historical,
        effect_level=level,
        reason=reason,
        commanded_level=None,
        power_w=power_w,
        voltage_v=230.5,
        current_a=0.17,
        power_factor=0.95,
        energy_wh=1234.5,
        dark=True,
        cameras=cameras,
    )


def test_history_of_a_wrong_clock_is_kept_and_counted_but_is_no_chart(store: TelemetryStore) -> None:
    """Nobody knows when it was; a live one of such a clock stands under its arrival."""
    store.write(
        1,
        [
            point(1, at_s=0),
            point(2, at_s=60, power_w=5.0, clock="unsynced", historical=True),
            point(3, at_s=120, clock="unsynced"),
            point(4, at_s=180, historical=True),
        ],
    )
    series = store.series("TG-0001", DAY, DAY + timedelta(minutes=10), 601)
    assert series.time == [DAY.timestamp() + seconds for seconds in (0, 120, 180)]
    assert store.count("tg-0001", EPOCH).distinct == 4


def test_what_is_written_comes_back_as_columns(store: TelemetryStore) -> None:
    cameras = (CameraPoint("CAM-1", True, 3.5), CameraPoint("CAM-2", False, None))
    store.write(
        1,
        [
            point(1, at_s=0, power_w=40.0, cameras=cameras),
            point(2, at_s=60, power_w=None, level=0.0),
            point(3, at_s=60, pole="TG-0002"),
        ],
    )
    series = store.series("TG-0001", DAY, DAY + timedelta(minutes=10), 601)
    assert series.time == [DAY.timestamp(), DAY.timestamp() + 60]
    assert series.power_w == [40.0, None]
    assert series.voltage_v == [230.5, 230.5]
    assert series.level == [1.0, 0.0]
    assert series.camera_reachable == [0.5, None]


def test_writing_again_changes_nothing_in_whatever_batch(store: TelemetryStore) -> None:
    points = [point(seq, at_s=seq) for seq in range(1, 101)]
    store.write(1, points)
    store.write(1, points)
    store.write(2, [*points[50:], point(101, at_s=101)])
    assert store.count("tg-0001", EPOCH) == Tally(points=101, distinct=101, last_seq=101)


def test_two_points_of_one_pole_in_one_millisecond_stay_two(store: TelemetryStore) -> None:
    store.write(1, [point(1), point(2)])
    assert store.count("tg-0001", EPOCH).points == 2


def test_epochs_are_counted_apart_and_an_unknown_one_is_empty(store: TelemetryStore) -> None:
    other = str(uuid4())
    store.write(1, [point(1), point(1, epoch=other, at_s=5), point(2, epoch=other, at_s=6)])
    assert store.count("tg-0001", EPOCH) == Tally(1, 1, 1)
    assert store.count("tg-0001", other) == Tally(2, 2, 2)
    assert store.count("tg-0001", str(uuid4())) == Tally(0, 0, 0)
    assert store.count("nobody", EPOCH) == Tally(0, 0, 0)


def test_a_day_is_averaged_to_at_most_the_points_asked_for(store: TelemetryStore) -> None:
    store.write(1, [point(n, at_s=30 * n, power_w=float(n % 2)) for n in range(1, 2880)])
    series = store.series("TG-0001", DAY, DAY + timedelta(days=1), 600)
    assert 550 <= len(series.time) <= 600
    assert series.time == sorted(set(series.time))
    watts = [watt for watt in series.power_w if watt is not None]
    assert sum(watts) / len(watts) == pytest.approx(0.5, abs=0.02)


def test_a_long_time_is_charted_from_hours_and_late_history_is_in_it(store: TelemetryStore) -> None:
    points = [point(n, at_s=7200 * n, power_w=float(n % 12)) for n in range(1, 12 * 120)]
    late = set(range(700, 760))
    _assert_charted(store, [one for one in points if one.seq not in late])
    _assert_charted(store, points)


def _assert_charted(store: TelemetryStore, points: list[Point]) -> None:
    store.write(1, points)
    series = store.series("TG-0001", DAY, DAY + timedelta(days=120), 200)
    assert 150 < len(series.time) <= 200
    width_s = min(after - before for before, after in pairwise(series.time))
    assert width_s % 3600 == 0
    expected: dict[float, list[float]] = {}
    for one in points:
        expected.setdefault(one.time_ms // 1000 // width_s * width_s, []).append(one.power_w or 0.0)
    assert series.time == sorted(expected)
    assert series.power_w == [pytest.approx(sum(watts) / len(watts)) for watts in expected.values()]
    assert set(series.level) == {1.0}


def test_the_end_is_left_out_and_the_start_is_not(store: TelemetryStore) -> None:
    store.write(1, [point(1, at_s=0), point(2, at_s=10), point(3, at_s=20)])
    series = store.series("TG-0001", DAY, DAY + timedelta(seconds=20), 100)
    assert len(series.time) == 2


def test_a_pole_without_points_has_an_empty_chart(store: TelemetryStore) -> None:
    series = store.series("TG-0099", DAY, DAY + timedelta(days=1), 600)
    assert (series.time, series.power_w, series.camera_reachable) == ([], [], [])


def test_words_with_quotes_and_spaces_survive(store: TelemetryStore) -> None:
    store.write(1, [point(1, reason='a "quoted", spaced=word\\')])
    assert store.count("tg-0001", EPOCH).points == 1


def test_a_large_batch_goes_in_at_once(store: TelemetryStore) -> None:
    store.write(1, [point(n, at_s=n / 10, pole=f"TG-{n % 219:04d}") for n in range(1, 5001)])
    assert store.count("tg-0001", EPOCH) == Tally(5000, 5000, 5000)


def test_it_says_that_it_is_well(store: TelemetryStore) -> None:
    health = store.health()
    assert health.up
    assert health.detail
