"""Reading input registers over Modbus RTU: the one call that the meters on a pole's line need.

Why no library: pymodbus and minimalmodbus take the first byte that arrives for the start of the answer,
so one glitch byte on the line (an RS-485 transceiver that turns round, a lightning flash nearby) costs the
reading each time; and pymodbus accepts an answer that came too late for the request after it. Here the
answer is looked for at every place in what arrived, and the line is emptied before each request.

Frames: Modbus over Serial Line 1.02, 2.5.1 (RTU) and 6.2.2 (CRC-16, polynomial 0xA001 reflected, sent low
byte first); function 4: Modbus Application Protocol 1.1b3, 6.4.
"""

from __future__ import annotations

import asyncio
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from edge.drivers.ports import DriverError

if TYPE_CHECKING:
    import serial

READ_INPUT_REGISTERS = 4
EXCEPTION_BIT = 0x80
ANSWER_WITHIN_S = 0.5
"""A meter answers within 0.1 s; 25 bytes at 9600 baud take 0.03 s."""
NOISE_BYTES = 256
"""More than this without an answer in it is a line that babbles."""


class ModbusRefusalError(DriverError):
    """The device answered that it can't: the text has its exception code."""


def crc16(data: bytes) -> bytes:
    """The check sum of a frame, as it is sent."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def read_request(unit: int, first: int, count: int) -> bytes:
    """The frame that asks `unit` for `count` input registers from `first` on."""
    body = struct.pack(">BBHH", unit, READ_INPUT_REGISTERS, first, count)
    return body + crc16(body)


def find_answer(received: bytes, unit: int, count: int) -> list[int] | None:
    """The registers, where a whole answer of this unit stands anywhere in `received`; None while it does not.

    Raises ModbusRefusalError for the unit's own refusal.
    """
    refusal = bytes([unit, READ_INPUT_REGISTERS | EXCEPTION_BIT])
    head = bytes([unit, READ_INPUT_REGISTERS, count * 2])
    for start in range(len(received)):
        if received.startswith(head, start):
            end = start + 3 + count * 2
            frame, check = received[start:end], received[end : end + 2]
            if crc16(frame) == check:
                return list(struct.unpack(f">{count}H", frame[3:]))
        elif received.startswith(refusal, start):
            frame, check = received[start : start + 3], received[start + 3 : start + 5]
            if len(frame) == 3 and crc16(frame) == check:
                raise ModbusRefusalError(f"Modbus unit {unit} refuses: exception {frame[2]}")
    return None


class ModbusLine:
    """One serial line with any number of units on it; its reads take turns.

    The port is opened at the first read and again after a failure, so that a missing adapter keeps no agent
    from lighting its lamps.
    """

    def __init__(self, port: str, *, baud: int = 9600) -> None:
        self._port = port
        self._baud = baud
        self._serial: serial.Serial | None = None
        self._turn = threading.Lock()
        self._executor = ThreadPoolExecutor(1, "modbus")

    async def read_input_registers(self, unit: int, first: int, count: int) -> list[int] | None:
        """`count` registers of 16 bits; None when the unit does not answer in time.

        Raises DriverError where the port can't be used, ModbusRefusalError where the unit refuses.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._read, unit, first, count)

    def close(self) -> None:
        """Close the port after the read under way; the next read would open it again."""
        with self._turn:
            self._drop()

    def _read(self, unit: int, first: int, count: int) -> list[int] | None:
        import serial

        with self._turn:
            try:
                return self._ask(self._opened(), unit, first, count)
            except (serial.SerialException, OSError) as error:
                self._drop()
                raise DriverError(f"serial line {self._port}: {error}") from error

    def _ask(self, port: serial.Serial, unit: int, first: int, count: int) -> list[int] | None:
        port.reset_input_buffer()
        port.write(read_request(unit, first, count))
        received, deadline_s = b"", time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < deadline_s and len(received) < NOISE_BYTES:
            received += port.read(max(1, port.in_waiting))
            answer = find_answer(received, unit, count)
            if answer is not None:
                return answer
        return None

    def _opened(self) -> serial.Serial:
        import serial

        if self._serial is None:
            self._serial = serial.Serial(self._port, self._baud, timeout=0.05, write_timeout=1.0)
        return self._serial

    def _drop(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None
