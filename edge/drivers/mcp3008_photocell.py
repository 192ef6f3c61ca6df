"""A light-dependent resistor on an MCP3008 converter, read over SPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.drivers.ports import DriverError, named

if TYPE_CHECKING:
    from gpiozero.pins import Factory

FULL_SCALE = 1023
"""What a converter that is not there reads. A resistor to ground keeps the brightest day below it."""


class AnaloguePhotocell:
    """Dark below `dark_below`, light above `light_above`; in between, its last word stands.

    Wired so that light raises the voltage (LDR to 3.3 V, resistor to ground): a broken wire reads dark.
    """

    def __init__(
        self, channel: int, *, dark_below: float, light_above: float, pin_factory: Factory | None = None
    ) -> None:
        from gpiozero import MCP3008

        self._name = f"photocell on MCP3008 channel {channel}"
        self._dark_below = dark_below
        self._light_above = light_above
        # Until the first clear word, twilight counts as dark: the road is lit.
        self._dark = True
        with named(self._name):
            self._converter = MCP3008(channel=channel, pin_factory=pin_factory)

    def read(self) -> bool | None:
        """True when dark, None when no converter answers; raises DriverError."""
        if self._converter.closed:
            raise DriverError(f"{self._name}: it is closed")
        with named(self._name):
            value = self._converter.raw_value
        if value >= FULL_SCALE:
            return None
        share = value / FULL_SCALE
        if share < self._dark_below:
            self._dark = True
        elif share > self._light_above:
            self._dark = False
        return self._dark

    def close(self) -> None:
        """Let go of the converter."""
        self._converter.close()
