"""How a chart's time is cut into intervals: the same for every store."""

from __future__ import annotations

from datetime import datetime


def unix_ms(moment: datetime) -> int:
    """Unix milliseconds, rounded down."""
    return int(moment.timestamp() * 1000)


def interval_ms(start: datetime, end: datetime, max_points: int) -> int:
    """The interval's length, so that aligned to the Unix epoch at most `max_points` of them are touched.

    Raises ValueError for fewer than two points, or an end that is not after the start.
    """
    span = unix_ms(end) - unix_ms(start)
    if span <= 0:
        raise ValueError("end must be after start")
    if max_points < 2:
        raise ValueError("max_points must be at least 2")
    return max(1, -(-span // (max_points - 1)))
