from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest

from edge.clock import MockClock
from simulators.devices import SimulatedWorld
from simulators.scenario import commune_of, load_scenario
from simulators.world import mains_v, sun_elevation_deg, warm_up_factor

MIDNIGHT = datetime(2026, 3, 1, 17, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 5, tzinfo=UTC)
SUPPER = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def world(scenario: str, now: datetime) -> SimulatedWorld:
    found = load_scenario(scenario)
    return SimulatedWorld(found, commune_of(found), MockClock(now))


def average_v(along: float, hour: datetime) -> float:
    times = [hour + timedelta(seconds=30 * step) for step in range(120)]
    return fmean(mains_v(seed=1, feeder="TG-L1", along=along, now=now) for now in times)


def test_mains_sag_at_supper_and_towards_the_end_of_the_line() -> None:
    assert average_v(0.0, SUPPER) < average_v(0.0, MIDNIGHT) - 3
    assert average_v(1.0, SUPPER) < average_v(0.0, SUPPER) - 3


@pytest.mark.parametrize("hour", range(24))
def test_mains_stay_within_what_a_lamp_survives(hour: int) -> None:
    for along in (0.0, 0.5, 1.0):
        now = datetime(2026, 7, 1, hour, tzinfo=UTC)
        assert 195 < mains_v(seed=3, feeder="TG-L7", along=along, now=now) < 240


def test_one_seed_replays_and_another_differs() -> None:
    first = mains_v(seed=1, feeder="TG-L1", along=0.3, now=SUPPER)
    assert mains_v(seed=1, feeder="TG-L1", along=0.3, now=SUPPER) == first
    assert mains_v(seed=2, feeder="TG-L1", along=0.3, now=SUPPER) != first


def test_an_led_lamp_draws_less_when_warm() -> None:
    assert warm_up_factor(0) == 1.0
    assert 0.93 < warm_up_factor(7200) < 0.95
    assert warm_up_factor(60) > warm_up_factor(600)


def test_the_sun_stands_high_at_noon_and_below_at_midnight_in_phu_tho() -> None:
    assert sun_elevation_deg(21.4731, 105.255, NOON) > 50
    assert sun_elevation_deg(21.4731, 105.255, MIDNIGHT) < -50


def test_a_first_visitor_sees_the_night_at_noon() -> None:
    assert all(pole.photocell.read() for pole in world("trung-giap", NOON).poles.values())


def test_under_the_real_sun_lamps_differ_at_dusk_and_agree_at_noon_and_midnight() -> None:
    dusk = world("trung-giap-sun", NOON)
    assert not any(pole.photocell.read() for pole in dusk.poles.values())
    dusk.step(MIDNIGHT)
    assert all(pole.photocell.read() for pole in dusk.poles.values())
    shares = []
    for minute in range(0, 40, 2):
        dusk.step(datetime(2026, 3, 1, 11, 5, tzinfo=UTC) + timedelta(minutes=minute))
        shares.append(fmean(bool(pole.photocell.read()) for pole in dusk.poles.values()))
    assert shares == sorted(shares)
    assert any(0.1 < share < 0.9 for share in shares)


def test_the_faults_of_a_scenario_are_in_its_devices() -> None:
    found = world("trung-giap", NOON)
    faults = found.scenario.faults
    broken = {code for code, pole in found.poles.items() if pole.lamp.burnt_out}
    assert broken == set(faults.lamps_burnt_out)
    dead = {
        code
        for pole in found.poles.values()
        for code, camera in pole.cameras.items()
        if not camera.reachable
    }
    assert dead == set(faults.cameras_unreachable)
    assert load_scenario("all-good").faults == type(faults)()


async def test_a_lit_lamp_is_measured_at_its_rating_and_sinks_as_it_warms() -> None:
    found = load_scenario("all-good")
    clock = MockClock(MIDNIGHT)
    pole = SimulatedWorld(found, commune_of(found), clock).poles["TG-0002"]
    pole.lamp.set_level(1.0)
    cold = await pole.meter.read()
    clock.advance(7200)
    warm = await pole.meter.read()
    pole.lamp.set_level(0.0)
    off = await pole.meter.read()
    assert cold is not None
    assert warm is not None
    assert off is not None
    assert cold.power_w == pytest.approx(60, rel=0.05)
    assert warm.power_w == pytest.approx(56.6, rel=0.05)
    assert off.power_w < 1
    assert warm.energy_wh is not None
    assert warm.energy_wh > 100
