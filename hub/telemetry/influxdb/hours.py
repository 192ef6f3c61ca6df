"""Sums per pole and hour in InfluxDB, made by the hub itself: for the charts of months and years.

No version's own downsampling serves them all: continuous queries are 1.x's, tasks need Flux, 3 Core
has none of the two. So the hub marks each hour that points fall into (`hour_due`, before it writes
them), and once the hour is over makes the sums with one query over all its poles, writes them
(`pole_hour`) and takes the mark away. All this is the same when done twice, and the marks are in
InfluxDB: a hub that dies goes on where it was. `hours_from` says from when on hours are whole; before
that, charts are made from samples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog

from hub.telemetry.influxdb.server import (
    Answer,
    DatabaseMissingError,
    InfluxServer,
    RightsMissingError,
    quoted,
)
from hub.telemetry.line_protocol import POLE_SAMPLE, tag
from hub.telemetry.port import Point, StoreUnavailableError
from hub.telemetry.retention import DAY_MS, HOUR_MS, MINUTE_MS

FIELDS = ("power_w", "voltage_v", "effect_level", "camera_reachable")
EVERY_MS = 5 * MINUTE_MS
"""Between two looks at what is due."""
_GRACE_MS = 2 * MINUTE_MS
_HOURS_AT_ONCE = 24
_LINES_AT_ONCE = 5000
_DATABLE = '("synced" = true OR "historical" = false)'
_SUMS = ", ".join(f'sum("{name}") AS "{name}_sum", count("{name}") AS "{name}_n"' for name in FIELDS)
_SUMS_OF_SUMS = ", ".join(
    f'sum("{name}_sum") AS "{name}_sum", sum("{name}_n") AS "{name}_n"' for name in FIELDS
)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Slot:
    """Sum and number per field of FIELDS, of one interval that begins at `start_ms`."""

    start_ms: int
    sums: list[float]
    numbers: list[float]

    def add(self, other: Slot, sign: int = 1) -> None:
        """Add another's sums, or take them away."""
        self.sums = [mine + sign * its for mine, its in zip(self.sums, other.sums, strict=True)]
        self.numbers = [mine + sign * its for mine, its in zip(self.numbers, other.numbers, strict=True)]

    def means(self) -> list[float | None]:
        """The mean per field; None where there was nothing."""
        pairs = zip(self.sums, self.numbers, strict=True)
        return [total / number if number > 0 else None for total, number in pairs]


