"""Bounds that several settings share, and the one error they all end in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

GpioPin = Annotated[int, Meta(ge=0, le=27, description="BCM number of a pin on the 40-pin header")]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Seconds = Annotated[float, Meta(ge=0, le=3600)]


class ConfigError(Exception):
    """The configuration can't be used. The text names the file, the key and what is expected."""
