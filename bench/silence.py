"""How soon the hub notices nodes that fall silent, among tens of thousands that don't.

The real committer on a real SQLite file, in real time; only the broker is a list. All nodes send their
heartbeats; then some stop, each at a moment that is known. What is measured is how long after the hold-off
(three missed heartbeats and the rule's own) the incident was committed.
"""

from __future__ import annotations

import gc
import math
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Engine

from hub.db import open_database, reading
from hub.incidents.catalogue import DEFAULT_RULES
from hub.incidents.model import COMMUNICATION_FAILURE, Place
from hub.incidents.reads import incidents
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.judging.silence import MISSED_HEARTBEATS
from hub.ingest.link.port import InMemoryLink
from hub.ingest.lock import IngestLock
from hub.migrations.runner import upgrade
from hub.settings import IngestSettings
from protocol import Kind, NodeState, encode, topic

POLES_PER_COMMUNE = 219
NODES_PER_FEEDER = 22
_PIECE_S = 0.05


@dataclass(frozen=True, slots=True)
class SilenceReport:
    """Delays in seconds beyond the hold-off, until the commit; ticks in milliseconds of processor."""

    nodes: int
    silent: int
    heartbeat_s: int
    noticed: int
    delay_p50_s: float
    delay_p99_s: float
    delay_most_s: float
    idle_tick_p50_ms: float
    idle_tick_p99_ms: float
    cpu_share: float
    """Processor time of the committing thread over the time in which nodes fell silent."""
    false_alarms: int

    @property
    def sound(self) -> bool:
        """Every silent node was noticed within a second, and nobody else."""
        return self.noticed == self.silent and self.delay_p99_s <= 1.0 and self.false_alarms == 0


class _Rig:
    """A committer on a fresh database, stepped by the measuring thread."""

    def __init__(self, data: Path, nodes: int) -> None:
        self.engine: Engine = open_database(f"sqlite:///{data / 'hub.db'}")
        upgrade(self.engine)
        self.names = [f"n-{number:06}" for number in range(nodes)]
        self.commune = {
            name: f"xa-{index // POLES_PER_COMMUNE:04}" for index, name in enumerate(self.names)
        }
        self.link = InMemoryLink()
        self.link.connected_since = time.monotonic()
        self.lock = IngestLock(self.engine)
        settings = IngestSettings(linger_ms=0)
        outbox = SqlOutbox(self.engine)
        known = (self._known(index, name) for index, name in enumerate(self.names))
        self.committer = Committer(
            self.engine,
            self.lock,
            self.link,
            InMemoryDirectory(*known),
            ChoreList(self.engine, outbox, self.link, settings, lambda: True),
            settings,
            Clocks(),
        )

    def _known(self, index: int, name: str) -> KnownNode:
        pole, commune = name.upper(), self.commune[name]
        feeder = f"L{index % POLES_PER_COMMUNE // NODES_PER_FEEDER}"
        return KnownNode(
            name, commune, frozenset({pole}), {pole: 60.0}, places={pole: Place(commune, "", feeder, "")}
        )

    def beat(self, name: str, session: UUID, heartbeat_s: int) -> None:
        now = datetime.now(UTC)
        message = NodeState(
            v=1,
            node=name,
            session=session,
            status="online",
            time=now,
            connected_at=now,
            clock="synced",
            heartbeat_s=heartbeat_s,
            epoch=session,
            poles=[name.upper()],
        )
        self.link.deliver(topic(self.commune[name], name, Kind.STATE), encode(message), at=now.timestamp())

    def close(self) -> None:
        self.committer.stop()
        self.committer.run()
        self.lock.release()
        self.engine.dispose()


def run_silence(
    data: Path, *, nodes: int, silent: int, heartbeat_s: int, progress: Callable[[int], None]
) -> SilenceReport:
    """Measure in `data`; takes about six heartbeats' time. `silent` nodes stop, spread over all feeders."""
    rig = _Rig(data, nodes)
    try:
        return _measure(rig, silent, heartbeat_s, progress)
    finally:
        rig.close()


