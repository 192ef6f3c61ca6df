"""Three poles whose nodes tell what a test makes them tell, and the roller under a clock that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, insert

from hub.db import reading
from hub.incidents.tables import incident, maintenance_window
from hub.revision import next_revision
from hub.uptime.coverage.keeper import CoverageKeeper
from hub.uptime.daily.roller import Roller
from hub.uptime.model import Kind, Level, Line, Question, Within
from hub.uptime.reads import Answer, uptime
from protocol import Sample
from tests.support.hub_world import register
from tests.unit.hub_uptime.words import DAY, RATED_W, at, sample

FIRST = date(2026, 3, 1)
LAST = date(2026, 3, 14)
BEFORE = at("12:00", DAY - 1)


def moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


class Commune:
    """TG-0001 with a camera, TG-0002, and TG-0003 that never speaks."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = moment(BEFORE)
        register(engine, 3)
        self.keeper = CoverageKeeper()
        self.roller = Roller(engine, lambda: self.now)
        self.roller.step()

    def hear(self, samples: Iterator[Sample] | list[Sample]) -> None:
        """Samples come, and are committed with all that waited."""
        for one in samples:
            self.keeper.sample(one, one.time.timestamp(), RATED_W)
        for later_s in (0, 3600):
            with self.engine.begin() as conn:
                revision = next_revision(conn)
                self.keeper.write(conn, revision, moment(self.now.timestamp() + later_s))

    def roll(self, at_s: float) -> None:
        self.now = moment(at_s)
        self.roller.step()

    def ask(
        self,
        level: Level = "pole",
        *of: Within,
        kind: Kind = "lamp",
        first: date = FIRST,
        last: date = LAST,
    ) -> Answer:
        with reading(self.engine).connect() as conn:
            return uptime(conn, Question(kind, level, first, last, of))

    def line(self, name: str, level: Level = "pole", **more: Any) -> Line:
        return next(one for one in self.ask(level, **more).lines if one.name == name)

    def opens(
        self,
        kind: str,
        since_s: float,
        until_s: float | None,
        *,
        originator: str = "TG-0001",
        pole: str | None = "TG-0001",
        **more: Any,
    ) -> int:
        """An incident as the database has it; returns its id."""
        with self.engine.begin() as conn:
            values: dict[str, Any] = {
                "kind": kind,
                "originator_type": "pole",
                "originator": originator,
                "pole": pole,
                "since_at": moment(since_s),
                "opened_at": moment(since_s + 60),
                "closed_at": None if until_s is None else moment(until_s),
                "opened_evidence": {},
                "commune": "tram-than",
                "revision": next_revision(conn),
                **more,
            }
            key = conn.execute(insert(incident).values(**values)).inserted_primary_key
            assert key is not None
            return int(key[0])

    def appoint(self, scope: str, name: str, starts_s: float, ends_s: float, **more: Any) -> None:
        """A maintenance window."""
        with self.engine.begin() as conn:
            values: dict[str, Any] = {
                "commune": "tram-than",
                "scope": scope,
                "name": name,
                "starts_at": moment(starts_s),
                "ends_at": moment(ends_s),
                "why": "thay bóng",
                "created_at": moment(starts_s - 60),
                "created_by": "chi-lan",
                "revision": next_revision(conn),
                **more,
            }
            conn.execute(insert(maintenance_window).values(**values))


def nights(
    tells: Callable[[int, int], dict[str, Any] | None],
    *,
    days: range = range(1, 15),
    **always: Any,
) -> Iterator[Sample]:
    """A sample a minute of days of March, due from 18 to 6.

    `tells(day, minute)` says what is not as it should be, or None where no sample comes.
    """
    for day in days:
        for minute in range(1440):
            words = tells(day, minute)
            if words is None:
                continue
            due = not 6 * 60 <= minute < 18 * 60
            good: dict[str, Any] = {} if due else {"due": False, "level": 0.0, "power_w": 0.3}
            at_s = at("00:00", DAY + day - 1) + minute * 60
            yield sample(at_s, **{**good, **always, **words})
