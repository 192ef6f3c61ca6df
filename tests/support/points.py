"""A telemetry point that says no more than it must, for tests that care for some of its fields only."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.telemetry.port import Point

BARE = Point(
    node="tg-0001",
    epoch="e1",
    seq=7,
    commune="tram-than",
    pole="TG-0001",
    time_ms=1_782_000_000_123,
    received_ms=1_782_000_000_456,
    clock="synced",
    historical=False,
    effect_level=1.0,
    reason="photocell",
    commanded_level=None,
    power_w=None,
    voltage_v=None,
    current_a=None,
    power_factor=None,
    energy_wh=None,
    dark=None,
    cameras=(),
)


def bare_point(**changes: Any) -> Point:
    """A live sample of a lamp that burns, without a meter; `changes` replace its fields."""
    return msgspec.structs.replace(BARE, **changes)
