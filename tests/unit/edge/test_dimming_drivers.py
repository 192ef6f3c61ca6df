from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin, MockSPIDevice

from edge.devices import build
from edge.drivers.dimmed_lamp import DimmedLamp, duty_at
from edge.drivers.mcp3008_photocell import AnaloguePhotocell
from edge.drivers.ports import DriverError
from tests.support.nodes import POLE, node_config


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.close()


def dimmed(pins: MockFactory, **changes: Any) -> DimmedLamp:
    settings: dict[str, Any] = {"active_high": True, "frequency_hz": 1000, "min_level": 0.1, **changes}
    return DimmedLamp(12, pin_factory=pins, **settings)


@pytest.mark.parametrize("active_high", [True, False])
def test_the_duty_cycle_follows_the_level(pins: MockFactory, active_high: bool) -> None:
    lamp = dimmed(pins, active_high=active_high)
    pin = pins.pin(12)
    assert pin.frequency == 1000
    assert pin.state == (1.0 if active_high else 0.0), "full light until the first decision"
    for level in (1.0, 0.5, 0.0, 0.25):
        lamp.set_level(level)
        assert pin.state == pytest.approx(level if active_high else 1 - level)
        assert lamp.level() == level
    lamp.close()
    assert pin.function == "input", "the wiring's safe state takes over"


def test_a_lamp_that_is_on_never_burns_so_low_that_it_flickers(pins: MockFactory) -> None:
    lamp = dimmed(pins, min_level=0.2)
    lamp.set_level(0.05)
    assert lamp.level() == 0.2, "what is in effect is told, not what was wished"
    assert pins.pin(12).state == pytest.approx(0.2)
    lamp.set_level(0.0)
    assert (lamp.level(), pins.pin(12).state) == (0.0, 0.0)
    lamp.close()


def test_a_curve_gives_the_volts_that_the_lamps_driver_wants(pins: MockFactory) -> None:
    lamp = dimmed(pins, curve=[(0.1, 0.1), (0.5, 0.7), (1.0, 1.0)])
    for level, duty in ((0.1, 0.1), (0.3, 0.4), (0.5, 0.7), (0.75, 0.85), (1.0, 1.0), (0.0, 0.0)):
        lamp.set_level(level)
        assert pins.pin(12).state == pytest.approx(duty)
    lamp.close()


def test_beyond_a_curves_ends_it_stays_level() -> None:
    curve = [(0.1, 0.2), (0.9, 0.8)]
    assert duty_at(curve, 0.0) == 0.2
    assert duty_at(curve, 1.0) == 0.8


class Relay:
    """Writes down what the dimmer stood at when it was switched."""

    def __init__(self, pins: MockFactory) -> None:
        self._pins = pins
        self.story: list[tuple[float, float]] = []
        self.broken = False

    def set_level(self, level: float) -> None:
        if self.broken:
            raise DriverError("relay: broken")
        self.story.append((level, self._pins.pin(12).state))

    def level(self) -> float | None:
        if self.broken:
            raise DriverError("relay: broken")
        return self.story[-1][0] if self.story else None

    def close(self) -> None:
        self.story.append((-1.0, 0.0))


def test_the_relay_closes_on_a_dimmed_lamp_and_opens_for_true_off(pins: MockFactory) -> None:
    relay = Relay(pins)
    lamp = dimmed(pins, relay=relay)
    lamp.set_level(0.3)
    lamp.set_level(0.0)
    assert relay.story == [(1.0, 0.3), (0.0, 0.3)]
    assert pins.pin(12).state == 0.0
    lamp.close()
    assert relay.story[-1][0] == -1.0


def test_a_broken_relay_is_tried_again_at_every_step(pins: MockFactory) -> None:
    relay = Relay(pins)
    lamp = dimmed(pins, relay=relay)
    relay.broken = True
    for _ in range(2):
        with pytest.raises(DriverError, match="relay"):
            lamp.set_level(1.0)
    with pytest.raises(DriverError, match="relay"):
        lamp.level()
    relay.broken = False
    lamp.set_level(1.0)
    assert relay.story == [(1.0, 1.0)]
    lamp.close()


