"""Meters and charge controllers on a line: their profile's values as a reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from edge.drivers.ports import DriverError
from edge.firmware_bridge.modbus.frames import bare
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.turns import Ask
from edge.firmware_bridge.profile import Profile, ProfileError, values_of
from edge.firmware_bridge.values import Value, read_words, value_in
from protocol.messages import BatteryReading, MeterReading

T = TypeVar("T", MeterReading, BatteryReading)


def read_values(ask: Ask, profile: Profile, unit: int, values: Mapping[str, Value]) -> dict[str, float]:
    """These values of a unit by name, without those that it doesn't know; raises SilentError."""
    words = read_words(ask, unit, profile.blocks(values.values()))
    found = {name: value_in(words, value) for name, value in values.items()}
    return {name: value for name, value in found.items() if value is not None}


def read_meter(ask: Ask, profile: Profile, unit: int) -> MeterReading:
    """One reading; raises SilentError, ModbusRefusalError, DriverError for values that can't be."""
    if profile.meter is None:
        raise ProfileError(f"device profile {profile.name!r} is of no energy meter")
    return _reading(read_values(ask, profile, unit, values_of(profile.meter)), MeterReading, profile, unit)


def read_battery(ask: Ask, profile: Profile, unit: int) -> BatteryReading:
    """One reading; raises SilentError, ModbusRefusalError, DriverError for values that can't be."""
    if profile.battery is None:
        raise ProfileError(f"device profile {profile.name!r} is of no charge controller")
    return _reading(
        read_values(ask, profile, unit, values_of(profile.battery)), BatteryReading, profile, unit
    )


def reset_energy(ask: Ask, profile: Profile, unit: int) -> None:
    """Set the meter's running total to 0; raises ProfileError where the profile tells of no way."""
    if profile.meter is None or profile.meter.reset_energy_function is None:
        raise ProfileError(f"device profile {profile.name!r} has no `reset_energy_function`")
    ask(bare(unit, profile.meter.reset_energy_function))


class ModbusMeter:
    """An energy meter; silent is unknown, not 0 W."""

    def __init__(self, line: Line, profile: Profile, address: int) -> None:
        if profile.meter is None:
            raise ProfileError(f"device profile {profile.name!r} is of no energy meter")
        self._line, self._profile, self._address = line, profile, address

    async def read(self) -> MeterReading | None:
        """One reading, None when it does not answer; raises DriverError."""
        import asyncio

        job = self._line.do(self._address, lambda ask: read_meter(ask, self._profile, self._address))
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Nothing to let go of: the line is the bridge's to close."""


class ModbusBattery:
    """A solar lamp's charge controller."""

    def __init__(self, line: Line, profile: Profile, address: int) -> None:
        if profile.battery is None:
            raise ProfileError(f"device profile {profile.name!r} is of no charge controller")
        self._line, self._profile, self._address = line, profile, address

    async def read(self) -> BatteryReading | None:
        """One reading, None when it does not answer; raises DriverError."""
        import asyncio

        job = self._line.do(self._address, lambda ask: read_battery(ask, self._profile, self._address))
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Nothing to let go of: the line is the bridge's to close."""


def _reading(fields: Mapping[str, float], type_: type[T], profile: Profile, unit: int) -> T:
    try:
        return msgspec.convert(fields, type_)
    except msgspec.ValidationError as error:
        # A profile of another device, or a register gone wrong: no value at all rather than a wrong one.
        raise DriverError(f"{profile.name} at address {unit}: impossible values: {error}") from None
