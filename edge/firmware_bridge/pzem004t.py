"""The energy meter PZEM-004T v3: 230 V, 10 A with its own shunt or 100 A with a ring, over Modbus RTU.

Registers: the maker's "PZEM-004T V3.0 User Manual", table 2.3 (9600 baud, 8N1, function 4 from 0x0000).
"""

from __future__ import annotations

from edge.firmware_bridge.modbus_rtu import ModbusLine
from protocol.messages import MeterReading

REGISTERS = 10
"""Voltage, current (2), power (2), energy (2), frequency, power factor, alarm."""


class Pzem004t:
    """One meter on a line; its factory address is 1."""

    def __init__(self, line: ModbusLine, *, address: int) -> None:
        self._line = line
        self._address = address

    async def read(self) -> MeterReading | None:
        """One reading, None when it does not answer; raises DriverError."""
        registers = await self._line.read_input_registers(self._address, 0, REGISTERS)
        return None if registers is None else reading_of(registers)

    def close(self) -> None:
        """Close the line."""
        self._line.close()


def reading_of(registers: list[int]) -> MeterReading:
    """The reading in the ten registers: 0.1 V, 1 mA, 0.1 W, 1 Wh, 0.1 Hz, 0.01; the low word comes first."""
    voltage, current_low, current_high, power_low, power_high, energy_low, energy_high, _, factor, _ = (
        registers
    )
    return MeterReading(
        power_w=(power_high << 16 | power_low) / 10,
        voltage_v=voltage / 10,
        current_a=(current_high << 16 | current_low) / 1000,
        power_factor=factor / 100,
        energy_wh=float(energy_high << 16 | energy_low),
    )
