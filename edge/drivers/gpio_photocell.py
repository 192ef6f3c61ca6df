"""A light sensor module with a digital output on a GPIO pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.drivers.ports import DriverError

if TYPE_CHECKING:
    from gpiozero.pins import Factory


class PhotocellInput:
    """Reads dark or light. A broken wire reads dark: the road is lit rather than left dark."""

    def __init__(self, pin: int, *, dark_when_high: bool, pin_factory: Factory | None = None) -> None:
        from gpiozero import GPIOZeroError, InputDevice

        self._error = GPIOZeroError
        self._name = f"photocell on GPIO{pin}"
        try:
            # gpiozero calls an input with a pull-up active when it is low.
            self._input = InputDevice(pin, pull_up=dark_when_high, pin_factory=pin_factory)
        except GPIOZeroError as error:
            raise DriverError(f"{self._name}: {error}") from error
        self._dark_when_high = dark_when_high

    def read(self) -> bool:
        """True when dark; raises DriverError."""
        try:
            active = bool(self._input.value)
        except self._error as error:
            raise DriverError(f"{self._name}: {error}") from error
        return not active if self._dark_when_high else active

    def close(self) -> None:
        """Let go of the pin."""
        self._input.close()
