"""The node's serial lines, and what hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol, Self

from msgspec import Meta, Struct

LineName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="a serial line's name")]
ProfileName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$", description="a device profile")]
Address = Annotated[int, Meta(ge=1, le=247, description="Modbus address")]
Baud = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
Parity = Literal["none", "even", "odd"]


class SerialLineSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One serial line. All devices on it share its speed and format."""

    name: LineName
    port: Annotated[str, Meta(min_length=1, max_length=200)]
    """The adapter's device; its path under /dev/serial/by-id stays the same when it is plugged in anew."""
    baud: Baud = 9600
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    answer_within_s: Annotated[float, Meta(ge=0.05, le=5)] = 0.3
    """From the request's last byte to the reply's first; the bytes' own time is added."""


class MeterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An energy meter: in one lamp's circuit, or in one phase of a feeder."""

    driver: Literal["serial", "mock", "none"] = "none"
    line: LineName | None = None
    profile: ProfileName | None = None
    address: Address = 1

    def __post_init__(self) -> None:
        """A meter hangs on a line."""
        needs_line(self.driver, self.line, self.profile)


class BatterySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A solar lamp's charge controller."""

    driver: Literal["serial", "mock", "none"] = "none"
    line: LineName | None = None
    profile: ProfileName | None = None
    address: Address = 1

    def __post_init__(self) -> None:
        """A controller hangs on a line."""
        needs_line(self.driver, self.line, self.profile)


def needs_line(driver: str, line: str | None, profile: str | None) -> None:
    """Refuse a serial device without its line or profile; raises ValueError."""
    if driver == "serial" and (line is None or profile is None):
        raise ValueError('driver = "serial" needs `line` and `profile`, such as "rs485" and "sdm120"')


class OnLine(Protocol):
    """Settings of anything that may hang on a line."""

    @property
    def driver(self) -> str:
        """`serial` if it does."""
        ...

    @property
    def line(self) -> str | None:
        """The line's name."""
        ...

    @property
    def profile(self) -> str | None:
        """What kind of device it is."""
        ...

    @property
    def address(self) -> int:
        """Its address on the line."""
        ...


@dataclass(frozen=True, slots=True)
class SerialDevice:
    """One use of one unit: `role` such as `meter` or `lamp channel 2`, for `whom`."""

    line: str | None
    profile: str | None
    address: int
    role: str
    whom: str

    @classmethod
    def of(cls, settings: OnLine, role: str, whom: str) -> Self:
        """The use that these settings make; its line is None where they make none."""
        line = settings.line if settings.driver == "serial" else None
        return cls(line, settings.profile, settings.address, role, whom)


def check_lines(lines: Sequence[SerialLineSettings], devices: Iterable[SerialDevice]) -> None:
    """Refuse lines that stand twice, and units used twice; raises ValueError.

    One unit may have several roles (a charge controller's battery and its load, a relay board's channels),
    but is one kind of device and has each role once.
    """
    for what, names in (("name", [line.name for line in lines]), ("port", [line.port for line in lines])):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"serial line {what} {twice[0]} stands twice")
    profiles: dict[tuple[str, int], str | None] = {}
    uses: dict[tuple[str, int, str], str] = {}
    for device in devices:
        if device.line is None:
            continue
        if device.line not in {line.name for line in lines}:
            raise ValueError(
                f"{device.role} of {device.whom}: no [[serial_lines]] is named {device.line!r}"
            )
        place = f"address {device.address} on serial line {device.line}"
        if profiles.setdefault((device.line, device.address), device.profile) != device.profile:
            raise ValueError(f"{place} has two profiles: it is one device")
        other = uses.setdefault((device.line, device.address, device.role), device.whom)
        if other != device.whom:
            raise ValueError(f"{device.role} at {place} stands twice: for {other} and {device.whom}")
