"""Sums per hour in real InfluxDBs, 1.x and 2.x: whole after late history, a restart, for old samples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from hub.telemetry.influx import InfluxStore
from hub.telemetry.influxdb.hours import Hours
from hub.telemetry.influxdb.server import InfluxAddress, InfluxServer
from hub.telemetry.line_protocol import lines
from tests.integration.hub_ingest.test_telemetry_contract import DAY, EPOCH, point
from tests.support.influxd import Influxd

pytestmark = pytest.mark.servers


class Clock:
    """The hub's clock, moved by hand."""

    def __init__(self) -> None:
        self.now_s = DAY.timestamp()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def address(server: Influxd) -> InfluxAddress:
    """Two databases that the store makes itself, on 2.x as buckets that the set-up made."""
    name = f"t{uuid4().hex}"
    server.set_up(name)
    return server.address(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(address: InfluxAddress, clock: Clock) -> Iterator[InfluxStore]:
    opened = InfluxStore(address, clock)
    yield opened
    opened.close()


def made(server: Influxd, address: InfluxAddress) -> int:
    """How many hours of all poles InfluxDB holds sums of."""
    (result,) = server.results('SELECT count("effect_level_n") FROM "pole_hour"', db=address.hours_database)
    return int(result["series"][0]["values"][0][1]) if "series" in result else 0


def year_mean(store: InfluxStore) -> float:
    """The mean of all power in a chart of a year."""
    series = store.series("TG-0001", DAY - timedelta(days=183), DAY + timedelta(days=182), 2)
    (mean,) = [watts for watts in series.power_w if watts is not None]
    return mean


def test_an_hour_is_made_when_it_is_over_and_anew_when_history_comes(
    store: InfluxStore, clock: Clock, server: Influxd, address: InfluxAddress
) -> None:
    store.write(1, [point(seq, at_s=60 * seq, power_w=10.0) for seq in range(1, 31)])
    assert made(server, address) == 0
    assert year_mean(store) == pytest.approx(10.0)
    clock.now_s += 3900
    store.write(2, [point(31, at_s=3800, power_w=10.0)])
    assert made(server, address) == 1
    store.write(3, [point(seq, at_s=60 * seq, power_w=30.0, historical=True) for seq in range(32, 56)])
    assert year_mean(store) == pytest.approx((31 * 10 + 24 * 30) / 55), "before the hour is made anew"
    clock.now_s += 310
    store.write(4, [point(56, at_s=4000, power_w=10.0)])
    assert made(server, address) == 1
    assert year_mean(store) == pytest.approx((32 * 10 + 24 * 30) / 56)


def test_what_a_hub_that_died_had_marked_is_made_by_the_next(
    store: InfluxStore, clock: Clock, server: Influxd, address: InfluxAddress
) -> None:
    store.write(1, [point(seq, at_s=60 * seq, pole=f"TG-{seq:04d}") for seq in range(1, 11)])
    clock.now_s += 5 * 3600
    next_hub = InfluxStore(address, clock)
    next_hub.write(2, [point(11, at_s=5 * 3600)])
    assert made(server, address) == 10
    next_hub.close()


def test_history_of_a_wrong_clock_is_in_no_hour(
    store: InfluxStore, clock: Clock, server: Influxd, address: InfluxAddress
) -> None:
    clock.now_s += 7200
    store.write(
        1, [point(1, power_w=10.0), point(2, at_s=5, power_w=99.0, clock="unsynced", historical=True)]
    )
    assert made(server, address) == 1
    assert year_mean(store) == pytest.approx(10.0)


def test_samples_from_before_there_were_hours_are_charted_and_then_made(
    clock: Clock, server: Influxd
) -> None:
    address = server.address(f"t{uuid4().hex}")
    for name in (address.database, address.hours_database):
        server.make(name)
    store, asked = InfluxStore(address, clock), InfluxServer(address)
    old = [point(seq, at_s=-3600 * seq, power_w=float(seq)) for seq in range(1, 101)]
    server.write(address.database, "\n".join(map(lines, old)).encode())
    store.write(1, [point(101, power_w=101.0)])
    assert year_mean(store) == pytest.approx(51.0)
    hours = Hours(asked, clock)
    days: list[tuple[int, int]] = []
    assert hours.make_all(lambda done, all_: days.append((done, all_))) == 100
    assert days[-1] == (5, 5)
    assert hours.make_all(lambda *_: None) == 0
    assert made(server, address) == 100
    assert year_mean(store) == pytest.approx(51.0)
    asked.close()
    store.close()


def test_without_a_place_for_hours_samples_go_on_alone(
    store: InfluxStore, clock: Clock, server: Influxd, address: InfluxAddress
) -> None:
    store.write(1, [point(1, power_w=10.0)])
    server.drop(address.hours_database)
    store.write(2, [point(2, at_s=3700, power_w=20.0)])
    assert store.count("tg-0001", EPOCH).points == 2
    assert year_mean(store) == pytest.approx(15.0)
    server.make(address.hours_database)
    clock.now_s += 700
    store.write(3, [point(3, at_s=7400, power_w=30.0)])
    assert year_mean(store) == pytest.approx(20.0), "the hours that were never marked come from samples"
