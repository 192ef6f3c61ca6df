"""Keeps uptime by day right beside the ingest: follows coverage, appointments and blind times, closes days."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

import structlog
from sqlalchemy import Connection, Engine, delete
from sqlalchemy.exc import SQLAlchemyError

from hub.db import reading
from hub.incidents.set_aside import SetAside, failures_after, set_aside, set_aside_after
from hub.logs import first_line
from hub.registry.reads import revision
from hub.revision import latest_revision
from hub.uptime.coverage.keeper import KEEP_DAYS
from hub.uptime.coverage.states import local_day_of
from hub.uptime.coverage.store import Key
from hub.uptime.daily.adding import add_up_areas
from hub.uptime.daily.failing import KIND_OF_FAILURE, Failing, write_failures
from hub.uptime.daily.places import Place, cursor, places, refresh, set_cursor
from hub.uptime.daily.rolling import (
    changed_after,
    concerned,
    day_span,
    days_of,
    reckon_days,
    with_next_days,
    write_days,
)
from hub.uptime.tables import coverage_day

ROWS_AT_ONCE = 250
"""A transaction of the roller holds the database for no longer than these take to write."""

AREAS_AT_ONCE = 400
EVERY_S = 30.0
HOURLY_S = 3600.0
CLOSES_AFTER_S = 900.0
"""So long after midnight a day is closed: what came late within that is in it at once."""

_ADVISORY_KEY = 0x6E67_6F6E_7570_74  # "ngonupt"

_log = structlog.get_logger(__name__)


class Roller:
    """`step` brings everything up to date once; `run` does so twice a minute until `stop`."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self._now = now
        self._places: dict[tuple[str, str], Place] | None = None
        self._next_hourly: datetime | None = None
        self._stop = threading.Event()
        self._trouble = False

    def run(self) -> None:
        """Follow until stopped; a database that fails is tried again."""
        while not self._stop.is_set():
            self._step_in_turn()
            self._stop.wait(EVERY_S)

    def stop(self) -> None:
        """Let `run` end after the transaction at hand; what is left is done at the next start."""
        self._stop.set()

    def step(self) -> None:
        """Follow all that has changed, close days that are over, add up the areas."""
        now = self._now()
        known = self._known(now)
        with self._reads.connect() as conn:
            # The revision first: what is set aside up to there is surely among what is read after it.
            upto = latest_revision(conn)
            aside = set_aside(conn, *self._kept(now))
        self._follow_coverage(known, aside, now)
        self._follow_set_aside(known, aside, now, upto)
        self._close_days(known, aside, now)
        self._look_at_today(known, aside, now)
        self._follow_failures(now)
        while not self._stop.is_set():
            with self._engine.begin() as conn:
                if add_up_areas(conn, limit=AREAS_AT_ONCE) < AREAS_AT_ONCE:
                    break

    def _step_in_turn(self) -> None:
        try:
            with _turn(self._engine) as mine:
                if mine:
                    self.step()
        except SQLAlchemyError as error:
            self._places = None
            if not self._trouble:
                _log.error("uptime_roller_failed", error=first_line(error))
            self._trouble = True
        else:
            if self._trouble:
                _log.info("uptime_roller_back")
            self._trouble = False

    def _known(self, now: datetime) -> dict[tuple[str, str], Place]:
        with self._reads.connect() as conn:
            stale = self._places is None or _registry_moved(conn)
        if stale or self._places is None:
            with self._engine.begin() as conn:
                refresh(conn, now)
                self._places = {(one.kind, one.code): one for one in places(conn)}
        return self._places

    def _follow_coverage(
        self, known: dict[tuple[str, str], Place], aside: Sequence[SetAside], now: datetime
    ) -> None:
        today = local_day_of(now.timestamp())
        while not self._stop.is_set():
            with self._reads.connect() as conn:
                seen = cursor(conn, "coverage") or 0
                keys, upto = changed_after(conn, seen, limit=ROWS_AT_ONCE)
            if upto == seen:
                return
            self._reckon(_placed(known, with_next_days(keys, today)), aside, now)
            with self._engine.begin() as conn:
                set_cursor(conn, "coverage", upto)

    def _follow_set_aside(
        self, known: dict[tuple[str, str], Place], aside: Sequence[SetAside], now: datetime, upto: int
    ) -> None:
        with self._reads.connect() as conn:
            changed = set_aside_after(conn, cursor(conn, "set_aside") or 0)
        if not changed:
            return
        oldest = local_day_of(now.timestamp()) - KEEP_DAYS
        for one in changed:
            for day in days_of(one, now):
                if day >= oldest and one.starts_at <= now:
                    self._reckon(((place, day) for place in concerned(one, known.values())), aside, now)
        with self._engine.begin() as conn:
            set_cursor(conn, "set_aside", min(upto, max(one.revision for one in changed)))

    def _follow_failures(self, now: datetime) -> None:
        while not self._stop.is_set():
            with self._reads.connect() as conn:
                seen = cursor(conn, "failures") or 0
                changed, upto = failures_after(conn, seen, kinds=KIND_OF_FAILURE, limit=ROWS_AT_ONCE)
            if upto == seen:
                return
            # The places after the incidents: whatever could fail by then is among them.
            failing = Failing(self._known(now).values())
            with self._engine.begin() as conn:
                write_failures(conn, changed, failing)
                set_cursor(conn, "failures", upto)

    def _close_days(
        self, known: dict[tuple[str, str], Place], aside: Sequence[SetAside], now: datetime
    ) -> None:
        """Reckon yesterday to its end for every pole, heard or not, and let the oldest coverage go."""
        over = local_day_of(now.timestamp() - CLOSES_AFTER_S) - 1
        with self._reads.connect() as conn:
            closed = cursor(conn, "closed")
        if closed is None:
            closed = over  # a new hub: nothing before it is its business
        for day in range(max(closed + 1, over - KEEP_DAYS + 1), over + 1):
            self._reckon(((place, day) for place in _there(known.values(), day)), aside, now)
            closed = day
            if self._stop.is_set():
                return
        with self._engine.begin() as conn:
            if cursor(conn, "closed") != closed:
                conn.execute(delete(coverage_day).where(coverage_day.c.local_day < over - KEEP_DAYS))
                set_cursor(conn, "closed", closed)

    def _look_at_today(
        self, known: dict[tuple[str, str], Place], aside: Sequence[SetAside], now: datetime
    ) -> None:
        """Once an hour, the silent ones too: their silence grows without a word."""
        if self._next_hourly is not None and 0 <= (self._next_hourly - now).total_seconds() <= HOURLY_S:
            return
        today = local_day_of(now.timestamp())
        self._reckon(((place, today) for place in _there(known.values(), today)), aside, now)
        self._next_hourly = datetime.fromtimestamp(now.timestamp() + HOURLY_S, now.tzinfo)

    def _reckon(
        self, wanted: Iterable[tuple[Place, int]], aside: Sequence[SetAside], now: datetime
    ) -> None:
        waiting = iter(wanted)
        while not self._stop.is_set() and (chunk := list(islice(waiting, ROWS_AT_ONCE))):
            # Reckoned outside the write: the ingest waits only for the rows.
            with self._reads.connect() as conn:
                rows = reckon_days(conn, chunk, aside, now)
            with self._engine.begin() as conn:
                write_days(conn, rows)

    @staticmethod
    def _kept(now: datetime) -> tuple[datetime, datetime]:
        oldest = local_day_of(now.timestamp()) - KEEP_DAYS - 1
        return day_span(oldest)[0], now


def _registry_moved(conn: Connection) -> bool:
    return cursor(conn, "registry") != revision(conn)


def _placed(known: dict[tuple[str, str], Place], keys: Sequence[Key]) -> list[tuple[Place, int]]:
    found = ((known.get((kind, subject)), day) for kind, subject, day in keys)
    return [(place, day) for place, day in found if place is not None]


def _there(among: Iterable[Place], day: int) -> Iterable[Place]:
    """The places that were known and not gone on that day."""
    begin, end = day_span(day)
    return (one for one in among if one.since_at < end and (one.gone_at is None or one.gone_at > begin))


@contextmanager
def _turn(engine: Engine) -> Iterator[bool]:
    """Whether this is the one that follows now: where several ingests share a PostgreSQL, one does for all."""
    if engine.dialect.name != "postgresql":
        yield True
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        mine = bool(conn.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (_ADVISORY_KEY,)).scalar())
        try:
            yield mine
        finally:
            if mine:
                conn.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (_ADVISORY_KEY,))
