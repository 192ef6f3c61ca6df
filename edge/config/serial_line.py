"""What hangs on a serial line."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class MeterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The energy meter in the lamp's circuit."""

    driver: Literal["pzem004t", "mock", "none"] = "none"
    port: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """The serial line's device; several poles' meters may hang on one."""
    address: Annotated[int, Meta(ge=1, le=247)] = 1

    def __post_init__(self) -> None:
        """A meter hangs on a line."""
        if self.driver == "pzem004t" and self.port is None:
            raise ValueError('driver = "pzem004t" needs `port`, such as "/dev/serial0"')
