import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from edge.config import MeterSettings, SerialLineSettings
from edge.devices import build
from edge.drivers.gpio_lamp import RelayLamp
from edge.drivers.gpio_photocell import PhotocellInput
from edge.drivers.mock_camera import MockCamera
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_meter import STANDBY_W, MockMeter
from edge.drivers.mock_photocell import MockPhotocell
from edge.drivers.ports import DriverError, Reachability
from edge.drivers.tcp_camera import TcpCamera
from edge.firmware_bridge.meter import ModbusMeter
from tests.support.nodes import POLE, node_config


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    yield factory
    factory.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_the_relay_follows_the_level(pins: MockFactory, active_high: bool) -> None:
    lamp = RelayLamp(17, active_high=active_high, pin_factory=pins)
    for level, on in ((1.0, True), (0.0, False), (0.5, True), (0.0, False), (0.1, True)):
        lamp.set_level(level)
        assert pins.pin(17).state == (on if active_high else not on)
        assert lamp.level() == float(on)
    lamp.close()
    assert pins.pin(17).function == "input", "the wiring's safe state takes over"


def test_opening_the_relay_leaves_the_pin_as_it_was(pins: MockFactory) -> None:
    pin = pins.pin(17)
    pin.function = "output"
    pin.state = True
    lamp = RelayLamp(17, active_high=True, pin_factory=pins)
    assert pin.state
    assert lamp.level() == 1.0
    lamp.close()


def test_a_pin_that_is_taken_is_a_drivers_error(pins: MockFactory) -> None:
    lamp = RelayLamp(17, active_high=True, pin_factory=pins)
    with pytest.raises(DriverError, match="lamp relay on GPIO17"):
        RelayLamp(17, active_high=True, pin_factory=pins)
    lamp.close()


@pytest.mark.parametrize("dark_when_high", [True, False])
def test_the_photocell_reads_dark_and_light(pins: MockFactory, dark_when_high: bool) -> None:
    cell = PhotocellInput(27, dark_when_high=dark_when_high, pin_factory=pins)
    pin = pins.pin(27)
    assert cell.read() is True, "a wire that leads nowhere reads dark: the road is lit"
    (pin.drive_low if dark_when_high else pin.drive_high)()
    assert cell.read() is False
    (pin.drive_high if dark_when_high else pin.drive_low)()
    assert cell.read() is True
    cell.close()


def test_a_closed_pin_is_a_drivers_error(pins: MockFactory) -> None:
    cell = PhotocellInput(27, dark_when_high=True, pin_factory=pins)
    lamp = RelayLamp(17, active_high=True, pin_factory=pins)
    cell.close()
    lamp.close()
    with pytest.raises(DriverError, match="photocell on GPIO27"):
        cell.read()
    with pytest.raises(DriverError, match="lamp relay on GPIO17"):
        lamp.set_level(1.0)
    with pytest.raises(DriverError, match="lamp relay on GPIO17"):
        lamp.level()


def test_devices_are_built_as_the_configuration_says(tmp_path: Path) -> None:
    cameras = [
        {"code": "CAM-1", "driver": "mock"},
        {"code": "CAM-2", "driver": "tcp", "host": "127.0.0.1", "port": 9},
    ]
    config = node_config(tmp_path, pole={"photocell": {"driver": "mock"}, "cameras": cameras})
    devices = build(config).poles[POLE]
    assert isinstance(devices.lamp, MockLamp)
    assert isinstance(devices.photocell, MockPhotocell)
    assert isinstance(devices.meter, MockMeter)
    assert isinstance(devices.cameras["CAM-1"].reach, MockCamera)
    assert isinstance(devices.cameras["CAM-2"].reach, TcpCamera)
    devices.close()
    assert devices.lamp.closed


def test_gpio_devices_are_built_on_real_pins(tmp_path: Path, pins: MockFactory) -> None:
    was, Device.pin_factory = Device.pin_factory, pins
    try:
        pole = {
            "lamp": {"driver": "gpio", "pin": 17},
            "photocell": {"driver": "gpio", "pin": 27},
            "meter": {"driver": "none"},
        }
        devices = build(node_config(tmp_path, pole=pole)).poles[POLE]
        devices.lamp.set_level(1.0)
        assert pins.pin(17).state
        assert devices.photocell is not None
        assert devices.photocell.read() is True
        assert devices.meter is None
        devices.close()
    finally:
        Device.pin_factory = was


def test_a_meters_line_is_opened_only_when_it_is_read(tmp_path: Path) -> None:
    config = node_config(tmp_path)
    poles = [
        msgspec.structs.replace(
            config.poles[0],
            code=f"TG-000{address}",
            meter=MeterSettings(driver="serial", line="rs485", profile="sdm120", address=address),
        )
        for address in (1, 2)
    ]
    line = SerialLineSettings(name="rs485", port="/dev/no-such-line")
    devices = build(msgspec.structs.replace(config, poles=poles, serial_lines=[line]))
    assert all(isinstance(pole.meter, ModbusMeter) for pole in devices.poles.values()), (
        "an adapter that is not there stops no start"
    )
    devices.close()


async def test_the_mock_meter_measures_what_really_glows() -> None:
    lamp, seconds = MockLamp(), [0.0]
    meter = MockMeter(lamp, lamp_rated_w=60, random=Random(7), seconds=lambda: seconds[0])

    async def power_w() -> float:
        reading = await meter.read()
        assert reading is not None
        return reading.power_w

    assert await power_w() == pytest.approx(STANDBY_W)
    lamp.set_level(1.0)
    assert await power_w() == pytest.approx(60, rel=0.06)
    lamp.burnt_out = True
    assert await power_w() == pytest.approx(STANDBY_W)
    lamp.burnt_out, lamp.stuck_on = False, True
    lamp.set_level(0.0)
    assert await power_w() == pytest.approx(60, rel=0.06)
    seconds[0] = 3600
    reading = await meter.read()
    assert reading is not None
    assert reading.energy_wh == pytest.approx(60, rel=0.06)
    meter.mains_v = 0
    dead = await meter.read()
    assert dead is not None
    assert (dead.voltage_v, dead.power_w) == (0, 0)
    meter.silent = True
    assert await meter.read() is None


async def test_a_camera_that_listens_is_reachable_and_one_that_does_not_is_not() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = await TcpCamera("127.0.0.1", port).probe()
    assert there.reachable
    assert there.latency_ms is not None
    assert 0 <= there.latency_ms < 3000
    server.close()
    await server.wait_closed()
    assert await TcpCamera("127.0.0.1", port).probe() == Reachability(reachable=False)


async def test_a_mock_camera_says_what_it_is_told() -> None:
    camera = MockCamera(latency_ms=7)
    assert await camera.probe() == Reachability(reachable=True, latency_ms=7)
    camera.reachable = False
    assert await camera.probe() == Reachability(reachable=False)


def test_a_mock_photocell_has_its_own_sky() -> None:
    assert MockPhotocell().read() is None
    assert MockPhotocell(sky=lambda: True).read() is True
