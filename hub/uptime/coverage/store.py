"""Coverage in the database: joined into what is there, never put in its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, select

from hub.bulk import BulkWriter
from hub.uptime.coverage.minutes import Minutes, from_text, no_minutes, with_more
from hub.uptime.tables import coverage_day

Key = tuple[str, str, int]
"""(`lamp` or `camera`, its pole's or its own code, local day)."""

Told = tuple[float, float] | None
"""When (seconds since 1970) a counter stood at how many watt-hours."""

_COLUMNS = (
    "kind",
    "subject",
    "local_day",
    "runs",
    "first_wh_at_s",
    "first_wh",
    "last_wh_at_s",
    "last_wh",
    "revision",
)
_ROWS = BulkWriter(coverage_day, _COLUMNS, key=("kind", "subject", "local_day"))
_AT_ONCE = 500


@dataclass(slots=True)
class Part:
    """What is known of one day, or what is new of it: minutes, first and last word of the energy counter."""

    minutes: Minutes = field(default_factory=no_minutes)
    first_wh: Told = None
    last_wh: Told = None

    def count(self, at_s: float, energy_wh: float) -> None:
        """Take in where the counter stood; the earliest and the latest word of a day are kept."""
        told = (at_s, energy_wh)
        self.first_wh = told if self.first_wh is None else min(self.first_wh, told)
        self.last_wh = told if self.last_wh is None else max(self.last_wh, told)


def write_parts(conn: Connection, parts: Mapping[Key, Part], revision: int) -> None:
    """Join each part into its row. The caller holds the revision's lock, so that no other writer is between."""
    there: dict[Key, str] = {}
    for row in _found(conn, parts):
        key = _key(row)
        there[key] = row.runs
        for told in _counted(row):
            if told is not None:
                parts[key].count(*told)
    _ROWS.write(
        conn,
        [
            (
                *key,
                with_more(there.get(key, ""), part.minutes),
                *_columns(part.first_wh),
                *_columns(part.last_wh),
                revision,
            )
            for key, part in parts.items()
        ],
    )


def read_parts(conn: Connection, keys: Sequence[Key]) -> dict[Key, Part]:
    """The days that are there, of those asked for."""
    return {_key(row): _part(row) for row in _found(conn, keys)}


def last_runs(conn: Connection, keys: Sequence[Key]) -> dict[Key, tuple[int, int]]:
    """The last minute with a sample of each day that is there, and its state."""
    found = {}
    for row in _found(conn, keys):
        minutes = from_text(row.runs)
        last = len(minutes.rstrip(b"\0")) - 1
        if last >= 0:
            found[_key(row)] = (last, minutes[last])
    return found


def _found(conn: Connection, keys: Iterable[Key]) -> Iterator[Row[tuple[object, ...]]]:
    by_day: dict[tuple[str, int], list[str]] = defaultdict(list)
    for kind, subject, day in keys:
        by_day[kind, day].append(subject)
    for (kind, day), subjects in by_day.items():
        for start in range(0, len(subjects), _AT_ONCE):
            yield from conn.execute(
                select(coverage_day).where(
                    coverage_day.c.kind == kind,
                    coverage_day.c.local_day == day,
                    coverage_day.c.subject.in_(subjects[start : start + _AT_ONCE]),
                )
            )


def _columns(told: Told) -> tuple[float | None, float | None]:
    return told or (None, None)


def _key(row: Row[tuple[object, ...]]) -> Key:
    return row.kind, row.subject, row.local_day


def _part(row: Row[tuple[object, ...]]) -> Part:
    return Part(from_text(row.runs), *_counted(row))


def _counted(row: Row[tuple[object, ...]]) -> tuple[Told, Told]:
    """The first and the last word of the counter."""
    first = None if row.first_wh is None else (row.first_wh_at_s, row.first_wh)
    last = None if row.last_wh is None else (row.last_wh_at_s, row.last_wh)
    return first, last
