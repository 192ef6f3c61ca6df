from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory

from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.gpio_lamp import RelayLamp
from edge.drivers.mock_inputs import MockMotion
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_photocell import MockPhotocell
from edge.drivers.ports import DriverError, LampDriver
from edge.lamp.lamp_control import Maintenance, Override
from edge.lamp.lighting import Lighting, NodeTime, PoleLight
from edge.lamp.schedule import Place
from tests.support.nodes import EVENING, NOON, POLE, node_config

DUSK = EVENING - timedelta(minutes=50)
"""18:10: the sun is down, and it is not yet night."""


class Road:
    """One mock pole under a clock in the hand."""

    def __init__(
        self,
        tmp_path: Path,
        *,
        photocell: Any = None,
        motion: Any = None,
        now: Any = EVENING,
        synced: bool = True,
        lamp: LampDriver | None = None,
        **pole: Any,
    ) -> None:
        self.clock = MockClock(now, synced=synced)
        self.lamp = MockLamp() if lamp is None else lamp
        self.told: list[tuple[str, str, str]] = []
        if photocell:
            pole["photocell"] = {"driver": "mock", "dark_after_s": 20, "light_after_s": 180}
        config = node_config(tmp_path, pole=pole)
        devices = {POLE: PoleDevices(self.lamp, photocell, motion=motion)}
        self.lighting = Lighting(config, devices, self.clock)
        self.light = self.lighting.lights[POLE]

    def step(self, after_s: float = 0.0) -> float | None:
        self.clock.advance(after_s)
        self.lighting.step(lambda *what: self.told.append(what))
        return self.lamp.level()


class BrokenPhotocell:
    def read(self) -> bool | None:
        raise DriverError("photocell on GPIO27: gone")

    def close(self) -> None:
        pass


class LampWithABug(MockLamp):
    def set_level(self, level: float) -> None:
        raise ZeroDivisionError("some library's bug")


def test_by_the_sun_the_lamp_is_on_in_the_evening_and_off_at_noon(tmp_path: Path) -> None:
    assert Road(tmp_path).step() == 1.0
    assert Road(tmp_path, now=NOON).step() == 0.0


def test_a_node_that_woke_in_1970_lights_the_road_until_it_knows_the_time(tmp_path: Path) -> None:
    road = Road(tmp_path, now=EVENING.replace(year=1970), synced=False)
    assert road.step() == 1.0
    assert road.light.reading().reason == "fail_lit"
    road.clock.jump_to(NOON)
    road.clock.is_synced = True
    assert road.step(1) == 0.0
    assert road.light.reading().reason == "sun"


