"""One moment of the simulated year: its time, the sun's height, and which troubles show now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from simulators.lamp_circuit import LATITUDE, LONGITUDE
from simulators.world import sun_elevation_deg

START = datetime(2026, 1, 1, 5, 0, tzinfo=UTC)
"""Noon in Vietnam."""

SHOWN_HOURS = {
    "voltage sags": (18.0, 22.0),
    "voltage soars": (22.0, 29.0),
    "tapped in the evening": (18.0, 22.0),
    "tapped by day": (9.0, 15.0),
}
"""Local hours in which these troubles are there at all; what ends after 24 goes on past midnight."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`at_s` seconds from the start."""

    at_s: float
    now: datetime
    sun_deg: float

    def shows(self, trouble: str) -> bool:
        """Whether a trouble that comes and goes by the hour is there now; the others always are."""
        return in_hours(SHOWN_HOURS.get(trouble), self.at_s)


def in_hours(hours: tuple[float, float] | None, at_s: float) -> bool:
    """Whether a moment lies in these local hours; None is all day."""
    if hours is None:
        return True
    hour = local_hour(at_s)
    return hours[0] <= hour < hours[1] or hours[0] <= hour + 24 < hours[1]


def local_hour(at_s: float) -> float:
    """The local hour of day, 0 to 24."""
    return (at_s / 3600 + 12) % 24


def at(seconds: float) -> datetime:
    """Seconds from the start as a time."""
    return START + timedelta(seconds=seconds)


def moment_at(at_s: float) -> Moment:
    """The moment; the sun is asked every five minutes."""
    return Moment(at_s, at(at_s), _sun_deg(int(at_s // 300)))


@lru_cache(maxsize=64)
def _sun_deg(five_minutes: int) -> float:
    return sun_elevation_deg(LATITUDE, LONGITUDE, at(300.0 * five_minutes))
