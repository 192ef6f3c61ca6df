"""From coverage to uptime by day: which days are reckoned anew, and their sums written, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from hub.bulk import BulkWriter
from hub.incidents.set_aside import SetAside
from hub.uptime.coverage.states import DAY_S, SLOT_S, SLOTS, day_start_s, local_day_of
from hub.uptime.coverage.store import Key, Part, read_parts
from hub.uptime.daily.places import Place, mark_stale
from hub.uptime.daily.reckoning import SUM_NAMES, Span, Sums, reckon
from hub.uptime.daily.sun import daylight
from hub.uptime.tables import coverage_day, uptime_day

_DAYS = BulkWriter(
    uptime_day, ("place_id", "local_day", *SUM_NAMES, "energy_wh"), key=("place_id", "local_day")
)

DayRow = tuple[Place, int, Sums, int | None]
"""A place, a local day, its seconds, its watt-hours."""


def changed_after(conn: Connection, revision: int, *, limit: int) -> tuple[list[Key], int]:
    """Coverage written after a revision, oldest first, and the revision up to which it is told whole.

    A commit's rows come together, so there may be more than `limit`.
    """
    columns = (
        coverage_day.c.kind,
        coverage_day.c.subject,
        coverage_day.c.local_day,
        coverage_day.c.revision,
    )
    query = select(*columns).where(coverage_day.c.revision > revision).order_by(coverage_day.c.revision)
    rows = conn.execute(query.limit(limit)).all()
    if len(rows) == limit:
        last = rows[-1].revision
        whole = [row for row in rows if row.revision < last]
        rows = whole or list(conn.execute(query.where(coverage_day.c.revision == last)).all())
    return [(row.kind, row.subject, row.local_day) for row in rows], rows[-1].revision if rows else revision


def with_next_days(keys: Iterable[Key], today: int) -> list[Key]:
    """The days and the ones after them: a day's energy counts on from the last word of the day before."""
    found = dict.fromkeys(keys)
    for kind, subject, day in list(found):
        if kind == "lamp" and day < today:
            found[kind, subject, day + 1] = None
    return list(found)


def reckon_days(
    conn: Connection,
    wanted: Sequence[tuple[Place, int]],
    aside: Sequence[SetAside],
    now: datetime,
) -> list[DayRow]:
    """Reckon each day of each place from its coverage as it stands; a day without any is all unknown."""
    keys = {(place.kind, place.code, day - back) for place, day in wanted for back in (0, 1)}
    parts = read_parts(conn, sorted(keys))
    nothing = Part()
    rows: list[DayRow] = []
    for place, day in wanted:
        part = parts.get((place.kind, place.code, day), nothing)
        begin, end = _bounds(place, day, part, now)
        if begin >= end:
            continue
        mine = [one for one in aside if _concerns(one, place)]
        sums = reckon(
            part.minutes,
            daylight=daylight(place.latitude, place.longitude, day) if place.kind == "lamp" else None,
            window=_spans((one for one in mine if not one.blind), day, now),
            blind=_spans((one for one in mine if one.blind), day, now),
            begin=begin,
            end=end,
        )
        energy_wh = energy_of(part, parts.get((place.kind, place.code, day - 1)))
        rows.append((place, day, sums, energy_wh if place.kind == "lamp" else None))
    return rows


def energy_of(part: Part, before: Part | None) -> int | None:
    """A day's watt-hours by the lamp's counter, from the last word of the day before to its own last.

    None where no meter has told. A counter that fell was begun anew: what it says counts from there.
    """
    if part.last_wh is None or part.first_wh is None or part.last_wh[1] <= 0:
        return None
    start = part.first_wh if before is None or before.last_wh is None else before.last_wh
    for begin_wh in (start[1], part.first_wh[1]):
        if part.last_wh[1] >= begin_wh:
            return round(part.last_wh[1] - begin_wh)
    return round(part.last_wh[1])


def write_days(conn: Connection, rows: Sequence[DayRow]) -> None:
    """Put the days in place of what was reckoned before, and mark their communes' sums as stale."""
    _DAYS.write(conn, [(place.id, day, *astuple(sums), wh) for place, day, sums, wh in rows])
    mark_stale(conn, {(place.kind, place.commune, day) for place, day, _, _ in rows})


def days_of(one: SetAside, now: datetime) -> range:
    """The local days that a time set aside touches, up to now."""
    last = min(now, one.ends_at or now)
    return range(local_day_of(one.starts_at.timestamp()), local_day_of(last.timestamp()) + 1)


def concerned(one: SetAside, among: Iterable[Place]) -> list[Place]:
    """The places that it sets aside."""
    return [place for place in among if _concerns(one, place)]


def _concerns(one: SetAside, place: Place) -> bool:
    if one.scope == "hub":
        return True
    if one.commune and one.commune != place.commune:
        return False
    held = {
        "commune": place.commune,
        "hamlet": place.hamlet,
        "feeder": place.feeder,
        "group": place.resident_group,
        "pole": place.pole,
        "node": place.node,
    }
    return one.scope == "commune" or held[one.scope] == one.name


def _bounds(place: Place, day: int, part: Part, now: datetime) -> Span:
    """From the minute since which the place is known, or was first heard, to now or the day's end."""
    since = _minute(place.since_at, day)
    if since > 0:
        first = len(part.minutes) - len(part.minutes.lstrip(b"\0"))
        since = min(since, first)
    until = _minute(now, day)
    return since, until if place.gone_at is None else min(until, _minute(place.gone_at, day))


def _spans(those: Iterable[SetAside], day: int, now: datetime) -> list[Span]:
    spans = [(_minute(one.starts_at, day), _minute_after(one.ends_at or now, day)) for one in those]
    return [span for span in spans if span[0] < span[1]]


def _minute(moment: datetime, day: int) -> int:
    return min(max(int(moment.timestamp() - day_start_s(day)) // SLOT_S, 0), SLOTS)


def _minute_after(moment: datetime, day: int) -> int:
    """A minute that was set aside in part is set aside."""
    return _minute(moment + timedelta(seconds=SLOT_S - 1), day)


def day_span(day: int) -> tuple[datetime, datetime]:
    """A local day as aware UTC times, from its first moment to before the next day's."""
    begin_s = day_start_s(day)
    return datetime.fromtimestamp(begin_s, UTC), datetime.fromtimestamp(begin_s + DAY_S, UTC)
