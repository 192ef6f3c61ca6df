"""The hub is blind: said once of all its workers together, whoever of them notices it first or last."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from hub.db import reading
from hub.incidents.reads import IncidentView, incidents
from hub.incidents.tables import incident_change
from hub.ingest.committing.commit import Chores, write_batch
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import InMemoryDirectory
from hub.ingest.judging.liveness import Liveness
from hub.ingest.scope import Scope
from hub.ingest.state import load_state
from tests.integration.hub_ingest.words import START, after

pytestmark = pytest.mark.servers


class Mind:
    """What one worker knows and thinks between its commits; `write` is its turn at the database."""

    def __init__(self, engine: Engine, worker: str, now: datetime) -> None:
        self._engine = engine
        with reading(engine).connect() as conn:
            self._state = load_state(conn, now, Scope(worker, {f"xa-{worker}": 1}))
        self._liveness = Liveness()
        self._liveness.adopt(self._state, InMemoryDirectory(), now)

    def tick(self, now: datetime, *, connected: bool) -> None:
        self._now = now
        self._liveness.listening(None, connected=connected)
        self._liveness.tick(Batch(self._state, InMemoryDirectory(), now, 60), now.timestamp())

    def write(self, *, signed: datetime | None = None) -> None:
        sign = {"alive": {"at": (signed or self._now).isoformat(), "broker_connected": False}}
        batch = Batch(self._state, InMemoryDirectory(), self._now, 60)
        with self._engine.begin() as conn:
            write_batch(conn, batch, self._state.watcher.take(), Chores(stats=sign))

    def think(self, now: datetime, *, connected: bool) -> None:
        self.tick(now, connected=connected)
        self.write()


def _blind(engine: Engine) -> list[IncidentView]:
    with reading(engine).connect() as conn:
        return [one for one in incidents(conn, status="all") if one.kind == "hub_blind"]


def _steps(engine: Engine) -> dict[str, int]:
    query = select(incident_change.c.change, func.count()).group_by(incident_change.c.change)
    with reading(engine).connect() as conn:
        return {row.change: row[1] for row in conn.execute(query)}


def test_both_notice_that_the_broker_is_gone(engine: Engine) -> None:
    minds = [Mind(engine, "a", START), Mind(engine, "b", START)]
    for second in range(0, 90, 10):
        for mind in minds:
            mind.think(after(second), connected=False)
    assert [one.closed_at for one in _blind(engine)] == [None]
    for mind in minds:
        mind.think(after(95), connected=True)
    (one,) = _blind(engine)
    assert one.closed_at == after(95)
    assert _steps(engine) == {"opened": 1, "closed": 1}


def test_one_that_began_to_wait_later_adds_no_second_after_the_first_has_ended(engine: Engine) -> None:
    early, late = Mind(engine, "a", START), Mind(engine, "b", START)
    for second in range(0, 80, 10):
        early.think(after(second), connected=False)
        if second >= 20:
            late.think(after(second), connected=False)
    early.think(after(79), connected=True)
    late.think(after(81), connected=False)  # its connection comes a moment later
    late.think(after(83), connected=True)
    (one,) = _blind(engine)
    assert one.closed_at == after(79)
    assert _steps(engine) == {"opened": 1, "closed": 1}


def test_both_find_at_once_that_nobody_was_there(engine: Engine) -> None:
    Mind(engine, "a", START).think(START, connected=True)
    back = START + timedelta(minutes=30)
    first, second = Mind(engine, "a", back), Mind(engine, "b", back)
    first.think(back, connected=True)
    second.think(back + timedelta(seconds=1), connected=True)
    (one,) = _blind(engine)
    assert (one.since_at, one.closed_at) == (START, back)
    assert _steps(engine) == {"opened": 1, "closed": 1}


def test_the_next_time_is_another(engine: Engine) -> None:
    """Also where the last sign of life is a little older than the end of the time before."""
    mind = Mind(engine, "a", START)
    for second in range(0, 80, 10):
        mind.think(after(second), connected=False)
    mind.tick(after(82), connected=True)
    mind.write(signed=after(80))
    back = START + timedelta(minutes=30)
    Mind(engine, "a", back).think(back, connected=True)
    assert len(_blind(engine)) == 2
    assert _steps(engine) == {"opened": 2, "closed": 2}
