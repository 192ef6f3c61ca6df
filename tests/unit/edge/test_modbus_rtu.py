import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.ports import DriverError
from edge.firmware_bridge.modbus_rtu import ModbusLine, ModbusRefusalError, crc16, find_answer, read_request
from edge.firmware_bridge.pzem004t import reading_of
from protocol.messages import MeterReading


def answer(unit: int, registers: list[int]) -> bytes:
    body = bytes([unit, 4, len(registers) * 2]) + struct.pack(f">{len(registers)}H", *registers)
    return body + crc16(body)


def test_a_request_is_as_the_meters_manual_shows_it() -> None:
    assert read_request(0x01, 0, 10) == bytes.fromhex("01 04 00 00 00 0A 70 0D")


def test_the_check_sum_of_the_specifications_example() -> None:
    assert crc16(bytes.fromhex("02 07")) == bytes.fromhex("41 12")


@given(
    before=st.binary(max_size=20),
    registers=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=12),
    unit=st.integers(1, 247),
)
def test_an_answer_is_found_behind_whatever_noise(before: bytes, registers: list[int], unit: int) -> None:
    found = find_answer(before + answer(unit, registers), unit, len(registers))
    assert found == registers


@given(registers=st.lists(st.integers(0, 0xFFFF), min_size=10, max_size=10), cut=st.integers(0, 24))
def test_half_an_answer_is_none(registers: list[int], cut: int) -> None:
    assert find_answer(answer(1, registers)[:cut], 1, 10) is None


@given(flipped=st.integers(0, 24), bit=st.integers(0, 7))
def test_a_flipped_bit_is_never_a_reading(flipped: int, bit: int) -> None:
    frame = bytearray(answer(1, list(range(10))))
    frame[flipped] ^= 1 << bit
    assert find_answer(bytes(frame), 1, 10) is None


def test_another_units_answer_is_not_ours() -> None:
    assert find_answer(answer(2, [1, 2]) + answer(1, [7, 8]), 1, 2) == [7, 8]
    assert find_answer(answer(2, [1, 2]), 1, 2) is None


def test_a_refusal_names_its_code() -> None:
    body = bytes([1, 0x84, 2])
    with pytest.raises(ModbusRefusalError, match="unit 1 refuses: exception 2"):
        find_answer(b"\x00" + body + crc16(body), 1, 10)


def test_the_registers_become_a_reading_with_units() -> None:
    # 228.4 V, 70.312 A, 16059.2 W, 70,000 Wh, 50.0 Hz, 0.95, no alarm.
    registers = [2284, 70312 & 0xFFFF, 1, 160592 & 0xFFFF, 2, 70000 & 0xFFFF, 1, 500, 95, 0]
    assert reading_of(registers) == MeterReading(
        power_w=16059.2, voltage_v=228.4, current_a=70.312, power_factor=0.95, energy_wh=70000.0
    )


async def test_a_line_that_is_not_there_is_a_drivers_error_and_no_more() -> None:
    line = ModbusLine("/dev/no-such-line")
    with pytest.raises(DriverError, match="serial line /dev/no-such-line"):
        await line.read_input_registers(1, 0, 10)
    line.close()
