"""The ingest put together: link, committer, drainer; startable in a process of its own or inside a test."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Protocol

import structlog
from sqlalchemy import Engine

from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.directory import Directory
from hub.ingest.judging.registry_directory import RegistryDirectory
from hub.ingest.link.broker import MqttLink, subscriptions
from hub.ingest.lock import Fence, IngestLock
from hub.ingest.scope import ALONE, Scope
from hub.settings import BrokerSettings, HubSettings
from hub.telemetry.drainer import Drainer
from hub.telemetry.port import TelemetryStore

_log = structlog.get_logger(__name__)


class Drain(Protocol):
    """Whoever moves the outbox into the telemetry store."""

    def start(self) -> None:
        """Begin to drain."""

    def stop(self) -> None:
        """End after the write at hand; what was written is noted in the outbox then."""

    def again(self) -> None:
        """Begin with the oldest batch that waits: there are new ones among the old."""

    def store_is_up(self) -> bool:
        """Whether the last write got through."""


class Lent:
    """A drainer that outlives this ingest: whoever lends it starts and stops it."""

    def __init__(self, drainer: Drain) -> None:
        self._drainer = drainer

    def start(self) -> None:
        """It runs."""

    def stop(self) -> None:
        """It goes on."""

    def again(self) -> None:
        """See Drain."""
        self._drainer.again()

    def store_is_up(self) -> bool:
        """See Drain."""
        return self._drainer.store_is_up()


class IngestService:
    """Takes messages from the broker into the database from `start` to `stop`.

    The database must be migrated. Raises IngestRunningError when another ingest works on it. Engine and
    store stay the caller's to close.
    """

    def __init__(
        self,
        settings: HubSettings,
        engine: Engine,
        store: TelemetryStore | None,
        directory: Directory | None = None,
        clocks: Clocks | None = None,
        *,
        drain: Callable[[SqlOutbox], Drain] | None = None,
        outbox: SqlOutbox | None = None,
        scope: Scope = ALONE,
        lock: Fence | None = None,
    ) -> None:
        """`store` is drained into by a thread; without one, `drain` says who does it.

        `outbox` is the one that a lent drainer notes in.
        """
        self._lock: Fence = lock if lock is not None else IngestLock(engine)
        self._link = _link(settings, scope)
        if outbox is None:
            outbox = SqlOutbox(engine, scope.worker)
        self._drainer = _drain(outbox, store, drain)
        self._committer = Committer(
            engine,
            self._lock,
            self._link,
            directory if directory is not None else RegistryDirectory(engine, scope),
            ChoreList(engine, outbox, self._link, settings.ingest, self._drainer.store_is_up),
            settings.ingest,
            clocks if clocks is not None else Clocks(),
            scope=scope,
        )
        self._thread = threading.Thread(target=self._committer.run, name="ingest-committer")

    def start(self) -> None:
        """Begin; returns at once. A broker that is not there yet is waited for."""
        self._thread.start()
        self._drainer.start()
        self._link.start()
        _log.info("ingest_started")

    def stop(self) -> None:
        """End after the commit at hand. What is not committed stays with the broker and the nodes."""
        self._link.stop()
        self._drainer.stop()
        self._committer.stop()
        self._thread.join()
        self._lock.release()
        _log.info("ingest_stopped")

    def has_broker(self) -> bool:
        """Whether there is a connection to the broker now."""
        return self._link.connected_since is not None

    def held(self) -> int:
        """How many messages of the broker's wait here for their commit.

        Bounded by `receive_maximum`, and where the broker does not keep to it by that, the batch in hand and
        what one read brings (256 kB).
        """
        return self._link.held

    def is_alive(self) -> bool:
        """Whether both threads that everything hangs on run: the broker's and the committing one."""
        return self._thread.is_alive() and self._link.is_alive()


def collect_rarely() -> None:
    """For a process that is an ingest and nothing else: look for reference cycles a hundredth as often.

    A batch makes ten thousand objects that end with it and form no cycles; at Python's own thresholds the
    search for some took a tenth of the processor time. Cycles come from errors and from SQL statements, and
    are few.
    """
    gc.set_threshold(50_000, 20, 50)


def _drain(
    outbox: SqlOutbox, store: TelemetryStore | None, drain: Callable[[SqlOutbox], Drain] | None
) -> Drain:
    if drain is not None:
        return drain(outbox)
    if store is None:
        raise ValueError("an ingest needs a telemetry store, or someone who drains into one")
    return Drainer(outbox, store)


def _link(settings: HubSettings, scope: Scope) -> MqttLink:
    if scope.tokens is None:
        return MqttLink(settings.broker)
    filters = subscriptions(sorted(scope.tokens))
    return MqttLink(broker_of(settings.broker, scope), filters, clean_start=True)


def broker_of(broker: BrokerSettings, scope: Scope) -> BrokerSettings:
    """As whom one of several workers speaks to the broker: its own client id, and a session that ends."""
    client_id = f"{broker.client_id}-{scope.worker}"[:64]
    return broker.model_copy(update={"client_id": client_id, "session_expiry_s": 0})
