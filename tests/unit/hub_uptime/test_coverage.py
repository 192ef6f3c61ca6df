"""Coverage is the same whatever order samples come in, and a process that dies loses none of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, delete, select

from hub.uptime.coverage.keeper import FLUSH_S, CoverageKeeper
from hub.uptime.coverage.store import read_parts
from hub.uptime.tables import coverage_day
from protocol import Sample
from tests.unit.hub_uptime.words import DAY, RATED_W, at, sample

POLE, CAMERA = "TG-0001", "CAM-TG-01"


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    coverage_day.create(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(memory: Engine) -> Iterator[Connection]:
    with memory.connect() as opened:
        opened.execute(delete(coverage_day))
        yield opened


def take(keeper: CoverageKeeper, samples: Sequence[Sample]) -> None:
    for one in samples:
        keeper.sample(one, one.time.timestamp(), RATED_W)


def write(conn: Connection, keeper: CoverageKeeper, at_s: float) -> None:
    keeper.write(conn, 1, datetime.fromtimestamp(at_s, UTC))


def write_all(conn: Connection, keeper: CoverageKeeper, at_s: float) -> None:
    write(conn, keeper, at_s)
    write(conn, keeper, at_s + FLUSH_S)


def stored(conn: Connection) -> dict[tuple[str, str, int], str]:
    rows = conn.execute(select(coverage_day))
    return {(row.kind, row.subject, row.local_day): row.runs for row in rows}


def evening(first: str, last: str, *, every_s: int = 30, **words: object) -> list[Sample]:
    begin, end = at(first), at(last)
    count = int((end - begin) // every_s)
    return [sample(begin + n * every_s, **words) for n in range(count)]  # type: ignore[arg-type]


def test_a_lamp_that_goes_on_is_written_now_and_then(conn: Connection) -> None:
    keeper = CoverageKeeper()
    writes = 0
    for one in evening("18:00", "22:00"):
        take(keeper, [one])
        before = stored(conn)
        write(conn, keeper, one.time.timestamp())
        writes += stored(conn) != before
    assert writes <= 4 * 3600 / FLUSH_S + 3
    write_all(conn, keeper, at("22:00"))
    assert stored(conn) == {("lamp", POLE, DAY): "L1080-1319"}


def test_a_change_is_written_with_its_own_commit(conn: Connection) -> None:
    keeper = CoverageKeeper()
    take(keeper, evening("18:00", "18:10"))
    take(keeper, [sample(at("18:10"), power_w=0.0)])
    write(conn, keeper, at("18:10"))
    assert stored(conn) == {("lamp", POLE, DAY): "L1080-1089 D1090"}


def test_midnight_begins_a_new_day(conn: Connection) -> None:
    keeper = CoverageKeeper()
    take(keeper, evening("23:50", "24:10"))
    write_all(conn, keeper, at("24:10"))
    assert stored(conn) == {("lamp", POLE, DAY): "L1430-1439", ("lamp", POLE, DAY + 1): "L0-9"}


def test_a_gap_stays_a_gap_until_history_fills_it(conn: Connection) -> None:
    keeper = CoverageKeeper()
    take(keeper, [*evening("18:00", "19:00"), *evening("20:00", "20:30")])
    write_all(conn, keeper, at("20:30"))
    assert stored(conn) == {("lamp", POLE, DAY): "L1080-1139 L1200-1229"}
    take(keeper, evening("19:00", "20:00", power_w=0.0))
    write_all(conn, keeper, at("20:31"))
    assert stored(conn) == {("lamp", POLE, DAY): "L1080-1139 D1140-1199 L1200-1229"}


def test_a_camera_has_its_own_coverage(conn: Connection) -> None:
    keeper = CoverageKeeper()
    take(keeper, evening("18:00", "18:30", camera={}))
    take(keeper, evening("18:30", "18:40", camera={"picture": "frozen"}))
    write_all(conn, keeper, at("18:40"))
    assert stored(conn)["camera", CAMERA, DAY] == "H1080-1109 F1110-1119"


def test_history_of_a_day_that_was_let_go_changes_nothing(conn: Connection) -> None:
    keeper = CoverageKeeper()
    take(keeper, [sample(at("20:00", DAY - 63)), sample(at("20:00", DAY - 62))])
    write_all(conn, keeper, at("20:00"))
    assert list(stored(conn)) == [("lamp", POLE, DAY - 62)]


def test_the_days_first_and_last_word_of_the_counter_are_kept(conn: Connection) -> None:
    keeper = CoverageKeeper()
    for clock, energy_wh in (("20:00", 500.0), ("18:00", 400.0), ("23:00", 620.0), ("19:00", 440.0)):
        take(keeper, [sample(at(clock), energy_wh=energy_wh)])
        write(conn, keeper, at(clock))
    part = read_parts(conn, [("lamp", POLE, DAY)])["lamp", POLE, DAY]
    assert (part.first_wh, part.last_wh) == ((at("18:00"), 400.0), (at("23:00"), 620.0))


KINDS: list[dict[str, object]] = [
    {"camera": {}},
    {"camera": {}, "power_w": 0.0},
    {"camera": {}, "power_w": None},
    {"camera": {"reachable": False}, "due": False, "level": 0.0, "power_w": 0.3},
    {"camera": {}, "due": None},
    {"camera": {}, "level": 0.0, "power_w": 0.3, "reason": "override"},
    {"camera": {}, "reason": "maintenance"},
    {"camera": {"reachable": False}},
]

stretches = st.lists(
    st.tuples(
        st.sampled_from(range(len(KINDS))),
        st.integers(1, 15),
        st.sampled_from([20, 30, 33, 60, 90]),
        st.sampled_from([0, 0, 45, 400, 4000]),
    ),
    min_size=1,
    max_size=4,
)
"""(which of KINDS, how many samples, seconds between them, seconds of silence after them), from 22:00 on."""

Stretches = list[tuple[int, int, int, int]]


def made(drawn: Stretches) -> list[Sample]:
    now_s = at("22:00")
    samples = []
    for kind, count, every_s, silent_s in drawn:
        for _ in range(count):
            samples.append(sample(now_s, **KINDS[kind]))  # type: ignore[arg-type]
            now_s += every_s
        now_s += silent_s
    return samples


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=stretches, order=st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_coverage(
    conn: Connection, drawn: Stretches, order: Random
) -> None:
    samples = made(drawn)
    shuffled = order.sample(samples, len(samples))
    found = []
    for arriving in (samples, shuffled):
        conn.execute(delete(coverage_day))
        keeper = CoverageKeeper()
        for number, one in enumerate(arriving):
            take(keeper, [one])
            if number % 7 == 0:
                write(conn, keeper, at("22:00") + number * 60)
        write_all(conn, keeper, at("30:00"))
        found.append(stored(conn))
    assert found[0] == found[1]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=stretches, deaths=st.sets(st.integers(0, 59), max_size=4))
@example(drawn=[(0, 1, 20, 0), (0, 8, 20, 0), (0, 8, 60, 0), (0, 8, 60, 0)], deaths={9, 24})
def test_a_process_that_dies_between_commits_loses_no_coverage(
    conn: Connection, drawn: Stretches, deaths: set[int]
) -> None:
    """Every commit stores the samples; the memory beside them dies at any of them and is rebuilt."""
    samples = made(drawn)
    found = []
    for dies in (set[int](), deaths):
        conn.execute(delete(coverage_day))
        keeper = CoverageKeeper()
        for number, one in enumerate(samples):
            take(keeper, [one])
            write(conn, keeper, one.time.timestamp())
            if number in dies:
                keeper = CoverageKeeper()
                newest_s = one.time.timestamp()
                keeper.load(conn, {POLE: newest_s}, {CAMERA: newest_s} if one.cameras else {})
        write_all(conn, keeper, samples[-1].time.timestamp() + FLUSH_S)
        found.append(stored(conn))
    assert found[0] == found[1]


def test_an_hour_that_comes_in_a_second_is_not_lost_with_the_process(conn: Connection) -> None:
    keeper = CoverageKeeper()
    hour = evening("18:00", "19:00")
    for one in hour:
        take(keeper, [one])
        write(conn, keeper, at("19:00"))
    keeper = CoverageKeeper()
    keeper.load(conn, {POLE: hour[-1].time.timestamp()}, {})
    write_all(conn, keeper, at("19:01"))
    assert stored(conn) == {("lamp", POLE, DAY): "L1080-1139"}