def test_a_lost_pin_is_a_drivers_error(pins: MockFactory) -> None:
    lamp = dimmed(pins)
    with pytest.raises(DriverError, match="dimmer on GPIO12"):
        dimmed(pins)
    lamp.close()
    with pytest.raises(DriverError, match="dimmer on GPIO12"):
        lamp.set_level(0.5)
    with pytest.raises(DriverError, match="dimmer on GPIO12"):
        lamp.level()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"driver": "pwm"}, "needs `pin`"),
        ({"driver": "analogue", "pin": 12, "curve": [[0.5, 5], [0.5, 6]]}, "low to high"),
        ({"driver": "analogue", "pin": 12, "curve": [[0.1, 5], [0.5, 4]]}, "must not fall"),
        ({"driver": "gpio", "pin": 12, "relay_pin": 5}, "`relay_pin` goes with"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(Exception, match=says):
        node_config(tmp_path, pole={"lamp": settings, "meter": {"driver": "none"}})


class Converter(MockSPIDevice):  # type: ignore[misc]  # gpiozero is untyped
    """An MCP3008's side of the SPI bus: answers `value` on every channel."""

    def __init__(self, pins: MockFactory, value: int) -> None:
        super().__init__(11, 10, 9, 8, pin_factory=pins)
        self.value = value

    def on_bit(self) -> None:
        # After the start bit, the mode bit and three channel bits: one idle bit, a null bit, ten of value.
        if self.rx_bit == 12:
            self.tx_word(self.value, 12)


@pytest.fixture
def spi_pins() -> Iterator[MockFactory]:
    # gpiozero's bus looks for its pins in the global factory, whatever it is given.
    factory = MockFactory()
    was, Device.pin_factory = Device.pin_factory, factory
    yield factory
    Device.pin_factory = was
    factory.close()


def test_an_analogue_photocell_keeps_its_word_between_two_thresholds(spi_pins: MockFactory) -> None:
    with Converter(spi_pins, 0) as converter:
        cell = AnaloguePhotocell(0, dark_below=0.3, light_above=0.4, pin_factory=spi_pins)
        heard = []
        for share in (0.35, 0.5, 0.35, 0.29, 0.35, 0.41, 0.0):
            converter.value = round(share * 1023)
            heard.append(cell.read())
        assert heard == [True, False, False, True, True, False, True]
        cell.close()


def test_a_converter_that_is_not_there_has_no_word(spi_pins: MockFactory) -> None:
    with Converter(spi_pins, 1023):
        cell = AnaloguePhotocell(0, dark_below=0.3, light_above=0.4, pin_factory=spi_pins)
        assert cell.read() is None, "a floating bus must not read as eternal day"
        cell.close()
        with pytest.raises(DriverError, match="MCP3008 channel 0"):
            cell.read()


@pytest.mark.parametrize(
    ("settings", "duty", "relay"),
    [
        ({"driver": "pwm"}, 0.55, False),
        ({"driver": "analogue", "relay_pin": 5}, 0.55, True),
        ({"driver": "analogue", "relay_pin": 5, "curve": [[0.1, 0.0], [1.0, 5.0]]}, 0.25, True),
    ],
)
def test_dimmers_are_built_as_the_configuration_says(
    tmp_path: Path, pins: MockFactory, settings: dict[str, Any], duty: float, relay: bool
) -> None:
    pole = {"lamp": {"pin": 12, **settings}, "meter": {"driver": "none"}}
    was, Device.pin_factory = Device.pin_factory, pins
    try:
        lamp = build(node_config(tmp_path, pole=pole)).poles[POLE].lamp
        lamp.set_level(0.55)
        assert pins.pin(12).state == pytest.approx(duty)
        assert bool(pins.pin(5).state) == relay
        lamp.close()
    finally:
        Device.pin_factory = was


def test_an_analogue_photocell_is_built_as_the_configuration_says(
    tmp_path: Path, spi_pins: MockFactory
) -> None:
    cell = build(node_config(tmp_path, pole={"photocell": {"driver": "mcp3008"}})).poles[POLE].photocell
    assert isinstance(cell, AnaloguePhotocell)
    cell.close()
