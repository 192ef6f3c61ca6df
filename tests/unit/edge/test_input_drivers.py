import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from edge.devices import build
from edge.drivers.dimmed_lamp import DimmedLamp
from edge.drivers.gpio_input import DoorInput, MainsInput, MotionInput
from edge.drivers.gpio_lamp import RelayLamp
from edge.drivers.gpio_photocell import PhotocellInput
from edge.drivers.mock_inputs import MockDoor, MockMotion, MockSupply, MockThermometer
from edge.drivers.ports import DriverError
from edge.drivers.thermometer import CpuThermometer, Ds18b20
from tests.support.nodes import POLE, node_config

GOOD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    yield factory
    factory.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_a_motion_sensor_whose_wire_is_cut_sees_motion_without_end(
    pins: MockFactory, active_high: bool
) -> None:
    sensor = MotionInput(22, active_high=active_high, pin_factory=pins)
    assert sensor.read() is True, "it is told as stuck, where the opposite would never be noticed"
    pin = pins.pin(22)
    (pin.drive_low if active_high else pin.drive_high)()
    assert sensor.read() is False
    (pin.drive_high if active_high else pin.drive_low)()
    assert sensor.read() is True
    sensor.close()


def test_a_door_contact_whose_wire_is_cut_reads_open(pins: MockFactory) -> None:
    door = DoorInput(23, pin_factory=pins)
    assert door.read() is True
    pins.pin(23).drive_low()
    assert door.read() is False
    door.close()
    with pytest.raises(DriverError, match="door contact on GPIO23"):
        door.read()


@pytest.mark.parametrize("present_when_high", [True, False])
def test_a_supply_input_whose_wire_is_cut_reads_lost(pins: MockFactory, present_when_high: bool) -> None:
    mains = MainsInput(24, present_when_high=present_when_high, pin_factory=pins)
    assert mains.read() is False
    pin = pins.pin(24)
    (pin.drive_high if present_when_high else pin.drive_low)()
    assert mains.read() is True
    mains.close()


def test_a_pin_in_use_is_named(pins: MockFactory) -> None:
    door = DoorInput(23, pin_factory=pins)
    with pytest.raises(DriverError, match="motion sensor on GPIO23"):
        MotionInput(23, active_high=True, pin_factory=pins)
    door.close()


class BusyFactory(MockFactory):  # type: ignore[misc]  # gpiozero is untyped
    """Pins that another process holds: lgpio's error is none of gpiozero's."""

    def pin(self, *_: object, **__: object) -> object:
        raise RuntimeError("'GPIO busy'")


def test_a_pin_that_another_process_holds_is_named() -> None:
    busy = BusyFactory()
    with pytest.raises(DriverError, match="door contact on GPIO23: 'GPIO busy'"):
        DoorInput(23, pin_factory=busy)
    with pytest.raises(DriverError, match="lamp relay on GPIO17: 'GPIO busy'"):
        RelayLamp(17, active_high=True, pin_factory=busy)
    with pytest.raises(DriverError, match="dimmer on GPIO12: 'GPIO busy'"):
        DimmedLamp(12, active_high=True, frequency_hz=1000, min_level=0.1, pin_factory=busy)
    with pytest.raises(DriverError, match="photocell on GPIO27: 'GPIO busy'"):
        PhotocellInput(27, dark_when_high=True, pin_factory=busy)
    busy.close()


def sensor_file(devices: Path, name: str, text: str) -> None:
    (devices / name).mkdir(parents=True)
    (devices / name / "w1_slave").write_text(text)


async def test_a_ds18b20_is_read_in_degrees(tmp_path: Path) -> None:
    sensor_file(tmp_path, "28-0316a2795bff", GOOD)
    assert await Ds18b20(devices=tmp_path).read() == 23.125
    assert await Ds18b20("28-0316a2795bff", devices=tmp_path).read() == 23.125


