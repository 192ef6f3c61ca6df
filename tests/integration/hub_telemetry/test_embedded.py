"""The embedded store's own promises: old files, late history, retention, resolutions, death at any moment."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from hub.telemetry.embedded import EmbeddedStore
from hub.telemetry.port import CameraPoint, Point, StoreUnavailableError, Tally
from hub.telemetry.retention import Retention
from tests.integration.hub_ingest.test_telemetry_contract import DAY, EPOCH, point
from tests.integration.hub_telemetry import version1_file

FOREVER = Retention(raw_days=3000, minute_days=3000, hour_days=3000)


class Clock:
    """The hub's clock, moved by hand."""

    def __init__(self) -> None:
        self.now_s = DAY.timestamp()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedStore]:
    opened = EmbeddedStore(
        tmp_path / "telemetry.db", Retention(raw_days=2, minute_days=4, hour_days=400), clock
    )
    yield opened
    opened.close()


def hours_mean(store: EmbeddedStore, *, days: int = 400) -> float:
    """The mean of all power, out of the sums per hour: a point that counted twice would move it."""
    series = store.series("TG-0001", DAY - timedelta(days=days), DAY + timedelta(days=days), 2)
    (mean,) = [watts for watts in series.power_w if watts is not None]
    return mean


def test_every_field_comes_back_out_of_a_block(store: EmbeddedStore) -> None:
    cameras = (CameraPoint("CAM-1", True, 3.5), CameraPoint("CAM-2", False, None))
    made = [
        point(1, cameras=cameras, reason="photocell"),
        point(2, at_s=30, power_w=None, clock="unsynced", historical=True),
        msgspec.structs.replace(point(3, at_s=90), dark=None, commanded_level=0.5, energy_wh=None),
    ]
    store.write(1, made)
    store.compact()
    assert store.points("TG-0001", DAY, DAY + timedelta(days=1)) == made


def test_a_batch_that_is_written_again_after_compaction_is_known(store: EmbeddedStore) -> None:
    made = [point(seq, at_s=30 * seq, power_w=float(seq)) for seq in range(1, 201)]
    store.write(1, made)
    store.compact()
    store.write(1, made)
    assert store.count("tg-0001", EPOCH) == Tally(200, 200, 200)
    assert hours_mean(store) == pytest.approx(100.5)
    store.compact()
    assert store.count("tg-0001", EPOCH) == Tally(200, 200, 200)
    assert hours_mean(store) == pytest.approx(100.5)


def test_history_of_days_ago_lands_in_its_own_blocks_and_sums(store: EmbeddedStore) -> None:
    store.write(1, [point(seq, at_s=60 * seq, power_w=10.0) for seq in range(1, 61)])
    store.compact()
    late = [point(seq, at_s=-86_400 + 60 * seq, power_w=30.0, historical=True) for seq in range(61, 121)]
    store.write(2, late[::-1])
    store.compact()
    assert store.count("tg-0001", EPOCH) == Tally(120, 120, 120)
    assert hours_mean(store) == pytest.approx(20.0)
    day_ago = store.series("TG-0001", DAY - timedelta(days=1), DAY, 600)
    assert len(day_ago.time) == 25  # an hour in intervals of 144.2 s
    assert set(day_ago.power_w) == {30.0}


def test_history_older_than_samples_are_kept_adds_to_the_sums(store: EmbeddedStore, clock: Clock) -> None:
    """Its samples stay for two days all the same: what is written again must be known."""
    store.write(1, [point(seq, at_s=60 * seq, power_w=10.0) for seq in range(1, 31)])
    clock.now_s += 10 * 86_400
    store.compact()
    clock.now_s += 3 * 86_400
    store.compact()
    assert store.count("tg-0001", EPOCH).points == 0, "samples of 13 days ago have gone"
    late = [point(seq, at_s=60 * seq, power_w=30.0, historical=True) for seq in range(31, 61)]
    for _ in range(2):
        store.write(2, late)
        store.compact()
    assert hours_mean(store) == pytest.approx(20.0)
    clock.now_s += 3 * 86_400
    store.compact()
    assert store.count("tg-0001", EPOCH).points == 0
    assert hours_mean(store) == pytest.approx(20.0)


def test_what_is_let_go_of_is_charted_from_what_is_coarser(store: EmbeddedStore, clock: Clock) -> None:
    made = [point(n, at_s=30 * n, power_w=float(n % 2)) for n in range(2880 * 8)]
    store.write(1, made[1:])
    clock.now_s += 8 * 86_400
    store.compact()
    clock.now_s += 2 * 86_400 + 1
    store.compact()
    days = [DAY + timedelta(days=number) for number in range(9)]
    lengths = [len(store.series("TG-0001", *span, 2881).time) for span in pairwise(days)]
    assert lengths == [24, 24, 24, 24, 24, 24, 1440, 1440]
    for span in pairwise(days):
        watts = [watt for watt in store.series("TG-0001", *span, 2881).power_w if watt is not None]
        assert sum(watts) / len(watts) == pytest.approx(0.5, abs=0.01)


