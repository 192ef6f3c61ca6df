"""The relay in a camera's supply, on a GPIO pin.

Its safe state is a camera with power: the supply goes over the relay's normally closed contact, so that a
pin left as an input (agent ended, node rebooting) feeds the camera. docs/edge-cameras.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.drivers.ports import named

if TYPE_CHECKING:
    from gpiozero.pins import Factory


class GpioCameraPower:
    """Feeds the camera unless told otherwise."""

    def __init__(self, pin: int, *, cut_when_high: bool, pin_factory: Factory | None = None) -> None:
        from gpiozero import DigitalOutputDevice

        self._name = f"camera relay on GPIO{pin}"
        with named(self._name):
            self._cut = DigitalOutputDevice(
                pin, active_high=cut_when_high, initial_value=False, pin_factory=pin_factory
            )

    def set_powered(self, powered: bool) -> None:
        """Feed the camera or cut it off; raises DriverError."""
        with named(self._name):
            self._cut.value = not powered

    def powered(self) -> bool:
        """Read back from the pin; raises DriverError."""
        with named(self._name):
            return not self._cut.value

    def close(self) -> None:
        """Make the pin an input: the camera is fed."""
        self._cut.close()
