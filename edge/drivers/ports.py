"""What the agent asks of hardware. Each port has a real driver and a mock beside it in this folder.

Lamps and what hangs on one pin answer at once. Meter, battery, thermometer and camera wait for a line, a
bus or a network, so they are coroutines; the agent puts its own limit on how long it waits for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from protocol.messages import BatteryReading, MeterReading


class DriverError(Exception):
    """A device did not do what it was asked. The text names the device."""


@contextmanager
def named(device: str) -> Iterator[None]:
    """Whatever a pin's libraries raise in here becomes a DriverError that names the device.

    gpiozero has an error base, but lgpio's "GPIO busy" (another process has the pin) and spidev's come through
    it as they are.
    """
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        raise DriverError(f"{device}: {error}") from error


class LampDriver(Protocol):
    """The output that switches or dims one lamp."""

    def set_level(self, level: float) -> None:
        """Drive to 0.0 (off) … 1.0 (full); a relay is on above 0. Raises DriverError."""
        ...

    def level(self) -> float | None:
        """What the output is driven to now; None before the first `set_level`. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the output: the wiring's safe state takes over."""
        ...


class Photocell(Protocol):
    """A light sensor."""

    def read(self) -> bool | None:
        """True when it is dark, None when the sensor does not answer. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the input."""
        ...


class MotionSensor(Protocol):
    """A PIR or radar module."""

    def read(self) -> bool | None:
        """True while something moves, None when the sensor does not answer. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the input."""
        ...


class DoorContact(Protocol):
    """The contact at a cabinet's door."""

    def read(self) -> bool | None:
        """True while the door is open, None when the contact does not answer. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the input."""
        ...


class SupplyInput(Protocol):
    """Whether the mains is there, asked by a node that something else carries on for a while."""

    def read(self) -> bool | None:
        """True while there is mains, None when the input does not answer. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the input."""
        ...


class Thermometer(Protocol):
    """The temperature in a cabinet."""

    async def read(self) -> float | None:
        """°C, None when the sensor does not answer. Raises DriverError."""
        ...


class Meter(Protocol):
    """An energy meter in one lamp's circuit."""

    async def read(self) -> MeterReading | None:
        """One reading, None when the meter is silent (unknown, not 0 W). Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class Battery(Protocol):
    """A solar lamp's charge controller, or a node's own battery."""

    async def read(self) -> BatteryReading | None:
        """One reading, None when it is silent. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


@dataclass(frozen=True, slots=True)
class Reachability:
    """Whether a camera answered, and how fast."""

    reachable: bool
    latency_ms: float | None = None


class CameraProbe(Protocol):
    """Asks one camera whether it is there."""

    async def probe(self) -> Reachability:
        """Knock once. A camera that does not answer is a result, not an error."""
        ...
