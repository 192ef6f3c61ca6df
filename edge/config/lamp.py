"""How a lamp is switched, and its light sensor."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from edge.config.bounds import GpioPin, Seconds


class LampSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The output that switches a lamp. `mock` drives nothing and remembers its level."""

    driver: Literal["gpio", "mock"]
    pin: GpioPin | None = None
    active_high: bool = True
    """True: a high pin lights the lamp. Wire the relay so that a pin left as an input lights it too."""

    def __post_init__(self) -> None:
        """A relay hangs on a pin."""
        if self.driver == "gpio" and self.pin is None:
            raise ValueError('driver = "gpio" needs `pin`')


class PhotocellSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The light sensor, and how long its word must hold before it is believed."""

    driver: Literal["gpio", "mock", "none"] = "none"
    pin: GpioPin | None = None
    dark_when_high: bool = True
    dark_after_s: Seconds = 20.0
    """A passing cloud or hand does not light the lamp."""
    light_after_s: Seconds = 180.0
    """Headlights and lightning do not put it out."""

    def __post_init__(self) -> None:
        """A sensor hangs on a pin."""
        if self.driver == "gpio" and self.pin is None:
            raise ValueError('driver = "gpio" needs `pin`')