class Hours:
    """The hours of one database. `clock` gives Unix seconds. One thread marks and makes; any may read."""

    def __init__(self, server: InfluxServer, clock: Callable[[], float] = time.time) -> None:
        self._server = server
        self._raw = server.address.database
        self._database = server.address.hours_database
        self._clock = clock
        self._path = "/write"
        self._due: dict[int, set[str]] | None = None
        self._next_look_ms = 0

    def open(self, path: str) -> None:
        """Begin to write by `path`: find what an earlier process left marked, and from when on hours
        are whole.

        Raises StoreUnavailableError, as DatabaseMissingError where the set-up was not done.
        """
        self._path = path
        due: dict[int, set[str]] = {}
        for row in self._server.strict_query(
            'SELECT "due" FROM "hour_due" GROUP BY "pole"', self._database
        ):
            if row["due"]:
                due.setdefault(int(row["time"]), set()).add(str(row["pole"]))
        if self.whole_from_ms() is None:
            first_ms = self._first_sample_ms()
            now_hour_ms = int(self._clock() * 1000) // HOUR_MS * HOUR_MS
            self._say_whole_from(0 if first_ms is None else now_hour_ms)
        self._due = due

    @property
    def is_open(self) -> bool:
        """Whether hours are made."""
        return self._due is not None

    def shut(self) -> None:
        """Make no hours until it is opened again."""
        self._due = None

    def mark(self, points: Sequence[Point]) -> None:
        """Say that these points' hours are to be made, before the points are written.

        Raises StoreUnavailableError.
        """
        if self._due is None:
            return
        new: dict[tuple[int, str], None] = {}
        for point in points:
            hour_ms = point.time_ms // HOUR_MS * HOUR_MS
            if point.pole not in self._due.get(hour_ms, ()):
                new[(hour_ms, point.pole)] = None
        if new:
            self._write(_due_line(pole, hour_ms, 1) for hour_ms, pole in new)
            for hour_ms, pole in new:
                self._due.setdefault(hour_ms, set()).add(pole)

    def care(self) -> None:
        """Make the hours that are over, some at a time; never raises: what fails stays marked."""
        now_ms = int(self._clock() * 1000)
        if self._due is None or now_ms < self._next_look_ms <= now_ms + EVERY_MS:
            return
        over = sorted(hour_ms for hour_ms in self._due if hour_ms + HOUR_MS + _GRACE_MS <= now_ms)
        self._next_look_ms = now_ms + EVERY_MS if len(over) <= _HOURS_AT_ONCE else 0
        try:
            for hour_ms in over[:_HOURS_AT_ONCE]:
                self.make(hour_ms, hour_ms + HOUR_MS)
                self._write(_due_line(pole, hour_ms, 0) for pole in self._due[hour_ms])
                del self._due[hour_ms]
        except StoreUnavailableError as error:
            self._next_look_ms = now_ms + EVERY_MS
            _log.warning("telemetry_hours_not_made", error=str(error))

    def make(self, begin_ms: int, end_ms: int) -> int:
        """Make the hours between two whole hours, of all poles; how many. Raises StoreUnavailableError."""
        rows = self._server.query(
            f'SELECT {_SUMS} FROM "{POLE_SAMPLE}"'  # noqa: S608
            f" WHERE time >= {begin_ms}ms AND time < {end_ms}ms AND {_DATABLE}"
            ' GROUP BY time(1h), "pole" fill(none)',
            self._raw,
        )
        self._write(filter(None, map(_hour_line, rows)))
        return len(rows)

    def make_all(self, progress: Callable[[int, int], None]) -> int:
        """Make the hours of all samples that are older than `whole_from_ms`; how many hours were made.

        `progress` is told days done and days in all. Raises StoreUnavailableError.
        """
        whole_from_ms, first_ms = self.whole_from_ms(), self._first_sample_ms()
        if not whole_from_ms or first_ms is None:
            return 0
        begin_ms = first_ms // DAY_MS * DAY_MS
        days = -(-(whole_from_ms - begin_ms) // DAY_MS)
        made = 0
        for day in range(days):
            at_ms = begin_ms + day * DAY_MS
            made += self.make(at_ms, min(at_ms + DAY_MS, whole_from_ms))
            progress(day + 1, days)
        self._say_whole_from(0)
        return made

    def whole_from_ms(self) -> int | None:
        """From when on hours are whole; None where nothing was ever said. Raises StoreUnavailableError."""
        rows = self._server.strict_query(
            'SELECT last("from_ms") AS from_ms FROM "hours_from"', self._database
        )
        return int(rows[0]["from_ms"]) if rows else None

    def chart(self, pole: str, begin_ms: int, end_ms: int, width_ms: int) -> list[Slot] | None:
        """A pole's intervals, a multiple of an hour wide, from hours and from samples where hours are due.

        None where hours do not reach back to `begin_ms`. Raises StoreUnavailableError.
        """
        begin_ms = begin_ms // HOUR_MS * HOUR_MS
        where = f'"pole" = {quoted(pole)} AND time >= {begin_ms}ms AND time < {end_ms}ms'
        whole_from_ms = self.whole_from_ms()
        if whole_from_ms is None or whole_from_ms > begin_ms:
            return None
        slots = {
            slot.start_ms: slot
            for slot in self._slots(
                f'SELECT {_SUMS_OF_SUMS} FROM "pole_hour" WHERE {where}'  # noqa: S608
                f" GROUP BY time({width_ms}ms) fill(none)",
                self._database,
            )
        }
        due = {
            int(row["time"])
            for row in self._server.query(f'SELECT "due" FROM "hour_due" WHERE {where}', self._database)  # noqa: S608
            if row["due"]
        }
        if due:
            for hour, sign in self._hours_due(pole, due):
                start_ms = hour.start_ms // width_ms * width_ms
                slots.setdefault(start_ms, Slot(start_ms, [0.0] * len(FIELDS), [0] * len(FIELDS))).add(
                    hour, sign
                )
        return [slots[start_ms] for start_ms in sorted(slots) if slots[start_ms].numbers[2] > 0]

    def _hours_due(self, pole: str, due: set[int]) -> Iterator[tuple[Slot, int]]:
        """What samples say of the hours that are due, and with −1 what was made of them before."""
        where = f'"pole" = {quoted(pole)} AND time >= {min(due)}ms AND time < {max(due) + HOUR_MS}ms'
        by_hour = "GROUP BY time(1h) fill(none)"
        asked = (
            (f'SELECT {_SUMS} FROM "{POLE_SAMPLE}" WHERE {where} AND {_DATABLE} {by_hour}', self._raw, 1),  # noqa: S608
            (f'SELECT {_SUMS_OF_SUMS} FROM "pole_hour" WHERE {where} {by_hour}', self._database, -1),  # noqa: S608
        )
        for statement, database, sign in asked:
            for slot in self._slots(statement, database):
                if slot.start_ms in due:
                    yield slot, sign

    def _slots(self, statement: str, database: str) -> Iterator[Slot]:
        for row in self._server.query(statement, database):
            sums = [float(row[f"{name}_sum"] or 0) for name in FIELDS]
            yield Slot(int(row["time"]), sums, [float(row[f"{name}_n"] or 0) for name in FIELDS])

    def _first_sample_ms(self) -> int | None:
        rows = self._server.query(f'SELECT first("seq") FROM "{POLE_SAMPLE}"', self._raw)  # noqa: S608
        return int(rows[0]["time"]) if rows else None

    def _say_whole_from(self, from_ms: int) -> None:
        now_ns = int(self._clock() * 1000) * 1_000_000
        self._write([f"hours_from from_ms={from_ms}i {now_ns}"])

    def _write(self, lines: Iterable[str]) -> None:
        waiting = iter(lines)
        while piece := list(islice(waiting, _LINES_AT_ONCE)):
            answer: Answer = self._server.write(self._path, self._database, "\n".join(piece).encode())
            # What is older than hours are kept is refused line by line, and rightly.
            if answer.status in (200, 204) or "retention" in answer.message:
                continue
            if answer.is_about_a_missing_database():
                raise DatabaseMissingError(f"hours: {answer.status} {answer.message}")
            if answer.status in (401, 403) and self._due is None:
                raise RightsMissingError(f"hours: {answer.status} {answer.message}")
            raise StoreUnavailableError(f"hours: {answer.status} {answer.message}", answer.retry_after_s)


def _due_line(pole: str, hour_ms: int, due: int) -> str:
    return f"hour_due,pole={tag(pole)} due={due}i {hour_ms * 1_000_000}"


def _hour_line(row: dict[str, Any]) -> str:
    fields = []
    for name in FIELDS:
        if row[f"{name}_n"]:
            fields += [f"{name}_sum={float(row[f'{name}_sum'])!r}", f"{name}_n={int(row[f'{name}_n'])}i"]
    return (
        f"pole_hour,pole={tag(row['pole'])} {','.join(fields)} {int(row['time']) * 1_000_000}"
        if fields
        else ""
    )
