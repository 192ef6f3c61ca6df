"""Devices on pymodbus' server: an implementation of the other side that is not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymodbus import ModbusDeviceIdentification
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.lamp_board import LampBoard
from tests.support.serial_line import SerialLine
from tests.support.waiting import until


def registers(address: int, values: Sequence[int]) -> SimData:
    return SimData(address=address, values=list(values), datatype=DataType.REGISTERS)


def meter(unit: int, values: Sequence[int]) -> SimDevice:
    """A meter with input registers from 0 on."""
    return SimDevice(id=unit, simdata=[registers(0, values)])


def relay_board(unit: int, channels: int = 8, version: int = 200) -> SimDevice:
    """Coils from 0, its version in holding register 0x8000."""
    coils = [SimData(address=0, values=[False] * max(16, channels), datatype=DataType.BITS)]
    nothing_bits = [SimData(address=0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(
        id=unit, simdata=(coils, nothing_bits, [registers(0x8000, [version])], [registers(0xFFFF, [0])])
    )


def charge_controller(unit: int) -> SimDevice:
    """An EPEver Tracer with 12.8 V, 87 %, 35.5 W from its panel, 20.1 W to its lamp, 31.5 °C."""
    inputs = [
        registers(0x3100, [1850, 192, 3550, 0, 1280, 277, 3550, 0]),
        registers(0x310C, [1279, 157, 2010, 0]),
        registers(0x3110, [3150, 3300]),
        registers(0x311A, [87]),
    ]
    coils = [SimData(address=0, values=[False] * 16, datatype=DataType.BITS)]
    nothing_bits = [SimData(address=0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(id=unit, simdata=(coils, nothing_bits, [registers(0x9000, [0])], inputs))


TRACER = {
    "VendorName": "EPsolar Tech co., Ltd",
    "ProductCode": "Tracer2210AN",
    "MajorMinorRevision": "V01.55+V01.22",
}


def lamp_board(unit: int, board: LampBoard) -> SimDevice:
    """The project's own board, its firmware played by the simulator's."""

    async def act(
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        wanted: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if wanted is not None:
            pairs = zip(range(address, address + count), wanted, strict=True)
            taken = [board.write(register, int(value)) for register, value in pairs]
            return None if all(taken) else ExcCodes.ILLEGAL_VALUE
        fresh = board.input_registers() if function == 4 else board.holding_registers()
        current[: len(fresh)] = fresh
        return None

    nothing_bits = [SimData(address=0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(
        id=unit,
        simdata=(
            nothing_bits,
            list(nothing_bits),
            [registers(0, board.holding_registers())],
            [registers(0, board.input_registers())],
        ),
        action=act,
    )


class EnergyReset(ModbusPDU):
    """PZEM's own function 0x42: two bytes without parameters, answered by its echo."""

    function_code = 0x42
    rtu_frame_size = 4

    def encode(self) -> bytes:
        return b""

    def decode(self, data: bytes) -> None: ...

    async def datastore_update(self, context: Any, device_id: int) -> ModbusPDU:
        held = await context.async_getValues(device_id, 4, 5, 2)
        if any(held):
            await context.async_setValues(device_id, 16, 5, [0, 0])
        return EnergyReset(dev_id=device_id, transaction_id=self.transaction_id)


@asynccontextmanager
async def serving(
    line: SerialLine, devices: list[SimDevice], *, identity: dict[str, str] | None = None
) -> AsyncIterator[None]:
    """Serve these on a line. `identity` is every unit's: pymodbus keeps one for a server.

    pymodbus 3.16.1 answers for units that it doesn't have, so the line keeps their requests from it.
    """
    line.units = {device.id for device in devices}
    server = ModbusSerialServer(
        devices,
        port=line.device_port,
        baudrate=line.baud,
        identity=_named(identity),
        custom_pdu=[EnergyReset],
    )
    task = asyncio.create_task(server.serve_forever())
    await until(lambda: server.transport is not None, what="the Modbus server")
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
        await asyncio.gather(task, return_exceptions=True)


def _named(identity: dict[str, str] | None) -> ModbusDeviceIdentification:
    """Blank where none is given: pymodbus keeps one identity for the whole process, the last server's too."""
    blank = {
        "VendorName": "",
        "ProductCode": "",
        "MajorMinorRevision": "",
        "ProductName": "",
        "ModelName": "",
    }
    return ModbusDeviceIdentification(info_name={**blank, **(identity or {})})  # type: ignore[no-untyped-call]
