"""Sensors that are one digital input each: motion modules, a door's contact, the mains' presence.

Every input has a pull that says what a cut wire reads: motion, open door, no mains. Each of these is told,
so that a cut wire is noticed; none of them puts a lamp out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.drivers.ports import named

if TYPE_CHECKING:
    from gpiozero.pins import Factory


class _Pin:
    def __init__(self, what: str, pin: int, *, pull_up: bool, pin_factory: Factory | None) -> None:
        from gpiozero import InputDevice

        self._name = f"{what} on GPIO{pin}"
        with named(self._name):
            self._input = InputDevice(pin, pull_up=pull_up, pin_factory=pin_factory)

    def _at_pull(self) -> bool:
        """Whether the pin stands where its pull puts it, as a pin without a wire does; raises DriverError."""
        with named(self._name):
            # gpiozero calls the level that works against the pull active.
            return not self._input.value

    def close(self) -> None:
        """Let go of the pin."""
        self._input.close()


class MotionInput(_Pin):
    """A PIR or radar module with a push-pull output. A cut wire reads as motion that never ends."""

    def __init__(self, pin: int, *, active_high: bool, pin_factory: Factory | None = None) -> None:
        super().__init__("motion sensor", pin, pull_up=active_high, pin_factory=pin_factory)

    def read(self) -> bool:
        """True while something moves; raises DriverError."""
        return self._at_pull()


class DoorInput(_Pin):
    """A contact to ground that is closed while the door is. A cut wire reads as an open door."""

    def __init__(self, pin: int, *, pin_factory: Factory | None = None) -> None:
        super().__init__("door contact", pin, pull_up=True, pin_factory=pin_factory)

    def read(self) -> bool:
        """True while the door is open; raises DriverError."""
        return self._at_pull()


class MainsInput(_Pin):
    """The output of a module that sees the mains. A cut wire reads as mains lost."""

    def __init__(self, pin: int, *, present_when_high: bool, pin_factory: Factory | None = None) -> None:
        super().__init__("supply input", pin, pull_up=not present_when_high, pin_factory=pin_factory)

    def read(self) -> bool:
        """True while there is mains; raises DriverError."""
        return not self._at_pull()
