"""A lamp made of memory: tests and simulators set its faults."""

from __future__ import annotations

from edge.drivers.ports import DriverError


class MockLamp:
    """Remembers its level. `burnt_out` draws nothing, `stuck_on` draws in full, `output_fails` refuses."""

    def __init__(self) -> None:
        self._level: float | None = None
        self.burnt_out = False
        self.stuck_on = False
        self.output_fails = False
        self.closed = False

    def set_level(self, level: float) -> None:
        """Remember the level; raises DriverError while `output_fails`."""
        if self.output_fails:
            raise DriverError("mock lamp: the output refuses")
        self._level = level

    def level(self) -> float | None:
        """The last level set."""
        return self._level

    def glow(self) -> float:
        """How much light and power there really is, 0.0 … 1.0: what a meter would see."""
        if self.burnt_out:
            return 0.0
        return 1.0 if self.stuck_on else self._level or 0.0

    def close(self) -> None:
        """Remember that it was let go."""
        self.closed = True
