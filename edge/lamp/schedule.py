"""When the road should be lit: the sun at the pole's place, offsets, and the night's profile. Pure.

Times are aware UTC; the profile's hours are local (UTC+7, all of Vietnam, no summer time).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protocol.messages import DimmingStep

LOCAL_OFFSET = timedelta(hours=7)
FULL = 1.0
NIGHT_ELEVATION_DEG = -6.0
"""The end of civil twilight: from here on it is night, whatever a light sensor says."""
DAY_MIN = 24 * 60

Elevation = Callable[[float, float, datetime], float]
"""(latitude, longitude, time) to the sun's height in degrees."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pole stands, degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """One pole's night as it is in force now."""

    place: Place
    dusk_offset_min: float = 0.0
    dawn_offset_min: float = 0.0
    dimming: tuple[DimmingStep, ...] = ()
    motion_level: float | None = None
    motion_hold_s: float = 120.0


@dataclass(frozen=True, slots=True)
class SunWord:
    """What the sun says at a believed time."""

    due: bool
    """The lamp is due by dusk and dawn with their offsets."""
    night: bool
    """Civil twilight is over: no working light sensor calls this day."""


def sun_elevation_deg(latitude: float, longitude: float, now: datetime) -> float:
    """The sun's true height, degrees, without refraction, by astral (after NOAA's solar calculator)."""
    # A hub's tests and the decisions above don't need astral; a Pi loads it once.
    from astral import Observer
    from astral.sun import elevation

    return elevation(Observer(latitude, longitude), now, with_refraction=False)


def sun_word(
    schedule: Schedule, now: datetime, *, unsure_s: float = 0.0, elevation: Elevation = sun_elevation_deg
) -> SunWord:
    """The sun's word at `now`, which may be wrong by `unsure_s` either way: either moment's darkness counts.

    Dusk and dawn are the sun's centre at elevation 0°, without refraction: the lamp is on a few minutes
    before the sun is seen to set.
    """
    moments = [now] if unsure_s == 0 else [now + timedelta(seconds=s) for s in (-unsure_s, unsure_s)]
    place = schedule.place
    return SunWord(
        due=any(_due(schedule, moment, elevation) for moment in moments),
        night=any(
            elevation(place.latitude, place.longitude, moment) <= NIGHT_ELEVATION_DEG for moment in moments
        ),
    )


def profile_level(steps: Sequence[DimmingStep], now: datetime) -> float:
    """The night's level at `now`: full light until the night's first step, then that of the step last passed.

    A night runs from noon to noon, so a step at 01:00 follows one at 23:00.
    """
    minute = _minute_of_night(_local_minute(now))
    passed = [(_minute_of_night(_minutes(step.at)), step.level) for step in steps]
    reached = [step for step in passed if step[0] <= minute]
    return max(reached, key=lambda step: step[0])[1] if reached else FULL


def _due(schedule: Schedule, now: datetime, elevation: Elevation) -> bool:
    place = schedule.place
    # The mean sun tells the evening half of the day from the morning half well enough: offsets end hours
    # before noon and midnight, where it would matter.
    solar_h = (now.hour + now.minute / 60 + place.longitude / 15) % 24
    offset_min = schedule.dusk_offset_min if solar_h >= 12 else schedule.dawn_offset_min
    return elevation(place.latitude, place.longitude, now - timedelta(minutes=offset_min)) <= 0.0


def _local_minute(now: datetime) -> int:
    local = now + LOCAL_OFFSET
    return local.hour * 60 + local.minute


def _minutes(at: str) -> int:
    hours, minutes = at.split(":")
    return int(hours) * 60 + int(minutes)


def _minute_of_night(minute_of_day: int) -> int:
    return (minute_of_day - DAY_MIN // 2) % DAY_MIN
