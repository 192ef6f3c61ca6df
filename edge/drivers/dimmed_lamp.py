"""A lamp that is dimmed by the duty cycle of one pin: directly (PWM), or through a PWM to 0–10 V converter.

A pin left as an input must light the road here too. A pull-up on the PWM side does it, and a 0–10 V input
that is left open goes to full by itself: docs/edge-wiring.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from edge.drivers.ports import DriverError, LampDriver, named

if TYPE_CHECKING:
    from gpiozero.pins import Factory

Curve = Sequence[tuple[float, float]]
"""Points (level, duty cycle), both 0.0 … 1.0 and rising; straight lines between them."""

STRAIGHT: Curve = ((0.0, 0.0), (1.0, 1.0))


def duty_at(curve: Curve, level: float) -> float:
    """The duty cycle for a level; below the first point and above the last it stays at theirs."""
    if level <= curve[0][0]:
        return curve[0][1]
    for (from_level, from_duty), (to_level, to_duty) in pairwise(curve):
        if level <= to_level:
            return from_duty + (to_duty - from_duty) * (level - from_level) / (to_level - from_level)
    return curve[-1][1]


class DimmedLamp:
    """Drives `curve`'s duty cycle. A level above 0 but below `min_level`, where lamps flicker, is raised to it.

    Level 0 is duty 0; with a `relay`, the lamp's supply is cut as well. A lamp is dimmed before its relay
    closes, so that the contact meets the smallest inrush, and it is cut before its dimmer falls to 0.
    """

    def __init__(
        self,
        pin: int,
        *,
        active_high: bool,
        frequency_hz: int,
        min_level: float,
        curve: Curve = STRAIGHT,
        relay: LampDriver | None = None,
        pin_factory: Factory | None = None,
    ) -> None:
        from gpiozero import PWMOutputDevice

        self._name = f"dimmer on GPIO{pin}"
        self._min_level = min_level
        self._curve = curve
        self._relay = relay
        self._wish: float | None = None
        self._driven: float | None = None
        with named(self._name):
            # PWM can't be begun without a value: full until the first decision, milliseconds later.
            self._output = PWMOutputDevice(
                pin,
                active_high=active_high,
                initial_value=duty_at(curve, 1.0),
                frequency=frequency_hz,
                pin_factory=pin_factory,
            )

    def set_level(self, level: float) -> None:
        """Dim to the level; raises DriverError."""
        if level == self._wish:
            # A level that was raised to `min_level` is asked for again at each step.
            return
        self._wish = None
        driven = 0.0 if level <= 0 else max(level, self._min_level)
        if driven == 0 and self._relay is not None:
            self._relay.set_level(0.0)
        with named(self._name):
            self._output.value = duty_at(self._curve, driven) if driven > 0 else 0.0
        if driven > 0 and self._relay is not None:
            self._relay.set_level(1.0)
        self._wish, self._driven = level, driven

    def level(self) -> float | None:
        """The level in effect; raises DriverError when the pin or the relay is lost."""
        if self._output.closed:
            raise DriverError(f"{self._name}: it is closed")
        if self._relay is not None:
            self._relay.level()
        return self._driven

    def close(self) -> None:
        """Make the pins inputs."""
        self._output.close()
        if self._relay is not None:
            self._relay.close()
