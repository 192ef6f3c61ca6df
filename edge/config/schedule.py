"""When a lamp is due and how bright, as far as `node.toml` says it; the hub's configuration goes before it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from protocol.messages import DimmingStep, Level

OffsetMinutes = Annotated[float, Meta(ge=-120, le=120)]
Rest = Annotated[float, Meta(ge=0, le=600)]


class DimmingStepSettings(DimmingStep, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From this local time of day (UTC+7) on, a due lamp burns at this level."""


class ScheduleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pole's night."""

    dusk_offset_min: OffsetMinutes = 0.0
    """Minutes after the sun's setting at which the lamp is due; negative is earlier."""
    dawn_offset_min: OffsetMinutes = 0.0
    """Minutes after the sun's rising until which the lamp is due; negative is earlier."""
    dimming: Annotated[list[DimmingStepSettings], Meta(max_length=12)] = []
    """The night's profile: full light from dusk until the night's first step."""
    motion_level: Level | None = None
    """What a due lamp is raised to while something moves; absent leaves motion out of it."""
    motion_hold_s: Annotated[float, Meta(ge=1, le=3600)] = 120.0
    min_on_s: Rest = 20.0
    """Once lit, the lamp stays lit at least so long: contactors and LED drivers wear by switching."""
    min_off_s: Rest = 5.0
    """Once out, it stays out at least so long; this is the longest that light for darkness waits."""
