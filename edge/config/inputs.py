"""What a node senses beside the lamp: motion at a pole; door, temperature and mains of its cabinet."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.config.bounds import GpioPin, Seconds
from edge.config.serial_line import MeterSettings

Argument = Annotated[str, Meta(min_length=1, max_length=500)]
PinDriver = Literal["gpio", "mock", "none"]


def _needs_pin(driver: str, pin: int | None) -> None:
    if driver == "gpio" and pin is None:
        raise ValueError('driver = "gpio" needs `pin`')


class MotionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A PIR or radar module at a pole. What motion does to the lamp stands in the pole's schedule."""

    driver: PinDriver = "none"
    pin: GpioPin | None = None
    active_high: bool = True
    """False for modules whose output goes low when something moves."""
    stuck_after_h: Annotated[float, Meta(gt=0, le=168)] = 4.0
    """Motion without a pause for so long is a broken sensor: it is told, and ignored until it rests."""

    def __post_init__(self) -> None:
        """A module hangs on a pin."""
        _needs_pin(self.driver, self.pin)


class DoorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cabinet's door contact, closed while the door is closed."""

    driver: PinDriver = "none"
    pin: GpioPin | None = None
    debounce_s: Seconds = 2.0
    """A word must hold so long: wind rattles doors."""

    def __post_init__(self) -> None:
        """A contact hangs on a pin."""
        _needs_pin(self.driver, self.pin)


class TemperatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cabinet's thermometer: a DS18B20 on the 1-Wire bus, or the processor's own."""

    driver: Literal["ds18b20", "cpu", "mock", "none"] = "none"
    id: Annotated[str, Meta(pattern=r"^28-[0-9a-f]{12}$")] | None = None
    """The sensor's name under /sys/bus/w1/devices; absent takes the only one there."""
    high_c: Annotated[float, Meta(ge=0, le=125)] = 70.0
    hysteresis_c: Annotated[float, Meta(ge=0.5, le=50)] = 5.0
    """`high_temperature` ends this far below `high_c`."""


class SupplySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input that tells whether the mains is there, of a node that a battery carries on for a while."""

    driver: PinDriver = "none"
    pin: GpioPin | None = None
    present_when_high: bool = False
    """False suits an optocoupler that pulls the pin low while there is mains."""
    debounce_s: Seconds = 0.3
    """Shorter gaps are no loss; an optocoupler without a capacitor also blinks at every zero crossing."""
    shutdown_after_s: Annotated[float, Meta(ge=1, le=86_400)] = 60.0
    """Without mains for so long, `shutdown_command` is run; its return before that cancels."""
    shutdown_command: Annotated[list[Argument], Meta(max_length=20)] = []
    """Program and arguments, such as ["systemctl", "poweroff"]; none leaves the node running."""

    def __post_init__(self) -> None:
        """An input hangs on a pin."""
        _needs_pin(self.driver, self.pin)


class CabinetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The box that the node lives in."""

    door: DoorSettings = DoorSettings()
    temperature: TemperatureSettings = TemperatureSettings()
    supply: SupplySettings = SupplySettings()
    phases: Annotated[list[MeterSettings], Meta(max_length=3)] = []
    """The feeder-head's meters, one per phase."""

    def __post_init__(self) -> None:
        """A phase's meter is a real one."""
        if any(phase.driver != "serial" for phase in self.phases):
            raise ValueError('`phases` are meters with driver = "serial"')
