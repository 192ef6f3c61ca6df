"""Quiet hours and digest moments, in Vietnam's time of day. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

from hub.notify.model import Route

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""UTC+7 without summer time since 1975: no time zone database is needed for it."""

DIGEST_LATE = timedelta(hours=12)
"""A digest that could not go out for so long (the hub was off) waits for the next day."""


def after_quiet(route: Route, at: datetime) -> datetime:
    """`at`, or the end of the route's quiet hours where it falls into them; they may cross midnight."""
    start, end = route.quiet_from, route.quiet_until
    if start is None or end is None or start == end:
        return at
    local = at.astimezone(VIETNAM)
    clock = local.time().replace(tzinfo=None)
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not quiet:
        return at
    day = local.date() + timedelta(days=1 if start > end and clock >= start else 0)
    return _moment(day, end).astimezone(at.tzinfo)


def digest_day(route: Route, now: datetime) -> date | None:
    """The Vietnamese day whose digest is due at `now`; None where none is.

    A route that was made or changed after its hour begins the next day.
    """
    if route.digest_at is None:
        return None
    today = now.astimezone(VIETNAM).date()
    moment = _moment(today, route.digest_at)
    late = now - moment
    return today if timedelta(0) <= late < DIGEST_LATE and route.changed_at <= moment else None


def parse_time(text: str | None) -> time | None:
    """`06:30` → a time of day; raises ValueError for anything else but None."""
    return None if text is None else datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  no date in it


def spoken(at: datetime) -> str:
    """An aware time as `21/11/2026 20:31` in Vietnam."""
    return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def _moment(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, VIETNAM)
