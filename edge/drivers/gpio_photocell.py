"""A light sensor module with a digital output on a GPIO pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.drivers.ports import named

if TYPE_CHECKING:
    from gpiozero.pins import Factory


class PhotocellInput:
    """Reads dark or light. A broken wire reads dark: the road is lit rather than left dark."""

    def __init__(self, pin: int, *, dark_when_high: bool, pin_factory: Factory | None = None) -> None:
        from gpiozero import InputDevice

        self._name = f"photocell on GPIO{pin}"
        with named(self._name):
            self._input = InputDevice(pin, pull_up=dark_when_high, pin_factory=pin_factory)

    def read(self) -> bool:
        """True when dark; raises DriverError."""
        with named(self._name):
            active = bool(self._input.value)
        # The pull is towards dark, and gpiozero calls the level that works against it active.
        return not active

    def close(self) -> None:
        """Let go of the pin."""
        self._input.close()
