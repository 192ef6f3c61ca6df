"""Device profiles: what a device is, in a file. The reference for its keys is docs/firmware-bridge.md.

A new meter is one such file and its example frames beside it, no code.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct

from edge.config.serial_line import Address, Baud, Parity
from edge.drivers.ports import DriverError
from edge.firmware_bridge.values import Block, Register, Value

SHIPPED = Path(__file__).parent / "profiles"
EXAMPLES = ".examples.toml"
"""A profile's example frames stand in `<name>.examples.toml` beside it."""


class ProfileError(DriverError):
    """A profile can't be used. The text names the file and what is wrong in it."""


class MeterRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a `MeterReading`."""

    power_w: Value
    voltage_v: Value | None = None
    current_a: Value | None = None
    power_factor: Value | None = None
    energy_wh: Value | None = None
    frequency_hz: Value | None = None
    reset_energy_function: Annotated[int, Meta(ge=0x41, le=0x7F)] | None = None
    """The maker's own function, without parameters, that sets `energy_wh` to 0."""


class BatteryRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a `BatteryReading`."""

    battery_v: Value
    charge_share: Value | None = None
    panel_w: Value | None = None
    load_w: Value | None = None
    temperature_c: Value | None = None


class BoardRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a lamp board tells of itself."""

    uptime_s: Value | None = None
    temperature_c: Value | None = None
    faults: Value | None = None
    fault_names: list[str] = []
    """By bit, from bit 0; an empty name is a bit that means no fault."""
    serial_number: Value | None = None


class LampRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Outputs that switch or dim lamps; channel 1 is the first."""

    channels: Annotated[int, Meta(ge=1, le=64)] = 1
    write_function: Literal[5, 6, 15, 16]
    write_first: Register
    """The coil or holding register of channel 1."""
    read_function: Literal[1, 3, 4]
    read_first: Register
    """Where channel 1's output is read back."""
    full: Annotated[int, Meta(ge=1, le=0xFFFF)] = 1
    """The register's value at full light; coils leave it at 1."""
    safe_level_register: Register | None = None
    """Holding register of the level that the board takes when the host falls silent."""
    hold_s_register: Register | None = None
    """Holding register of the seconds after which it does."""

    def __post_init__(self) -> None:
        """Coils are switched, registers are set."""
        if self.switches != (self.read_function == 1):
            raise ValueError("coils are written by 5 or 15 and read by 1; registers by 6 or 16, and 3 or 4")
        if (self.safe_level_register is None) != (self.hold_s_register is None):
            raise ValueError("`safe_level_register` and `hold_s_register` belong together")

    @property
    def switches(self) -> bool:
        """Whether the outputs know on and off only."""
        return self.write_function in (5, 15)

    def raw(self, level: float) -> int:
        """A level as the board writes it."""
        return int(level > 0) if self.switches else round(level * self.full)

    def level(self, raw: int) -> float:
        """What the board wrote, as a level."""
        return min(1.0, raw / self.full)

    def read_block(self) -> Block:
        """The outputs of all channels."""
        return Block(function=self.read_function, first=self.read_first, count=self.channels)


class Firmware(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the firmware's version stands."""

    identification: Annotated[int, Meta(ge=0, le=6)] | None = None
    """The object of function 0x2B."""
    register: Register | None = None
    function: Literal[3, 4] = 4
    format: Literal["bytes", "hundredths"] = "bytes"
    """`bytes`: 0x0102 is 1.2; `hundredths`: 200 is 2.00."""

    def __post_init__(self) -> None:
        """One place."""
        if (self.identification is None) == (self.register is None):
            raise ValueError("give either `identification` or `register`")

    def written(self, word: int) -> str:
        """The version in its register, for people."""
        return f"{word >> 8}.{word & 0xFF}" if self.format == "bytes" else f"{word / 100:.2f}"


class Sign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By this a device is recognised: a value within bounds, or a word in its own name."""

    value: Value | None = None
    low: float = float("-inf")
    high: float = float("inf")
    identification: Annotated[str, Meta(min_length=2)] | None = None
    """Stands in what function 0x2B tells, in capital or small letters."""

    def __post_init__(self) -> None:
        """One of the two."""
        if (self.value is None) == (self.identification is None):
            raise ValueError("give either `value` or `identification`")


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of device."""

    title: Annotated[str, Meta(min_length=1, max_length=80)]
    source: Annotated[str, Meta(min_length=1)]
    """The document that the registers were taken from."""
    baud: Baud = 9600
    """As it leaves the factory."""
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    address: Address = 1
    address_register: Register | None = None
    """Holding register that sets the address, by function 6."""
    reads: list[Block] = []
    signs: Annotated[list[Sign], Meta(min_length=1)]
    meter: MeterRole | None = None
    battery: BatteryRole | None = None
    lamp: LampRole | None = None
    board: BoardRole = BoardRole()
    firmware: Firmware | None = None
    name: str = ""
    """The file's name; not written in it."""

    def __post_init__(self) -> None:
        """Every value is read, and no two questions have replies that could be mistaken for each other."""
        shapes = [(block.function, block.count) for block in self.reads]
        if len(set(shapes)) < len(shapes):
            raise ValueError(
                "two `reads` of one function have the same count: a late reply could be mistaken"
            )
        for value in self._all_values():
            if not any(value.within(block) for block in self.reads):
                raise ValueError(
                    f"no `reads` covers function {value.function}, register {value.register:#06x}"
                )

    def blocks(self, values: Iterable[Value]) -> list[Block]:
        """What must be read for these values, each block once."""
        wanted = list(values)
        return [block for block in self.reads if any(value.within(block) for value in wanted)]

    def _all_values(self) -> list[Value]:
        values = [
            value for role in (self.meter, self.battery, self.board) for value in values_of(role).values()
        ]
        return values + [sign.value for sign in self.signs if sign.value is not None]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The profile in a file; raises ProfileError."""
        try:
            profile = msgspec.toml.decode(path.read_bytes(), type=cls)
        except OSError as error:
            raise ProfileError(f"{path}: cannot be read: {error.strerror}") from None
        except msgspec.ValidationError as error:
            raise ProfileError(
                f"{path}: {error}. The keys are explained in docs/firmware-bridge.md"
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProfileError(f"{path}: is not TOML: {error}") from None
        return msgspec.structs.replace(profile, name=path.stem)


def values_of(role: MeterRole | BatteryRole | BoardRole | None) -> dict[str, Value]:
    """The values that the device has in this role, by name."""
    found = {} if role is None else msgspec.structs.asdict(role)
    return {name: value for name, value in found.items() if isinstance(value, Value)}


class Profiles:
    """The shipped profiles, and those of a folder of one's own, which come first."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folders = [SHIPPED] if folder is None else [folder, SHIPPED]
        self._known: dict[str, Profile] = {}

    def names(self) -> list[str]:
        """All that can be had, in alphabetical order."""
        files = (path.name for folder in self._folders for path in folder.glob("*.toml"))
        return sorted({name.removesuffix(".toml") for name in files if not name.endswith(EXAMPLES)})

    def get(self, name: str) -> Profile:
        """One profile by its file's name without `.toml`; raises ProfileError."""
        if name not in self._known:
            paths = [folder / f"{name}.toml" for folder in self._folders]
            path = next((path for path in paths if path.exists()), None)
            if path is None:
                known = ", ".join(self.names())
                raise ProfileError(f"there is no device profile {name!r}; known are: {known}")
            self._known[name] = Profile.read(path)
        return self._known[name]
