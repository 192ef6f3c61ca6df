"""How a lamp is switched or dimmed, and its light sensor."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.config.bounds import GpioPin, Seconds
from edge.config.serial_line import Address, LineName, ProfileName, needs_line
from protocol.messages import Level

Volts = Annotated[float, Meta(ge=0, le=10)]
Curve = Annotated[tuple[tuple[Level, Volts], ...], Meta(min_length=2, max_length=20)]


class LampSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The output that switches or dims a lamp. `mock` drives nothing and remembers its level."""

    driver: Literal["gpio", "pwm", "analogue", "serial", "mock"]
    """A relay; dimmed by the pin's duty cycle; dimmed by 0–10 V from a converter behind the pin; a board on a
    serial line."""
    pin: GpioPin | None = None
    active_high: bool = True
    """True: a high pin lights the lamp. Wire it so that a pin left as an input lights it too."""
    frequency_hz: Annotated[int, Meta(ge=50, le=10_000)] = 1000
    min_level: Level = 0.1
    """A lamp that is on burns at least so bright: below it, LED drivers flicker."""
    curve: Curve = ((0.1, 1.0), (1.0, 10.0))
    """`analogue`: points (level, volts). The first is the norm's (IEC 60929: 1 V is the least)."""
    relay_pin: GpioPin | None = None
    """`pwm`, `analogue`: a relay that cuts the lamp's supply at level 0."""
    relay_active_high: bool = True
    line: LineName | None = None
    profile: ProfileName | None = None
    address: Address = 1
    channel: Annotated[int, Meta(ge=1, le=64)] = 1
    """`serial`: which of the board's outputs; `active_high` False lights the lamp with the output off."""
    hold_s: Annotated[int, Meta(ge=6, le=3600)] = 60
    """`serial`: the host silent for so long, the board takes `safe_level`; for boards that know a hold time."""
    safe_level: Level = 1.0

    def __post_init__(self) -> None:
        """An output hangs on a pin, and a curve rises."""
        needs_line(self.driver, self.line, self.profile)
        if self.driver not in ("serial", "mock") and self.pin is None:
            raise ValueError(f'driver = "{self.driver}" needs `pin`')
        if any(low >= high for low, high in pairwise(level for level, _ in self.curve)):
            raise ValueError("`curve` must be written from low to high levels, each level once")
        if any(low > high for low, high in pairwise(volts for _, volts in self.curve)):
            raise ValueError("`curve` must not fall: more volts are more light")
        if self.relay_pin is not None and self.driver not in ("pwm", "analogue"):
            raise ValueError('`relay_pin` goes with driver = "pwm" or "analogue"; a relay alone is "gpio"')


class PhotocellSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The light sensor, and how long its word must hold before it is believed."""

    driver: Literal["gpio", "mcp3008", "mock", "none"] = "none"
    pin: GpioPin | None = None
    dark_when_high: bool = True
    channel: Annotated[int, Meta(ge=0, le=7)] = 0
    """`mcp3008`: which of its inputs."""
    dark_below: Level = 0.3
    """`mcp3008`: a share of the full voltage below which it is dark."""
    light_above: Level = 0.4
    """`mcp3008`: and above which it is light; in between the last word stands."""
    dark_after_s: Seconds = 20.0
    """A passing cloud or hand does not light the lamp."""
    light_after_s: Seconds = 180.0
    """Headlights and lightning do not put it out."""
    doubt_dark: bool = True
    """A sensor that says dark for hours longer than any night is stuck, and the sun is asked. False under a
    bridge, where it is dark by day too."""

    def __post_init__(self) -> None:
        """A sensor hangs on a pin, and light begins above dark."""
        if self.driver == "gpio" and self.pin is None:
            raise ValueError('driver = "gpio" needs `pin`')
        if not 0 < self.dark_below < self.light_above:
            raise ValueError("`dark_below` must be above 0 and below `light_above`")