def _measure(rig: _Rig, silent: int, heartbeat_s: int, progress: Callable[[int], None]) -> SilenceReport:
    nodes, session = len(rig.names), uuid4()
    stopping = set(rig.names[:: max(1, nodes // silent)][:silent])
    last_beat: dict[str, float] = {}
    rounds = _Rounds()
    rig.committer.step()
    gc.collect()
    gc.freeze()
    begun, sent = time.monotonic(), 0
    # Two rounds of heartbeats by all; then, until the last silence is due, only by those that go on.
    end = begun + (2 + MISSED_HEARTBEATS + 1) * heartbeat_s + 6
    cpu_begun, cpu_from = 0.0, 0.0
    while (now := time.monotonic()) < end:
        due = int((now - begun) / heartbeat_s * nodes)
        if sent < 2 * nodes <= due:
            cpu_begun, cpu_from = time.thread_time(), now
        for number in range(sent, due):
            name = rig.names[number % nodes]
            if number < 2 * nodes or name not in stopping:
                rig.beat(name, session, heartbeat_s)
                last_beat[name] = now
        sent = max(sent, due)
        rounds.step(rig.committer)
        progress(sent)
        _pause(now, _PIECE_S)
    cpu_share = (time.thread_time() - cpu_begun) / (time.monotonic() - cpu_from)
    ticks = _idle_ticks(rig)
    return _report(rig, stopping, last_beat, rounds, ticks, cpu_share, heartbeat_s)


class _Rounds:
    """When each round began and when its commit was through."""

    def __init__(self) -> None:
        self.begun: list[float] = []
        self.done: list[float] = []

    def step(self, committer: Committer) -> None:
        self.begun.append(time.monotonic())
        committer.step()
        self.done.append(time.monotonic())

    def committed_s(self, within_s: float) -> float:
        """The end of the round in which this moment lies."""
        return self.done[max(0, bisect_right(self.begun, within_s + 0.001) - 1)]


def _idle_ticks(rig: _Rig) -> list[float]:
    """Processor seconds of rounds in which nothing came, each with all that is done four times a second."""
    found = []
    for _ in range(12):
        begun_s, before = time.monotonic(), time.thread_time()
        rig.committer.step()
        found.append(time.thread_time() - before)
        _pause(begun_s, 0.26)
    return found


def _pause(round_begun_s: float, length_s: float) -> None:
    threading.Event().wait(max(0.0, length_s - (time.monotonic() - round_begun_s)))


def _report(
    rig: _Rig,
    stopping: set[str],
    last_beat: dict[str, float],
    rounds: _Rounds,
    ticks: list[float],
    cpu_share: float,
    heartbeat_s: int,
) -> SilenceReport:
    hold_off_s = MISSED_HEARTBEATS * heartbeat_s + DEFAULT_RULES[COMMUNICATION_FAILURE].hold_off_s
    steady_s = time.monotonic() - datetime.now(UTC).timestamp()
    with reading(rig.engine).connect() as conn:
        opened = {
            one.originator: rounds.committed_s(one.opened_at.timestamp() + steady_s)
            for one in incidents(conn, status="all", limit=10 * len(stopping) + 1000)
            if one.kind == COMMUNICATION_FAILURE
        }
    delays = [opened[name] - last_beat[name] - hold_off_s for name in stopping & opened.keys()]
    return SilenceReport(
        nodes=len(rig.names),
        silent=len(stopping),
        heartbeat_s=heartbeat_s,
        noticed=len(delays),
        delay_p50_s=round(_quantile(delays, 0.5), 3),
        delay_p99_s=round(_quantile(delays, 0.99), 3),
        delay_most_s=round(_quantile(delays, 1), 3),
        idle_tick_p50_ms=round(_quantile(ticks, 0.5) * 1000, 3),
        idle_tick_p99_ms=round(_quantile(ticks, 0.99) * 1000, 3),
        cpu_share=round(cpu_share, 3),
        false_alarms=len(opened.keys() - stopping),
    )


def _quantile(values: list[float], share: float) -> float:
    """The smallest value that is not below this share of all; 0 of none."""
    ordered = sorted(values) or [0.0]
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