async def test_frost_is_below_zero(tmp_path: Path) -> None:
    sensor_file(tmp_path, "28-000000000001", GOOD.replace("t=23125", "t=-1062"))
    assert await Ds18b20(devices=tmp_path).read() == -1.062


@pytest.mark.parametrize("text", [GOOD.replace("YES", "NO"), "", GOOD.replace("t=23125", "t=85000")])
async def test_a_bad_checksum_or_a_sensor_just_switched_on_has_no_word(tmp_path: Path, text: str) -> None:
    sensor_file(tmp_path, "28-000000000001", text)
    assert await Ds18b20(devices=tmp_path).read() is None


async def test_a_sensor_that_never_answers_takes_one_thread_only(tmp_path: Path) -> None:
    (tmp_path / "28-000000000001").mkdir()
    bus = tmp_path / "28-000000000001" / "w1_slave"
    os.mkfifo(bus)
    sensor = Ds18b20(devices=tmp_path)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await sensor.read()
    with pytest.raises(DriverError, match="has not come back"):
        await sensor.read()
    await asyncio.to_thread(bus.write_text, "")

    bus.unlink()
    bus.write_text(GOOD)
    async with asyncio.timeout(10):
        while True:
            with suppress(DriverError):
                assert await sensor.read() == 23.125
                break
            await asyncio.sleep(0.01)


async def test_no_sensor_two_sensors_and_a_missing_one_are_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="found none"):
        await Ds18b20(devices=tmp_path).read()
    sensor_file(tmp_path, "28-000000000001", GOOD)
    sensor_file(tmp_path, "28-000000000002", GOOD)
    with pytest.raises(DriverError, match="28-000000000001, 28-000000000002"):
        await Ds18b20(devices=tmp_path).read()
    with pytest.raises(DriverError, match="28-000000000003"):
        await Ds18b20("28-000000000003", devices=tmp_path).read()


async def test_the_processors_temperature_is_read_from_the_kernel(tmp_path: Path) -> None:
    zone = tmp_path / "temp"
    with pytest.raises(DriverError, match="CPU temperature"):
        await CpuThermometer(zone).read()
    zone.write_text("48312\n")
    assert await CpuThermometer(zone).read() == 48.312


async def test_mock_inputs_say_what_they_are_told(tmp_path: Path) -> None:
    cabinet = {"door": {"driver": "mock"}, "temperature": {"driver": "mock"}, "supply": {"driver": "mock"}}
    devices = build(node_config(tmp_path, pole={"motion": {"driver": "mock"}}, cabinet=cabinet))
    motion, door = devices.poles[POLE].motion, devices.cabinet.door
    supply, thermometer = devices.cabinet.supply, devices.cabinet.temperature
    assert isinstance(motion, MockMotion)
    assert isinstance(door, MockDoor)
    assert isinstance(supply, MockSupply)
    assert isinstance(thermometer, MockThermometer)
    motion.moving, door.is_open, supply.present, thermometer.temperature_c = True, True, False, 71.5
    assert (motion.read(), door.read(), supply.read()) == (True, True, False)
    assert await thermometer.read() == 71.5
    devices.close()


def test_inputs_are_built_on_real_pins(tmp_path: Path, pins: MockFactory) -> None:
    was, Device.pin_factory = Device.pin_factory, pins
    try:
        cabinet = {
            "door": {"driver": "gpio", "pin": 23},
            "temperature": {"driver": "ds18b20"},
            "supply": {"driver": "gpio", "pin": 24},
        }
        motion = {"driver": "gpio", "pin": 22}
        devices = build(node_config(tmp_path, pole={"motion": motion}, cabinet=cabinet))
        assert isinstance(devices.poles[POLE].motion, MotionInput)
        assert isinstance(devices.cabinet.door, DoorInput)
        assert isinstance(devices.cabinet.supply, MainsInput)
        assert isinstance(devices.cabinet.temperature, Ds18b20)
        devices.close()
    finally:
        Device.pin_factory = was
