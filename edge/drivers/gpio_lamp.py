"""A lamp behind a relay on a GPIO pin.

gpiozero turns its pins into inputs when the process ends, however it ends in Python; a killed process
leaves them as they are until the next start. So the relay is wired such that an input lights the road:
docs/edge-wiring.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.drivers.ports import named

if TYPE_CHECKING:
    from gpiozero.pins import Factory


class RelayLamp:
    """On or off: any level above 0 is on, for a road that should be dim must not be dark."""

    def __init__(self, pin: int, *, active_high: bool, pin_factory: Factory | None = None) -> None:
        from gpiozero import DigitalOutputDevice

        self._name = f"lamp relay on GPIO{pin}"
        with named(self._name):
            # None keeps the pin's present state: a restart of the agent does not blink the lamp.
            self._output = DigitalOutputDevice(
                pin, active_high=active_high, initial_value=None, pin_factory=pin_factory
            )

    def set_level(self, level: float) -> None:
        """Switch the relay; raises DriverError."""
        with named(self._name):
            self._output.value = level > 0

    def level(self) -> float:
        """1.0 or 0.0, read back from the pin; raises DriverError."""
        with named(self._name):
            return float(self._output.value)

    def close(self) -> None:
        """Make the pin an input."""
        self._output.close()