def test_dusk_comes_without_anyones_help(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    levels = [road.step(600) for _ in range(6 * 24)]
    changes = [hour for hour in range(1, len(levels)) if levels[hour] != levels[hour - 1]]
    assert len(changes) == 2, "on at dusk and off at dawn, once each"


def test_the_photocell_leads_with_its_patience(tmp_path: Path) -> None:
    cell = MockPhotocell(dark=False)
    road = Road(tmp_path, photocell=cell, now=DUSK)
    assert road.step() == 0.0
    cell.dark = True
    assert road.step(1) == 0.0
    assert road.step(20) == 1.0
    assert road.light.dark is True
    assert road.light.reading().reason == "photocell"


def test_a_photocell_that_breaks_leaves_the_sun_in_charge(tmp_path: Path) -> None:
    road = Road(tmp_path, photocell=BrokenPhotocell(), now=NOON)
    assert road.step() == 0.0
    assert road.light.reading().reason == "sun"
    assert road.light.dark is None


def test_commanded_and_in_effect_are_two_values(tmp_path: Path) -> None:
    road = Road(tmp_path)
    until = EVENING + timedelta(minutes=10)
    road.light.override = Override(until, road.clock.monotonic() + 600, uuid4(), EVENING, level=0.0)
    assert road.step() == 0.0
    reading = road.light.reading()
    assert (reading.commanded_level, reading.effect_level, reading.reason) == (0.0, 0.0, "override")
    assert reading.override_until == until
    assert road.step(601) == 1.0
    assert road.light.reading().commanded_level is None


def test_an_output_that_refuses_is_told_once_and_once_when_it_is_back(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    road.step()
    assert isinstance(road.lamp, MockLamp)
    road.lamp.output_fails = True
    road.clock.jump_to(EVENING)
    for _ in range(5):
        road.step(1)
    assert road.told == [("lamp_output_lost", POLE, "mock lamp: the output refuses")]
    reading = road.light.reading()
    assert (reading.effect_level, reading.reason) == (0.0, "output_fault"), (
        "what it does, not what it should"
    )
    road.lamp.output_fails = False
    assert road.step(1) == 1.0
    assert [what for what, _, _ in road.told] == ["lamp_output_lost", "lamp_output_back"]


def test_one_poles_bug_leaves_the_next_pole_lit(tmp_path: Path) -> None:
    config = node_config(tmp_path)
    second = msgspec.structs.replace(config.poles[0], code="TG-0002")
    config = msgspec.structs.replace(config, poles=[config.poles[0], second])
    lamp = MockLamp()
    lighting = Lighting(
        config, {POLE: PoleDevices(LampWithABug()), "TG-0002": PoleDevices(lamp)}, MockClock(EVENING)
    )
    lighting.step()
    assert lamp.level() == 1.0
    assert lighting.lights[POLE].output_fault == "ZeroDivisionError: some library's bug"


@pytest.mark.parametrize(("longitude", "lit"), [(105.255, False), (-75.0, True)])
def test_a_new_place_counts_at_once(tmp_path: Path, longitude: float, lit: bool) -> None:
    road = Road(tmp_path, now=NOON)
    road.step()
    road.light.schedule = replace(road.light.schedule, place=Place(21.4731, longitude))
    assert road.step(1) == float(lit)


def test_a_clock_that_was_right_in_this_boot_is_carried_on_by_the_steady_one(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    assert road.step() == 0.0
    road.clock.is_synced = False
    road.clock.jump_to(EVENING)
    assert road.step(60) == 0.0, "the wall clock is not asked while nobody sets it right"
    assert road.step(7 * 3600) == 1.0, "and dusk comes by the steady clock"
    assert road.light.reading().reason == "sun"
    assert road.step(12 * 3600) == 0.0


def test_an_agent_that_starts_anew_in_the_same_boot_still_knows_the_time(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    road.step()
    anchor = road.lighting.time.anchor
    assert anchor is not None
    road.clock.is_synced = False
    again = Lighting(node_config(tmp_path), {POLE: PoleDevices(road.lamp)}, road.clock)
    again.step()
    assert again.lights[POLE].reading().reason == "fail_lit"
    again.time.restore(anchor)
    road.clock.advance(30)
    again.step()
    assert again.lights[POLE].reading().reason == "sun"


def test_a_time_of_an_earlier_boot_puts_no_lamp_out(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    road.step()
    anchor = road.lighting.time.anchor
    assert anchor is not None
    road.clock.reboot(NOON)
    again = Lighting(node_config(tmp_path), {POLE: PoleDevices(road.lamp)}, road.clock)
    again.time.restore(anchor)
    again.step()
    assert again.lights[POLE].reading().reason == "fail_lit"


def test_a_sun_that_can_not_be_computed_leaves_the_road_lit(tmp_path: Path) -> None:
    def broken(*_: object) -> float:
        raise ImportError("astral is gone")

    config, clock = node_config(tmp_path), MockClock(NOON)
    light = PoleLight(config.poles[0], PoleDevices(MockLamp()), clock, NodeTime(clock), elevation=broken)
    assert light.step().reason == "fail_lit"


def test_a_relay_burns_in_full_where_a_dimmer_would_dim(tmp_path: Path) -> None:
    profile = {"dimming": [{"at": "18:00", "level": 0.3}]}
    assert Road(tmp_path, schedule=profile).step() == 0.3
    relay = RelayLamp(5, active_high=True, pin_factory=MockFactory())
    road = Road(tmp_path, schedule=profile, lamp=relay)
    assert road.step() == 1.0
    assert (road.light.reading().effect_level, road.light.reading().reason) == (1.0, "dimming")
    relay.close()


def test_motion_raises_the_dimmed_lamp_and_lets_it_down_again(tmp_path: Path) -> None:
    motion = MockMotion()
    profile = {"dimming": [{"at": "18:00", "level": 0.3}], "motion_level": 0.8, "motion_hold_s": 60}
    road = Road(tmp_path, motion=motion, schedule=profile)
    assert road.step() == 0.3
    motion.moving = True
    assert road.step(1) == 0.8
    assert road.light.reading().reason == "motion"
    motion.moving = False
    assert road.step(59) == 0.8
    assert road.step(1) == 0.3
    assert road.light.reading().reason == "dimming"


def test_maintenance_lights_the_lamp_and_ends_by_itself(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    over: list[str] = []
    road.lighting.on_maintenance_over = over.append
    until = NOON + timedelta(minutes=10)
    road.light.maintenance = Maintenance(until, road.clock.monotonic() + 600, uuid4(), NOON)
    assert road.step() == 1.0
    reading = road.light.reading()
    assert (reading.reason, reading.due, reading.commanded_level) == ("maintenance", False, None)
    assert over == []
    assert road.step(601) == 0.0
    assert over == [POLE]


def test_commands_in_a_quarrel_do_not_wear_the_contactor(tmp_path: Path) -> None:
    road = Road(tmp_path, schedule={"min_on_s": 20, "min_off_s": 5})
    switches, before = 0, road.step()
    for second in range(120):
        until = EVENING + timedelta(hours=1)
        road.light.override = Override(until, 1e9, uuid4(), EVENING, level=float(second % 2))
        level = road.step(1)
        switches += level != before
        before = level
    assert switches <= 2 * 120 / 25 + 2
    assert road.light.rests_until_s() is not None or road.light.reading().reason == "override"


def test_burning_time_and_switches_are_counted(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    for _ in range(24 * 60):
        road.step(60)
    counted = road.light.count.totals()
    assert counted.switches == 1
    assert counted.burning_s == pytest.approx(12 * 3600, abs=300), "a night at the equinox"
