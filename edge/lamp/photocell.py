"""What a light sensor's word is worth: hysteresis, silence, and a sensor that is stuck. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, degrees, inf, radians, tan

OBLIQUITY_DEG = 23.44
LIGHT_SLACK_S = 3600.0
"""Sensors see light a little before sunrise and after sunset."""
DARK_SLACK_S = 3 * 3600.0
"""Trees and storms make a sensor's night longer; believing it too long only costs electricity."""


@dataclass(frozen=True, slots=True)
class PhotocellRules:
    """How long a photocell's word must hold before the lamp follows it, in seconds."""

    dark_after_s: float
    light_after_s: float
    silent_after_s: float = 60.0
    """A sensor that says nothing for so long has no word at all."""
    longest_light_s: float = inf
    """No day is longer here: a sensor that says light for longer is stuck."""
    longest_dark_s: float = inf


@dataclass(frozen=True, slots=True)
class PhotocellTrack:
    """What has been heard of a photocell: the word believed, since when, and another one that is on trial."""

    believed: bool | None = None
    since_s: float | None = None
    trial_since_s: float | None = None
    heard_at_s: float | None = None
    proven: bool = False
    """It has said both words since the agent started, so it is not stuck at one."""

    def word(self, *, monotonic_s: float, rules: PhotocellRules) -> bool | None:
        """The believed word; None without one, and from a sensor that has said the same for too long."""
        if self.believed is None or self.since_s is None:
            return None
        longest_s = rules.longest_dark_s if self.believed else rules.longest_light_s
        return None if monotonic_s - self.since_s > longest_s else self.believed


def follow_photocell(
    track: PhotocellTrack, reading: bool | None, *, monotonic_s: float, rules: PhotocellRules
) -> PhotocellTrack:
    """The track after one more reading (True is dark). The very first word is believed at once."""
    if reading is None:
        silent_s = 0.0 if track.heard_at_s is None else monotonic_s - track.heard_at_s
        return PhotocellTrack() if silent_s >= rules.silent_after_s else track
    if track.believed is None:
        return PhotocellTrack(reading, monotonic_s, heard_at_s=monotonic_s)
    if reading == track.believed:
        return PhotocellTrack(reading, track.since_s, heard_at_s=monotonic_s, proven=track.proven)
    trial_since_s = monotonic_s if track.trial_since_s is None else track.trial_since_s
    must_hold_s = rules.dark_after_s if reading else rules.light_after_s
    if monotonic_s - trial_since_s >= must_hold_s:
        return PhotocellTrack(reading, monotonic_s, heard_at_s=monotonic_s, proven=True)
    return PhotocellTrack(track.believed, track.since_s, trial_since_s, monotonic_s, track.proven)


def rules_at(
    latitude: float, *, dark_after_s: float, light_after_s: float, doubt_dark: bool = True
) -> PhotocellRules:
    """The rules for a pole at this latitude (degrees): no day and no night is longer than the solstice's."""
    longest_s = longest_day_s(latitude)
    return PhotocellRules(
        dark_after_s,
        light_after_s,
        longest_light_s=longest_s + LIGHT_SLACK_S,
        longest_dark_s=longest_s + DARK_SLACK_S if doubt_dark else inf,
    )


def longest_day_s(latitude: float) -> float:
    """Seconds from sunrise to sunset at the summer solstice, which is also the longest night's length there.

    The sunrise equation, cos H = -tan φ · tan δ; infinite where the sun does not set that day.
    """
    # At a pole the tangent is finite only by rounding; a degree before it the answer is the same.
    cosine = -tan(radians(min(abs(latitude), 89.0))) * tan(radians(OBLIQUITY_DEG))
    return inf if cosine <= -1 else 2 * degrees(acos(cosine)) / 15 * 3600
