"""A charge controller that says what it is told to."""

from __future__ import annotations

from protocol.messages import BatteryReading


class MockBattery:
    """`reading` is what it answers; None is a silent one."""

    def __init__(self, reading: BatteryReading | None = None) -> None:
        self.reading: BatteryReading | None = reading or BatteryReading(battery_v=12.8, charge_share=0.9)

    async def read(self) -> BatteryReading | None:
        """The reading it was given."""
        return self.reading

    def close(self) -> None:
        """Nothing to let go of."""
