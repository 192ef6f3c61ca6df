"""The bridge against pymodbus' server, on a line at 9600 baud that a test disturbs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusIOException

from edge.config import BatterySettings, LampSettings, MeterSettings, SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import Notice
from edge.firmware_bridge.bridge import Bridge
from edge.firmware_bridge.modbus.exchange import ModbusRefusalError
from edge.firmware_bridge.modbus.frames import read_registers
from edge.firmware_bridge.profile import Profiles
from protocol.messages import BatteryReading, MeterReading
from tests.support.modbus_units import TRACER, charge_controller, meter, relay_board, serving
from tests.support.serial_line import Disturb, SerialLine
from tests.support.waiting import until

LIT = [2284, 277, 0, 601, 0, 1234, 0, 500, 95, 0]
OUT = [2291, 3, 0, 4, 0, 77, 0, 500, 60, 0]
LIT_READING = MeterReading(
    power_w=60.1, voltage_v=228.4, current_a=0.277, power_factor=0.95, energy_wh=1234.0, frequency_hz=50.0
)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    line = SerialLine(tmp_path)
    yield line
    line.close()


@pytest.fixture
def bridge(line: SerialLine) -> Iterator[Bridge]:
    bridge = Bridge([SerialLineSettings(name="rs485", port=line.node_port)])
    yield bridge
    bridge.close()


@pytest.fixture
async def two_meters(line: SerialLine) -> AsyncIterator[None]:
    async with serving(line, [meter(1, LIT), meter(2, OUT)]):
        yield


def pzem(address: int) -> MeterSettings:
    return MeterSettings(driver="serial", line="rs485", profile="pzem004t-100a", address=address)


@pytest.mark.usefixtures("two_meters")
async def test_two_meters_on_one_line_are_read(bridge: Bridge) -> None:
    lit, out = await asyncio.gather(bridge.meter(pzem(1)).read(), bridge.meter(pzem(2)).read())
    assert lit == LIT_READING
    assert out is not None
    assert (out.power_w, out.voltage_v) == (0.4, 229.1)


def with_noise_before(noise: bytes) -> Disturb:
    return lambda reply: [(0.0, noise + reply)]


def without_a_byte(reply: bytes) -> list[tuple[float, bytes]]:
    return [(0.0, reply[:9] + reply[10:])]


def with_a_bit_flipped(reply: bytes) -> list[tuple[float, bytes]]:
    return [(0.0, reply[:5] + bytes([reply[5] ^ 0x20]) + reply[6:])]


def with_noise_after(reply: bytes) -> list[tuple[float, bytes]]:
    return [(0.0, reply + b"\x00\xff\x01")]


@pytest.mark.usefixtures("two_meters")
@pytest.mark.parametrize(
    ("disturb", "retries"),
    [
        (with_noise_before(b"\x00"), 0),
        (with_noise_before(b"\xff\x01"), 0),
        (with_noise_before(b"\x01\x04"), 0),
        (with_noise_before(b"\x01\x04\x14\x00"), 0),
        (with_noise_after, 0),
        (without_a_byte, 1),
        (with_a_bit_flipped, 1),
        (lambda reply: [], 1),
    ],
)
async def test_a_glitch_costs_a_retry_at_most_and_never_a_wrong_value(
    bridge: Bridge, line: SerialLine, disturb: Disturb, retries: int
) -> None:
    line.once.append(disturb)
    meter = bridge.meter(pzem(1))
    assert await meter.read() == LIT_READING
    assert bridge.lines["rs485"].counts.retries == retries
    assert await meter.read() == LIT_READING, "what was left on the line does no harm"


@pytest.mark.usefixtures("two_meters")
async def test_the_usual_client_loses_that_reading(line: SerialLine) -> None:
    """Why the master is our own. When this fails, pymodbus has learned it: see whether it can serve."""
    client = AsyncModbusSerialClient(line.node_port, baudrate=9600, timeout=0.5, retries=0)
    assert await client.connect()
    try:
        assert (await client.read_input_registers(0, count=10, device_id=1)).registers == LIT
        line.once.append(with_noise_before(b"\x00"))
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(0, count=10, device_id=1)
    finally:
        client.close()


@pytest.mark.usefixtures("two_meters")
async def test_a_late_reply_is_not_taken_for_the_next_meters(bridge: Bridge, line: SerialLine) -> None:
    line.disturb = lambda reply: [(0.4, reply)] if reply[0] == 1 else [(0.0, reply)]
    first = asyncio.create_task(bridge.meter(pzem(1)).read())
    outs = [await bridge.meter(pzem(2)).read() for _ in range(4)]
    assert await first in (None, LIT_READING)
    assert [out and out.power_w for out in outs] == [0.4] * 4


async def test_a_late_reply_about_other_registers_of_the_same_unit_is_not_taken(
    bridge: Bridge, line: SerialLine
) -> None:
    """Both questions are for two registers: nothing in the reply says which."""
    serial = bridge.lines["rs485"]
    async with serving(line, [meter(1, LIT)]):
        line.disturb = lambda reply: [(0.65, reply)]
        answers = [serial.do(1, lambda ask: ask(read_registers(1, 4, 0, 2)).body) for _ in range(1)]
        assert await asyncio.wrap_future(answers[0]) is not None, "the second attempt's window takes it"
        line.disturb = lambda reply: [(0.0, reply)]
        other = await asyncio.wrap_future(serial.do(1, lambda ask: ask(read_registers(1, 4, 3, 2)).body))
        assert other == bytes.fromhex("04 0259 0000"), "watts, not the late volts"


@pytest.mark.usefixtures("two_meters")
async def test_an_adapter_that_hears_itself_does_no_harm(bridge: Bridge, line: SerialLine) -> None:
    line.echo = True
    assert await bridge.meter(pzem(1)).read() == LIT_READING
    assert await bridge.meter(pzem(3)).read() is None, "its own echo is no reply"


@pytest.mark.usefixtures("two_meters")
async def test_a_refusal_is_an_error_with_its_code(bridge: Bridge) -> None:
    asked = bridge.lines["rs485"].do(1, lambda ask: ask(read_registers(1, 4, 500, 10)))
    with pytest.raises(ModbusRefusalError, match=r"unit 1 refuses: exception 2 \(illegal address\)"):
        await asyncio.wrap_future(asked)


@pytest.mark.usefixtures("two_meters")
async def test_an_adapter_unplugged_and_plugged_in_again_is_told_once_each(
    bridge: Bridge, line: SerialLine
) -> None:
    meter = bridge.meter(pzem(1))
    assert await meter.read() == LIT_READING
    line.unplug()
    for _ in range(3):
        with pytest.raises(DriverError, match="usb-adapter"):
            await meter.read()
    line.plug()
    async with asyncio.timeout(20):
        while True:
            try:
                if await meter.read() == LIT_READING:
                    break
            except DriverError:
                await asyncio.sleep(0.1)
    assert [(notice.kind, notice.active) for notice in bridge.notices] == [
        ("serial_line_lost", True),
        ("serial_line_lost", False),
    ]


async def test_a_solar_lamps_battery_and_load_are_one_device(bridge: Bridge, line: SerialLine) -> None:
    settings = BatterySettings(driver="serial", line="rs485", profile="epever-tracer", address=1)
    async with serving(line, [charge_controller(1)], identity=TRACER):
        reading = await bridge.battery(settings).read()
        assert reading == BatteryReading(
            battery_v=12.8, charge_share=0.87, panel_w=35.5, load_w=20.1, temperature_c=31.5
        )
        lamp = bridge.lamp(
            LampSettings(driver="serial", line="rs485", profile="epever-tracer", address=1), "TG-0001"
        )
        bridge.start()
        lamp.set_level(1.0)
        await until(lambda: lamp.level() == 1.0, what="the load to be on")
        assert (await told(bridge, "board_found"))["firmware"] == "V01.55+V01.22"


async def test_channels_of_a_relay_board_are_several_poles_lamps(bridge: Bridge, line: SerialLine) -> None:
    async with serving(line, [relay_board(9)]):
        lamps = {
            channel: bridge.lamp(
                LampSettings(
                    driver="serial",
                    line="rs485",
                    profile="relay-8",
                    address=9,
                    channel=channel,
                    active_high=channel != 3,
                ),
                f"TG-000{channel}",
            )
            for channel in (1, 2, 3)
        }
        bridge.start()
        assert lamps[1].level() is None or lamps[1].level() == 0.0
        for lamp, level in zip(lamps.values(), (1.0, 0.0, 1.0), strict=True):
            lamp.set_level(level)
        await until(lambda: [lamp.level() for lamp in lamps.values()] == [1.0, 0.0, 1.0], what="the relays")
        last = [request for _, request in line.requests if request[1] == 5]
        assert bytes.fromhex("09 05 00 00 FF 00") in [request[:6] for request in last]
        assert bytes.fromhex("09 05 00 02 00 00") in [request[:6] for request in last] or not any(
            request[3] == 2 for request in last
        ), "at the rest contact the lamp burns with the output off"
        assert (await told(bridge, "board_found"))["firmware"] == "2.00"


async def told(bridge: Bridge, kind: str) -> dict[str, object]:
    def found() -> list[Notice]:
        return [notice for notice in bridge.notices if notice.kind == kind]

    await until(found, what=kind)
    return dict(found()[-1].detail)


def test_a_profile_that_lacks_the_role_is_refused_when_devices_are_built(bridge: Bridge) -> None:
    asks: list[tuple[Callable[[], object], str]] = [
        (lambda: bridge.meter(replaced(pzem(1), "relay-8")), "no energy meter"),
        (lambda: bridge.meter(replaced(pzem(2), "sdm999")), "known are: epever-tracer, lamp-board"),
    ]
    for build, complaint in asks:
        with pytest.raises(DriverError, match=complaint):
            build()


def replaced(settings: MeterSettings, profile: str) -> MeterSettings:
    return MeterSettings(driver="serial", line=settings.line, profile=profile, address=settings.address)


def test_all_shipped_profiles_can_be_read() -> None:
    profiles = Profiles()
    assert [profiles.get(name).name for name in profiles.names()] == profiles.names()
