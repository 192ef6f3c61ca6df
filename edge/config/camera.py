"""A camera and how it is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.config.bounds import Port
from protocol.messages import Code


class CameraSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera whose port is knocked at. `mock` answers without a network."""

    code: Code
    driver: Literal["tcp", "mock"]
    host: Annotated[str, Meta(max_length=253)] | None = None
    port: Port = 554

    def __post_init__(self) -> None:
        """A camera on the network has an address."""
        if self.driver == "tcp" and not self.host:
            raise ValueError('driver = "tcp" needs `host`')
