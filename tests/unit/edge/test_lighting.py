from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_photocell import MockPhotocell
from edge.drivers.ports import DriverError
from edge.lamp.lamp_control import Override
from edge.lamp.lighting import Lighting, Place
from tests.support.nodes import EVENING, NOON, POLE, node_config


class Road:
    """One mock pole under a clock in the hand."""

    def __init__(
        self, tmp_path: Path, *, photocell: Any = None, now: Any = EVENING, synced: bool = True
    ) -> None:
        self.clock = MockClock(now, synced=synced)
        self.lamp = MockLamp()
        self.told: list[tuple[str, str, str]] = []
        cell = {"driver": "mock", "dark_after_s": 20, "light_after_s": 180}
        config = node_config(tmp_path, pole={"photocell": cell} if photocell else None)
        self.lighting = Lighting(config, {POLE: PoleDevices(self.lamp, photocell)}, self.clock)
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
    road = Road(tmp_path, photocell=cell)
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
    road.light.override = Override(0.0, until, road.clock.monotonic() + 600, uuid4(), EVENING)
    road.lamp.output_fails = False
    assert road.step() == 0.0
    reading = road.light.reading()
    assert (reading.commanded_level, reading.effect_level, reading.reason) == (0.0, 0.0, "override")
    assert reading.override_until == until
    assert road.step(601) == 1.0
    assert road.light.reading().commanded_level is None


def test_an_output_that_refuses_is_told_once_and_once_when_it_is_back(tmp_path: Path) -> None:
    road = Road(tmp_path, now=NOON)
    road.step()
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
    road.light.place = Place(21.4731, longitude)
    assert road.step(1) == float(lit)
