"""The committer on a real database with a clock that only the test moves and no broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from hub.db import reading
from hub.incidents.reads import IncidentView, Status, incidents
from hub.ingest import reads
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.link.port import InMemoryLink
from hub.ingest.lock import Fence, IngestLock
from hub.ingest.scope import ALONE, Scope
from hub.settings import IngestSettings
from hub.telemetry.port import Point
from protocol import Kind, Stored
from tests.integration.hub_ingest.words import COMMUNE, RATED_W, START, node_name, node_topic, pole_code

T = TypeVar("T")


def directory(nodes: int = 3) -> InMemoryDirectory:
    """Nodes 1 to `nodes` with one pole each."""
    return InMemoryDirectory(
        *(
            KnownNode(node_name(n), COMMUNE, frozenset({pole_code(n)}), {pole_code(n): RATED_W})
            for n in range(1, nodes + 1)
        )
    )


class Rig:
    """`send` and `step`; the clock stands until `pass_time`."""

    def __init__(
        self,
        engine: Engine,
        *,
        fast: bool = True,
        nodes: int = 3,
        scope: Scope = ALONE,
        lock: Fence | None = None,
    ) -> None:
        self.engine = engine
        self._scope = scope
        self._fast = fast
        self.now = START
        self.sent: Counter[int] = Counter()
        """By node's number, the highest seq that a story has sent."""
        self.link = InMemoryLink()
        self.directory = directory(nodes)
        self.settings = IngestSettings()
        self._lock: Fence = lock if lock is not None else IngestLock(engine)
        self.restart()

    def restart(self) -> None:
        """A new process on the same database: all memory is gone."""
        self.link = InMemoryLink()
        self.link.connected_since = self.monotonic_s
        self.outbox = SqlOutbox(self.engine, self._scope.worker)
        self.committer = Committer(
            self.engine,
            self._lock,
            self.link,
            self.directory,
            ChoreList(self.engine, self.outbox, self.link, self.settings, lambda: True),
            self.settings,
            Clocks(now=lambda: self.now, monotonic_s=lambda: self.monotonic_s),
            fast=self._fast,
            scope=self._scope,
        )
        self.committer.step()

    @property
    def monotonic_s(self) -> float:
        return (self.now - START).total_seconds() + 1000

    def close(self) -> None:
        self.committer.stop()
        self.committer.run()
        self._lock.release()

    def send(
        self, kind: Kind, payload: bytes, *, number: int = 1, retain: bool = False, dup: bool = False
    ) -> None:
        self.link.deliver(
            node_topic(number, kind), payload, at=self.now.timestamp(), retain=retain, dup=dup
        )

    def take(self, kind: Kind, payload: bytes, *, number: int = 1, retain: bool = False) -> None:
        """Send one message and commit."""
        self.send(kind, payload, number=number, retain=retain)
        self.committer.step()

    def pass_time(self, seconds: float, *, every_s: float = 1) -> None:
        """Let time pass in steps of a second (or `every_s`), as the running committer would see it."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(end, self.now + timedelta(seconds=every_s))
            self.committer.step()

    def read(self, query: Callable[[Connection], T]) -> T:
        with reading(self.engine).connect() as conn:
            return query(conn)

    def stored(self) -> list[Stored]:
        """What the nodes were told so far."""
        found = [message for message in self.link.published if message.topic.endswith("/stored")]
        return [msgspec.json.decode(message.payload, type=Stored) for message in found]

    def points(self) -> list[Point]:
        """What waits for the telemetry store."""
        return [point for batch in self.outbox.waiting(0, 10_000) for point in batch.points]

    def incidents(self, status: Status = "open") -> list[IncidentView]:
        return self.read(lambda conn: incidents(conn, status=status))

    def stats(self) -> dict[str, object]:
        return self.read(reads.stats)

    def at(self) -> datetime:
        return self.now
