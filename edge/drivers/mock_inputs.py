"""Sensors made of memory: a test or a simulator sets what they sense. None is one that does not answer."""

from __future__ import annotations

from protocol.messages import BatteryReading


class MockMotion:
    """Something moves while `moving` says so."""

    def __init__(self, moving: bool | None = False) -> None:
        self.moving = moving

    def read(self) -> bool | None:
        """What was set."""
        return self.moving

    def close(self) -> None:
        """Nothing to let go of."""


class MockDoor:
    """A cabinet's door that a test opens."""

    def __init__(self, is_open: bool | None = False) -> None:
        self.is_open = is_open

    def read(self) -> bool | None:
        """What was set."""
        return self.is_open

    def close(self) -> None:
        """Nothing to let go of."""


class MockSupply:
    """The mains, there while `present` says so."""

    def __init__(self, present: bool | None = True) -> None:
        self.present = present

    def read(self) -> bool | None:
        """What was set."""
        return self.present

    def close(self) -> None:
        """Nothing to let go of."""


class MockThermometer:
    """As warm as `temperature_c` says."""

    def __init__(self, temperature_c: float | None = 30.0) -> None:
        self.temperature_c = temperature_c

    async def read(self) -> float | None:
        """What was set, °C."""
        return self.temperature_c


class MockBattery:
    """A charge controller: `reading` is what it answers."""

    def __init__(self, reading: BatteryReading | None = None) -> None:
        self.reading: BatteryReading | None = reading or BatteryReading(battery_v=12.8, charge_share=0.9)

    async def read(self) -> BatteryReading | None:
        """The reading it was given."""
        return self.reading

    def close(self) -> None:
        """Nothing to let go of."""
