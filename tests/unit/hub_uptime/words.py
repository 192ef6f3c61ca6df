"""Samples as a node with one lamp and one camera makes them, for the tests of uptime."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.uptime.coverage.states import day_start_s
from protocol import CameraReading, LampCounters, LampReading, MeterReading, Sample

RATED_W = 40.0
DAY = 20_513
"""2026-03-01 in Vietnam."""


def at(clock: str, day: int = DAY) -> float:
    """`18:30` or `18:30:15` local time of a day, as seconds since 1970."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return day_start_s(day) + hours * 3600 + minutes * 60 + (seconds[0] if seconds else 0)


def minute(clock: str) -> int:
    """The minute of the day: `24:00` is its end."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def sample(
    at_s: float,
    *,
    due: bool | None = True,
    level: float = 1.0,
    power_w: float | None = RATED_W,
    reason: str = "sun",
    camera: dict[str, Any] | None = None,
    energy_wh: float | None = None,
    pole: str = "TG-0001",
    seq: int = 1,
) -> Sample:
    """A lit lamp by night, unless told otherwise."""
    return Sample(
        seq=seq,
        pole=pole,
        time=datetime.fromtimestamp(at_s, UTC),
        clock="synced",
        lamp=LampReading(effect_level=level, reason=reason, due=due),
        meter=None if power_w is None else MeterReading(power_w=power_w),
        cameras=[]
        if camera is None
        else [CameraReading(**{"camera": "CAM-TG-01", "reachable": True, **camera})],
        counters=None
        if energy_wh is None
        else LampCounters(burning_s=0, switches=0, energy_wh=energy_wh, supply_losses=0),
    )
