"""Which times a hub can believe.

A Pi without a clock battery wakes in 1970 or in last week. A sample that calls its clock synchronised
and still stands outside the plausible window is refused; one that admits an unsynchronised clock may be
filed under its time of arrival, but only when it is live: for a replayed one nobody knows the time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""No node of this project existed before; an earlier time is a clock's fault."""

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far ahead of the hub a synchronised clock may be."""


class TimeVerdict(Enum):
    """What the hub does with a sample's time."""

    USE_SAMPLE_TIME = "use_sample_time"
    USE_ARRIVAL_TIME = "use_arrival_time"
    REFUSE = "refuse"


def judge_time(
    time: datetime, *, now: datetime, clock_synced: bool, historical: bool, known_error_s: float = 0.0
) -> TimeVerdict:
    """Decide under which time a sample is filed; `now` is the hub's clock, aware UTC.

    `known_error_s` widens the window where the hub knows that its own clock is off.
    """
    latest = now + FUTURE_TOLERANCE + timedelta(seconds=known_error_s)
    plausible = EARLIEST <= time <= latest
    if clock_synced:
        return TimeVerdict.USE_SAMPLE_TIME if plausible else TimeVerdict.REFUSE
    if not historical:
        # A live sample left its node seconds ago: arrival is nearer to the truth than a free-running clock.
        return TimeVerdict.USE_ARRIVAL_TIME
    return TimeVerdict.USE_SAMPLE_TIME if plausible else TimeVerdict.REFUSE
