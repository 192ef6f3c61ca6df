"""A PZEM-004T's registers served by pymodbus, on a line of two pseudo-terminals that a test disturbs."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import tty
from collections.abc import AsyncIterator, Iterator

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.firmware_bridge.modbus_rtu import ModbusLine, ModbusRefusalError
from edge.firmware_bridge.pzem004t import Pzem004t
from protocol.messages import MeterReading
from tests.support.hub_side import eventually

LIT = [2284, 277, 0, 601, 0, 1234, 0, 500, 95, 0]
OUT = [2291, 3, 0, 4, 0, 77, 0, 500, 60, 0]


class Line:
    """Two ends of a serial line. What the meter's end says can be garbled or held back."""

    def __init__(self) -> None:
        self._meter_end, meter_tty = os.openpty()
        self._node_end, node_tty = os.openpty()
        self._ttys = (meter_tty, node_tty)
        for terminal in self._ttys:
            tty.setraw(terminal)
        self.meter_port, self.node_port = os.ttyname(meter_tty), os.ttyname(node_tty)
        self.noise_before_answer = b""
        self.hold = False
        self._held = b""
        self._end_read, self._end_write = os.pipe()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def close(self) -> None:
        os.write(self._end_write, b"x")
        self._thread.join()
        for handle in (self._meter_end, self._node_end, *self._ttys, self._end_read, self._end_write):
            os.close(handle)

    def held(self) -> int:
        return len(self._held)

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([self._meter_end, self._node_end, self._end_read], [], [])
            if self._end_read in ready:
                return
            if self._node_end in ready:
                request = os.read(self._node_end, 512)
                if not self.hold and self._held:
                    # The answer to the request before comes only now.
                    os.write(self._node_end, self._held)
                    self._held = b""
                os.write(self._meter_end, request)
            if self._meter_end in ready:
                answer = os.read(self._meter_end, 512)
                if self.hold:
                    self._held += answer
                else:
                    os.write(self._node_end, self.noise_before_answer + answer)
                    self.noise_before_answer = b""


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


@pytest.fixture
async def meters(line: Line) -> AsyncIterator[tuple[Pzem004t, Pzem004t]]:
    devices = [
        SimDevice(id=unit, simdata=[SimData(address=0, values=registers, datatype=DataType.REGISTERS)])
        for unit, registers in ((1, LIT), (2, OUT))
    ]
    server = ModbusSerialServer(devices, port=line.meter_port, baudrate=9600, ignore_missing_devices=True)
    serving = asyncio.create_task(server.serve_forever())
    await eventually(lambda: server.transport is not None, what="the Modbus server")
    bus = ModbusLine(line.node_port)
    yield Pzem004t(bus, address=1), Pzem004t(bus, address=2)
    bus.close()
    await server.shutdown()  # type: ignore[no-untyped-call]
    await asyncio.gather(serving, return_exceptions=True)


LIT_READING = MeterReading(
    power_w=60.1, voltage_v=228.4, current_a=0.277, power_factor=0.95, energy_wh=1234.0
)


async def test_two_meters_on_one_line_are_read(meters: tuple[Pzem004t, Pzem004t]) -> None:
    lit, out = await asyncio.gather(*(meter.read() for meter in meters))
    assert lit == LIT_READING
    assert out is not None
    assert (out.power_w, out.voltage_v) == (0.4, 229.1)


@pytest.mark.parametrize("noise", [b"\x00", b"\xff\x01", b"\x01\x04", b"\x01\x04\x14\x00"])
async def test_glitch_bytes_before_the_answer_cost_nothing(
    meters: tuple[Pzem004t, Pzem004t], line: Line, noise: bytes
) -> None:
    line.noise_before_answer = noise
    assert await meters[0].read() == LIT_READING


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_meters(
    meters: tuple[Pzem004t, Pzem004t], line: Line
) -> None:
    line.hold = True
    assert await meters[0].read() is None, "silent is unknown, not 0 W"
    await eventually(line.held, what="the answer under way")
    line.hold = False
    out = await meters[1].read()
    assert out is not None
    assert out.power_w == 0.4


async def test_a_refusal_is_an_error_with_its_code(meters: tuple[Pzem004t, Pzem004t], line: Line) -> None:
    bus = ModbusLine(line.node_port)
    with pytest.raises(ModbusRefusalError, match="unit 1 refuses: exception 2"):
        await bus.read_input_registers(1, 500, 10)
    bus.close()
