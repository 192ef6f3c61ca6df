"""The real hub on a database, driven by a clock that only the year moves: judge, watcher, committer, SQL."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from bench.truth.notices import Listener
from hub.db import open_database, reading
from hub.incidents.reads import IncidentView, changes_after, incidents
from hub.incidents.windows import create_window
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.registry_directory import RegistryDirectory
from hub.ingest.link.port import InMemoryLink
from hub.ingest.lock import IngestLock
from hub.ingest.reads import stats
from hub.migrations.runner import upgrade
from hub.registry.importing import import_registry
from hub.settings import IngestSettings
from simulators.commune import Commune
from simulators.files import registry_rows
from simulators.truth.air import Delivery
from simulators.truth.moment import START, at

DRAIN_EVERY_S = 3600.0
_ALL = 10_000_000


class HubSide:
    """One hub, from a new database in `folder`. Times are seconds from the year's start."""

    def __init__(self, folder: Path, commune: Commune) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._engine = _fast(open_database(f"sqlite:///{folder / 'hub.db'}"))
        self._reader = reading(self._engine)
        upgrade(self._engine)
        with self._engine.begin() as conn:
            result = import_registry(conn, _csv(commune), now=START)
        if not result.stored:
            raise ValueError(f"the commune's registry was refused: {result.errors[:3]}")
        self._commune = commune.file.code
        self.listener = Listener()
        self._heard_up_to = 0
        self._at_s = 0.0
        self._drained_s = 0.0
        # Nobody gives commands here, and asking for them each turn would take a third of the year's time.
        self._settings = IngestSettings(linger_ms=0).model_copy(update={"command_poll_ms": 3_600_000})
        self._lock = IngestLock(self._engine)
        self._committer: Committer | None = None
        self._link = InMemoryLink()
        self.start(0.0)

    def start(self, at_s: float) -> None:
        """A new process on the same database."""
        self._at_s = at_s
        self._link = InMemoryLink()
        self._link.connected_since = at_s
        self._outbox = SqlOutbox(self._engine)
        self._committer = Committer(
            self._engine,
            self._lock,
            self._link,
            RegistryDirectory(self._engine),
            ChoreList(self._engine, self._outbox, self._link, self._settings, lambda: True),
            self._settings,
            Clocks(now=self._now, monotonic_s=lambda: self._at_s),
        )
        self._committer.step()

    def announce(self, node: str, begin_s: float, end_s: float) -> None:
        """A clerk plans work at a node, whether the ingest runs or not."""
        with self._engine.begin() as conn:
            create_window(
                conn,
                commune=self._commune,
                scope="node",
                name=node,
                starts_at=at(begin_s),
                ends_at=at(end_s),
                why="bảo trì",
                by="bench",
                now=self._now(),
            )

    def kill(self) -> None:
        """The process is gone, with all that it held in memory."""
        self._committer = None

    def lose_broker(self) -> None:
        """The hub's connection is down."""
        self._link.connected_since = None

    def find_broker(self, at_s: float) -> None:
        """It is up again."""
        if self._committer is not None:
            self._link.connected_since = at_s

    def step(self, at_s: float, deliveries: Iterable[Delivery] = ()) -> list[tuple[str, bytes]]:
        """One round at this moment; what the nodes are told."""
        if self._committer is None:
            return []
        self._at_s = at_s
        arrived_s = self._now().timestamp()
        for delivery in deliveries:
            self._link.deliver(delivery.topic, delivery.payload, at=arrived_s, retain=delivery.retain)
        self._committer.step()
        while self._link.waiting:
            self._committer.step()
        self._listen()
        told = [(message.topic, message.payload) for message in self._link.published]
        self._link.published.clear()
        self._link.acknowledged.clear()
        if at_s - self._drained_s >= DRAIN_EVERY_S:
            self._drain(at_s)
        return told

    def incidents(self) -> list[IncidentView]:
        """All that the hub ever opened, oldest first."""
        with self._reader.connect() as conn:
            return sorted(incidents(conn, status="all", limit=_ALL), key=lambda one: one.id)

    def stats(self) -> dict[str, Any]:
        """The ingest's counters."""
        with self._reader.connect() as conn:
            return dict(stats(conn))

    def close(self) -> None:
        """End it as an administrator would."""
        if self._committer is not None:
            self._committer.stop()
            self._committer.run()
        self._lock.release()
        self._engine.dispose()

    def _now(self) -> datetime:
        return at(self._at_s)

    def _listen(self) -> None:
        with self._reader.connect() as conn:
            steps = changes_after(conn, self._heard_up_to, limit=_ALL)
        if steps:
            self._heard_up_to = steps[-1][0].id
        self.listener.take(steps, self._now())

    def _drain(self, at_s: float) -> None:
        """Charts are not what is tested: the points go nowhere, or the file would grow by gigabytes."""
        self._drained_s = at_s
        waiting = self._outbox.waiting(0, _ALL)
        self._outbox.done([batch.id for batch in waiting], points=sum(len(b.points) for b in waiting))


def _fast(engine: Engine) -> Engine:
    """Nobody cuts the power here: without this, half of the year's time would be spent on syncing."""

    @event.listens_for(engine, "connect")
    def _unsynced(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    return engine


def _csv(commune: Commune) -> bytes:
    rows = list(registry_rows(commune))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


Progress = Callable[[int], None]
