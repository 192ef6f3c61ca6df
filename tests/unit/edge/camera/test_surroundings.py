from pathlib import Path

import pytest

from edge.camera.surroundings import of_node
from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_photocell import MockPhotocell
from edge.lamp.lighting import Lighting
from protocol.messages import CabinetReading
from tests.support.nodes import EVENING, NOON, POLE, node_config


def lighting_of(tmp_path: Path, clock: MockClock, lamp: MockLamp) -> Lighting:
    config = node_config(tmp_path)
    lighting = Lighting(config, {POLE: PoleDevices(lamp, MockPhotocell())}, clock)
    lighting.step()
    return lighting


@pytest.mark.parametrize(
    ("faults", "lit"), [([], True), (["power_factor_too_low"], True), (["lamp_failure"], None)]
)
def test_a_lamp_that_may_be_out_is_no_light_to_judge_a_picture_by(
    tmp_path: Path, faults: list[str], lit: bool | None
) -> None:
    lighting = lighting_of(tmp_path, MockClock(EVENING), MockLamp())
    around = of_node(lighting, cabinet=lambda: None, faults=lambda _: faults)
    assert around.lamp_lit(POLE) is lit


def test_an_output_that_refuses_leaves_it_unknown(tmp_path: Path) -> None:
    lamp = MockLamp()
    lamp.output_fails = True
    around = of_node(
        lighting_of(tmp_path, MockClock(EVENING), lamp), cabinet=lambda: None, faults=lambda _: []
    )
    assert around.lamp_lit(POLE) is None


def test_night_is_the_photocells_word_else_the_schedules(tmp_path: Path) -> None:
    for at, dark in ((NOON, False), (EVENING, True)):
        lighting = Lighting(node_config(tmp_path), {POLE: PoleDevices(MockLamp())}, MockClock(at))
        lighting.step()
        around = of_node(lighting, cabinet=lambda: None, faults=lambda _: [])
        assert (around.dark(POLE), around.lamp_lit(POLE), around.in_maintenance(POLE)) == (
            dark,
            dark,
            False,
        )


def test_mains_is_the_cabinets_word(tmp_path: Path) -> None:
    lighting = lighting_of(tmp_path, MockClock(EVENING), MockLamp())
    for reading, word in (
        (None, None),
        (CabinetReading(), None),
        (CabinetReading(supply_present=False), False),
    ):
        around = of_node(lighting, cabinet=lambda reading=reading: reading, faults=lambda _: [])  # type: ignore[misc]
        assert around.supply_present() is word
