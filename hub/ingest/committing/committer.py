"""The ingest's heart: takes what has come, judges it, commits it as one, then confirms it.

One thread does everything that writes, in this order: rows committed → broker acknowledged → nodes told.
A database that fails makes it wait with the same messages in hand; a message that makes the code fail is
set aside alone. Nothing that a node sends ends this loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from hub.db import reading
from hub.incidents.loading import Following
from hub.ingest import reads
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.commit import needs_commit, write_batch
from hub.ingest.committing.log import messages_after
from hub.ingest.committing.room import DiskRoom
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import Directory
from hub.ingest.judging.fast_lane import FastLane, flush, restore
from hub.ingest.judging.judge import take
from hub.ingest.judging.liveness import Liveness
from hub.ingest.link.arrival import Arrival, rejected
from hub.ingest.link.confirm import Confirmer
from hub.ingest.link.port import BrokerLink
from hub.ingest.lock import Fence, IngestRunningError, LeaseLostError
from hub.ingest.scope import ALONE, Scope
from hub.ingest.state import IngestState, load_coverage, load_state
from hub.ingest.told_before import remember_told
from hub.logs import first_line
from hub.settings import IngestSettings

_TICK_S = 0.25
"""A silent node is to be noticed within a second of its deadline, its hold-off included."""

_LONGEST_TAKE_S = 1.0
_REFRESH_AT_MOST_EVERY_S = 0.2
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_DATABASE_TROUBLE = (SQLAlchemyError, IngestRunningError, LeaseLostError)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The hub's time: `now` aware UTC, `monotonic_s` for everything that measures a span."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic_s: Callable[[], float] = time.monotonic


class Committer:
    """`run` until `stop`; `step` is one round, for tests that move the clock themselves."""

    def __init__(
        self,
        engine: Engine,
        lock: Fence,
        link: BrokerLink,
        directory: Directory,
        chores: ChoreList,
        settings: IngestSettings,
        clocks: Clocks,
        *,
        fast: bool = True,
        scope: Scope = ALONE,
    ) -> None:
        """`fast` False sends every message through the slow lane, which must leave the same."""
        self._scope = scope
        self._engine = engine
        self._lock = lock
        self._link = link
        self._directory = directory
        self._chores = chores
        self._settings = settings
        self._clocks = clocks
        self._liveness = Liveness()
        self._reader = reading(engine)
        self._room = DiskRoom(engine, settings.disk_reserve_mb * 1_000_000)
        self._following = Following(self._reader)
        self._stop = threading.Event()
        self._conn: Connection | None = None
        self._state: IngestState | None = None
        self._fast = fast
        self._lane = FastLane()
        self._confirmer = Confirmer(link)
        self._held: list[Arrival] = []
        self._next_tick = float("-inf")
        self._last_refresh = float("-inf")
        self._last_commit = float("-inf")
        self._pause_s = 0.0
        self._trouble = False
        self._attentive_since = float("-inf")

    def stop(self) -> None:
        """End `run` after the commit at hand. What is uncommitted stays with the broker."""
        self._stop.set()

    def run(self) -> None:
        """Commit until stopped; returns only then."""
        while not self._stop.is_set():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001  # whatever it is, the messages in hand wait for it
                self._recover(error)
                self._wait_longer(error)
            if self._pause_s:
                self._stop.wait(self._pause_s)
        self._finish()

    def step(self) -> None:
        """Take what is there and commit it; on a failing database or a full disk, keep it for the next step."""
        if not self._held:
            self._held = self._take()
        try:
            room = self._has_room()
            self._round(self._held if room else [])
            if self._held and not room:
                self._pause_s = _TICK_S
        except (DataError, IntegrityError) as error:
            self._isolate(error)
        except _DATABASE_TROUBLE as error:
            self._recover(error)
            self._wait_longer(error)
        except Exception as error:  # noqa: BLE001  # a fault of ours must stall no other message
            self._isolate(error)
        if not self._pause_s:
            self._held = []

    def _has_room(self) -> bool:
        monotonic_s = self._clocks.monotonic_s()
        enough = self._room.enough(monotonic_s)
        self._chores.disk_full = not enough
        if not enough:
            self._attentive_since = monotonic_s
        return enough

    def _isolate(self, error: Exception) -> None:
        self._recover(error)
        if self._held:
            self._one_by_one(self._held)
        else:
            self._wait_longer(error)

    def _take(self) -> list[Arrival]:
        monotonic_s = self._clocks.monotonic_s()
        until_due = min(self._next_tick, self._chores.next_due_s) - monotonic_s
        taken = self._link.take(self._settings.batch_max, max(0.0, min(until_due, _LONGEST_TAKE_S)))
        linger_s = self._last_commit + self._settings.linger_ms / 1000 - self._clocks.monotonic_s()
        if taken and linger_s > 0 and len(taken) < self._settings.batch_max:
            self._stop.wait(linger_s)
            taken += self._link.take(self._settings.batch_max - len(taken), 0.0)
        return taken

    def _round(self, arrivals: Sequence[Arrival]) -> None:
        conn, state = self._ready()
        monotonic_s = self._clocks.monotonic_s()
        batch = self._batch(state)
        may_refresh = monotonic_s - self._last_refresh >= _REFRESH_AT_MOST_EVERY_S
        batch.may_refresh = may_refresh
        mine = arrivals
        if self._scope.tokens is not None:
            # Another worker's is acknowledged and not confirmed: its node sends it again, to the right one.
            mine = [came for came in arrivals if self._scope.holds_topic(came.topic)]
        if self._fast:
            self._lane.take_all(batch, mine)
        else:
            for came in mine:
                take(batch, came)
        if may_refresh and not batch.may_refresh:
            self._last_refresh = monotonic_s
        state.counters.messages += len(arrivals)
        self._liveness.settle(batch, monotonic_s)
        if monotonic_s >= self._next_tick:
            self._next_tick = monotonic_s + _TICK_S
            self._directory.refresh()
            self._following.look(state.watcher, batch.now, monotonic_s)
            self._liveness.listening(
                self._listening_since(monotonic_s), connected=self._hub_hears(batch.now)
            )
            self._liveness.tick(batch, monotonic_s)
        flush(batch, monotonic_s)
        chores = self._chores.collect(state, batch, monotonic_s)
        outcome = state.watcher.take()
        if needs_commit(batch, outcome, chores):
            with conn.begin():
                self._lock.fence(conn)
                newest = write_batch(conn, batch, outcome, chores)
            if newest:
                state.unflushed.logged(batch.number, newest)
            self._last_commit = self._clocks.monotonic_s()
        self._committed(batch, arrivals)

    def _batch(self, state: IngestState) -> Batch:
        state.batches += 1
        return Batch(
            state,
            self._directory,
            self._clocks.now(),
            self._settings.live_max_age_s,
            number=state.batches,
        )

    def _listening_since(self, monotonic_s: float) -> float | None:
        """Since when a node's silence is the node's own, and not the hub's slowness or deafness."""
        if self._trouble or self._link.crowded:
            self._attentive_since = monotonic_s
        connected = self._link.connected_since
        return None if connected is None else max(connected, self._attentive_since)

    def _hub_hears(self, now: datetime) -> bool:
        """Whether this ingest has a broker, or as one of several: whether any of them has."""
        if self._link.connected_since is not None:
            return True
        if self._scope.tokens is None:
            return False
        with self._reader.connect() as conn:
            return reads.another_hears(conn, self._scope.stat("alive"), now)

    def _committed(self, batch: Batch, arrivals: Sequence[Arrival]) -> None:
        """From here on the database has it: nothing below may be needed for its safety."""
        if batch.live_sample_times:
            ages_s = self._clocks.now().timestamp() - np.frombuffer(batch.live_sample_times)
            batch.state.latency_ms.add(ages_s * 1000)
        self._pause_s = 0.0
        if self._trouble:
            self._trouble = False
            _log.info("database_back")
        self._link.acknowledge(arrivals)
        self._confirmer.committed(batch, len(arrivals), self._clocks.monotonic_s())
        self._chores.committed(batch)
        for name in batch.changed_nodes:
            live = batch.state.nodes[name]
            live.written_seen_at = live.last_seen_at

    def _ready(self) -> tuple[Connection, IngestState]:
        if self._conn is None:
            self._conn = self._engine.connect()
        if self._state is None:
            self._lock.ensure()
            with self._conn.begin():
                state = load_state(self._conn, self._clocks.now(), self._scope)
                logged = messages_after(self._conn, state.unflushed.checkpoint(), self._scope.worker)
                restore(state, logged)
                load_coverage(self._conn, state)
                remember_told(self._conn, state, self._settings.live_max_age_s)
            self._state = state
            self._lane = FastLane()
            self._directory.refresh()
            self._liveness.adopt(self._state, self._directory, self._clocks.now())
        return self._conn, self._state

    def _recover(self, error: Exception) -> None:
        """Forget what memory holds beyond the database."""
        self._state = None
        self._chores.rolled_back()
        self._next_tick = float("-inf")
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            conn.invalidate()
        try:
            conn.close()
        except SQLAlchemyError:
            conn.invalidate()

    def _wait_longer(self, error: Exception) -> None:
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        if not self._trouble:
            self._trouble = True
            _log.error("database_lost", error=first_line(error), held=len(self._held))

    def _one_by_one(self, arrivals: Sequence[Arrival]) -> None:
        """Commit each message alone, and set aside the one that cannot be committed."""
        for index, came in enumerate(arrivals):
            try:
                self._alone(came)
            except _DATABASE_TROUBLE as error:
                self._recover(error)
                self._wait_longer(error)
                self._held = list(arrivals[index:])
                return

    def _alone(self, came: Arrival) -> None:
        fault: Exception
        try:
            self._round([came])
        except (DataError, IntegrityError) as error:
            fault = error
        except _DATABASE_TROUBLE:
            raise
        except Exception as error:  # noqa: BLE001  # see `step`
            fault = error
        else:
            return
        self._recover(fault)
        self._set_aside(came, fault)

    def _set_aside(self, came: Arrival, error: Exception) -> None:
        """Keep a message that made the hub itself fail; its node is not told, so nothing of it is lost."""
        _log.error("message_failed", topic=came.topic, error=repr(error))
        conn, state = self._ready()
        batch = self._batch(state)
        received_at = datetime.fromtimestamp(came.at, UTC)
        batch.rejects.append(rejected(came, received_at, "hub_error", repr(error)))
        with conn.begin():
            self._lock.fence(conn)
            write_batch(conn, batch, state.watcher.take(), self._chores.none())
        self._committed(batch, [came])

    def _finish(self) -> None:
        try:
            conn, state = self._ready()
            batch = self._batch(state)
            flush(batch, self._clocks.monotonic_s(), everything=True)
            chores = self._chores.last(state, batch.now)
            with conn.begin():
                self._lock.fence(conn)
                write_batch(conn, batch, state.watcher.take(), chores)
        except _DATABASE_TROUBLE as error:
            _log.warning("last_commit_failed", error=first_line(error))
        if self._conn is not None:
            self._conn.close()
            self._conn = None