def test_samples_minutes_and_hours_tell_the_same(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "telemetry.db", FOREVER)
    rng = random.Random(5)
    made = [
        point(n, at_s=37.7 * n, power_w=rng.choice([None, 40.25, 61.5]), level=rng.random())
        for n in range(1, 9000)
    ]
    store.write(1, made[:7000])
    store.compact()
    store.write(2, made[6000:])
    start, end = DAY, DAY + timedelta(days=4)
    fine = store.series("TG-0001", start, end, 20_000)
    assert len(fine.time) > 8900
    for points in (600, 11):
        coarse = store.series("TG-0001", start, end, points)
        assert len(coarse.time) <= points
        width_s = coarse.time[1] - coarse.time[0]
        assert width_s % (60 if points == 600 else 3600) == 0
        begin_ms, end_ms = coarse.time[1] * 1000, coarse.time[2] * 1000
        inside = [one for one in made if begin_ms <= one.time_ms < end_ms]
        watts = [one.power_w for one in inside if one.power_w is not None]
        assert coarse.power_w[1] == pytest.approx(sum(watts) / len(watts), abs=0.001)
        level = sum(one.effect_level for one in inside) / len(inside)
        assert coarse.level[1] == pytest.approx(level, abs=0.001)
    store.close()


def test_writing_goes_on_moves_the_log_into_blocks_by_itself(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "telemetry.db"
    store = EmbeddedStore(path, FOREVER, clock)
    for minute in range(180):
        clock.now_s += 60
        store.write(minute, [point(minute + 1, at_s=60 * minute)])
    store.close()
    file = sqlite3.connect(path)
    (waiting,) = file.execute("SELECT coalesce(sum(points), 0) FROM log").fetchone()
    assert waiting <= 61
    assert file.execute("SELECT count(*) FROM block WHERE tier = 0").fetchone() == (1,)
    file.close()
    again = EmbeddedStore(path, FOREVER, clock)
    assert again.count("tg-0001", EPOCH) == Tally(180, 180, 180)
    again.close()


def test_a_file_of_version_1_is_carried_over_whole(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    cameras = (CameraPoint("CAM-1", True, 3.5), CameraPoint("CAM-2", False, None))
    made = [point(seq, at_s=400 * seq, power_w=None if seq % 7 == 0 else seq / 10) for seq in range(1, 800)]
    made += [point(seq, at_s=400 * seq, pole="TG-0002", cameras=cameras) for seq in range(1001, 1800)]
    version1_file.write(path, made)
    first, second = EmbeddedStore(path, FOREVER), EmbeddedStore(path, FOREVER)
    for store in (first, second):
        assert store.count("tg-0001", EPOCH) == Tally(1598, 1598, 1799)
        for pole in ("TG-0001", "TG-0002"):
            kept = store.points(pole, DAY, DAY + timedelta(days=30))
            assert kept == [one for one in made if one.pole == pole]
    first.write(1, made[:50])
    assert first.count("tg-0001", EPOCH).points == 1598
    first.close()
    second.close()
    file = sqlite3.connect(path)
    assert file.execute("PRAGMA user_version").fetchone() == (2,)
    file.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "telemetry.db")
    file.execute("PRAGMA user_version = 3")
    file.close()
    with pytest.raises(StoreUnavailableError, match="newer version"):
        EmbeddedStore(tmp_path / "telemetry.db")


def test_a_damaged_block_is_set_aside_and_the_pole_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    store = EmbeddedStore(path, FOREVER)
    store.write(1, [point(1)])
    store.compact()
    file = sqlite3.connect(path)
    file.execute("UPDATE block SET data = x'010203' WHERE tier = 0")
    file.commit()
    with pytest.raises(StoreUnavailableError):
        store.points("TG-0001", DAY, DAY + timedelta(days=1))
    store.write(2, [point(2, at_s=30)])
    store.compact()
    assert [one.seq for one in store.points("TG-0001", DAY, DAY + timedelta(days=1))] == [2]
    assert file.execute("SELECT data FROM damaged").fetchall() == [(b"\x01\x02\x03",)]
    file.close()
    store.close()


WRITER = """
import sys
from pathlib import Path
from hub.telemetry.embedded import EmbeddedStore
from tests.integration.hub_telemetry.test_embedded import FOREVER, batch
store, number = EmbeddedStore(Path(sys.argv[1]), FOREVER), int(sys.argv[2])
while True:
    store.write(number, batch(number))
    print(number, flush=True)
    number += 1
    if number % 5 == 0:
        store.compact()
"""


def batch(number: int) -> list[Point]:
    """Forty points of five poles: batch `number` always holds the same ones."""
    seqs = range(40 * number + 1, 40 * number + 41)
    return [point(seq, at_s=3 * seq, pole=f"TG-{seq % 5 + 1:04d}", power_w=float(seq)) for seq in seqs]


def _die_while_compacting(path: Path, *, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    written = -1
    for _ in range(kills):
        argv = [sys.executable, "-c", WRITER, str(path), str(max(0, written))]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            written = int(child.stdout.readline())
            lines = rng.randint(1, 40)
            while lines and (line := child.stdout.readline()):
                written, lines = int(line), lines - 1
            child.kill()
            for line in child.stdout.read().splitlines():
                written = int(line) if line.isdigit() else written
    store = EmbeddedStore(path, FOREVER)
    store.compact()
    tally = store.count("tg-0001", EPOCH)
    assert tally.points == tally.distinct == tally.last_seq >= 40 * (written + 1)
    for number in range(1, 6):
        pole = f"TG-{number:04d}"
        kept = store.points(pole, DAY, DAY + timedelta(days=300))
        hours = store.series(pole, DAY - timedelta(days=400), DAY + timedelta(days=400), 2)
        (mean,) = [watts for watts in hours.power_w if watts is not None]
        assert mean == pytest.approx(sum(one.seq for one in kept) / len(kept), abs=1e-6)
    store.close()


def test_killed_while_writing_and_compacting_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    _die_while_compacting(tmp_path / "telemetry.db", kills=4, seed=3)


@pytest.mark.soak
def test_killed_two_hundred_times_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    _die_while_compacting(tmp_path / "telemetry.db", kills=200, seed=4)
