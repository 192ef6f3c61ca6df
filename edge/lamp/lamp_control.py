"""What a lamp should do now: pure decisions, time as an argument.

A standing override comes first and always ends. Then the photocell, once its word has held; then the sun,
where the clock can be believed; and with none of these the road is lit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Reason = Literal["override", "photocell", "sun", "fail_lit"]

FULL = 1.0
OFF = 0.0


@dataclass(frozen=True, slots=True)
class Override:
    """Someone's wish for a level, with its end on both clocks: whichever comes first ends it."""

    level: float
    until_utc: datetime
    ends_monotonic_s: float
    command: UUID
    issued_at_utc: datetime

    def stands(self, *, now: datetime, monotonic_s: float, clock_synced: bool) -> bool:
        """Whether it is still in force. A wall clock that can't be believed is not asked."""
        if monotonic_s >= self.ends_monotonic_s:
            return False
        return not (clock_synced and now >= self.until_utc)


@dataclass(frozen=True, slots=True)
class PhotocellRules:
    """How long a photocell's word must hold before the lamp follows it, in seconds."""

    dark_after_s: float
    light_after_s: float
    silent_after_s: float = 60.0
    """A sensor that says nothing for so long has no word at all."""


@dataclass(frozen=True, slots=True)
class PhotocellTrack:
    """What has been heard of a photocell: the word believed, and another one that is on trial."""

    believed: bool | None = None
    trial_since_s: float | None = None
    heard_at_s: float | None = None


def follow_photocell(
    track: PhotocellTrack, reading: bool | None, *, monotonic_s: float, rules: PhotocellRules
) -> PhotocellTrack:
    """The track after one more reading (True is dark). The very first word is believed at once."""
    if reading is None:
        silent_s = 0.0 if track.heard_at_s is None else monotonic_s - track.heard_at_s
        return PhotocellTrack() if silent_s >= rules.silent_after_s else track
    if track.believed is None or reading == track.believed:
        return PhotocellTrack(believed=reading, heard_at_s=monotonic_s)
    trial_since_s = monotonic_s if track.trial_since_s is None else track.trial_since_s
    must_hold_s = rules.dark_after_s if reading else rules.light_after_s
    if monotonic_s - trial_since_s >= must_hold_s:
        return PhotocellTrack(believed=reading, heard_at_s=monotonic_s)
    return PhotocellTrack(track.believed, trial_since_s, monotonic_s)


def sun_is_down(latitude: float, longitude: float, now: datetime) -> bool:
    """Whether the sun's centre stands below the horizon: elevation 0°, without refraction, by astral.

    Astral follows NOAA's solar calculator. Without refraction the lamp is on a few minutes before the sun
    is seen to set.
    """
    # A hub's tests and the decisions above don't need astral; a Pi loads it once.
    from astral import Observer
    from astral.sun import elevation

    return elevation(Observer(latitude, longitude), now, with_refraction=False) <= 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The level to drive, and why; `commanded_level` and its end stand there only with an override."""

    level: float
    reason: Reason
    commanded_level: float | None = None
    override_until_utc: datetime | None = None


def decide(*, override: Override | None, dark: bool | None, sun_down: bool | None) -> Decision:
    """Choose among what is known. `override` is one that still stands; `dark` is the believed photocell;
    `sun_down` is None while the clock can't be believed.
    """
    if override is not None:
        return Decision(override.level, "override", override.level, override.until_utc)
    if dark is not None:
        return Decision(FULL if dark else OFF, "photocell")
    if sun_down is not None:
        return Decision(FULL if sun_down else OFF, "sun")
    return Decision(FULL, "fail_lit")
