"""One of several ingests: holds its share of the communes, and runs an ingest for just those.

Whenever the share changes the ingest is ended (which writes everything it knows) and another begun on the
new share; the drainer, which follows the worker's log and not its communes, goes on. A worker's session at
the broker ends with its connection: what nobody has committed, the nodes send again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.db import reading
from hub.ingest import reads
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.link.broker import reaches
from hub.ingest.lock import IngestRunningError
from hub.ingest.scaling.leases import (
    BEAT_S,
    Held,
    LeaseLock,
    NameTakenError,
    arrive,
    beat,
    forget_drained,
    give_back,
    leave,
    show_life,
)
from hub.ingest.scaling.recovery import recover
from hub.ingest.scope import Scope
from hub.ingest.service import Drain, IngestService, Lent, broker_of
from hub.logs import first_line
from hub.registry import reads as registry
from hub.settings import HubSettings

DEAF_FOR_S = 10.0
"""So long a worker waits for its broker before it leaves its communes to one that has it."""

_TURN_WITHIN_S = 60.0
"""A worker whose share takes longer than this to change is taken for dead."""

_log = structlog.get_logger(__name__)


class WorkerError(RuntimeError):
    """The settings don't let several workers share; the text says what to change."""


class WorkerService:
    """Takes its share of the messages from `start` to `stop`. Raises WorkerError without PostgreSQL."""

    def __init__(
        self,
        settings: HubSettings,
        engine: Engine,
        drain: Callable[[SqlOutbox], Drain],
        *,
        deaf_for_s: float = DEAF_FOR_S,
    ) -> None:
        if engine.dialect.name != "postgresql":
            raise WorkerError("[ingest] worker needs a PostgreSQL database; without it SQLite serves too")
        self._name = settings.ingest.worker
        self._life = str(uuid4())
        self._settings = settings
        self._engine = engine
        self._outbox = SqlOutbox(engine, self._name)
        self._drainer = drain(self._outbox)
        self._registry = _Registry(engine)
        self._scope = Scope(self._name, {})
        self._service: IngestService | None = None
        self._arrived = False
        self._aside = False
        self._deaf_for_s = deaf_for_s
        self._heard_s = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"worker-{self._name}")
        self._turned_s = time.monotonic()
        self._left = threading.Event()
        self._sign = threading.Thread(target=self._show_life, name=f"worker-{self._name}-life", daemon=True)

    @property
    def communes(self) -> frozenset[str]:
        """What is held now."""
        return frozenset(self._scope.tokens or ())

    def start(self) -> None:
        """Begin to claim; returns at once."""
        self._thread.start()
        self._sign.start()

    def stop(self) -> None:
        """Write everything, give everything back."""
        self._stop.set()
        self._thread.join()
        self._left.set()
        self._sign.join()

    def is_alive(self) -> bool:
        """Whether the worker holds on; one whose ingest has died is to be started anew."""
        service = self._service
        well = service is None or service.is_alive()
        # One that is being put down for another share is no longer this worker's.
        return self._thread.is_alive() and (well or service is not self._service)

    def _show_life(self) -> None:
        # An ingest that ends writes all it knows. Were its worker taken for dead meanwhile, every change of
        # share would bring the next one on.
        while not self._left.wait(BEAT_S):
            if self._arrived and not self._aside and time.monotonic() - self._turned_s < _TURN_WITHIN_S:
                try:
                    with self._engine.begin() as conn:
                        show_life(conn, self._name, self._life)
                except SQLAlchemyError as error:
                    _log.warning("life_not_shown", worker=self._name, error=first_line(error))
                except NameTakenError:
                    return  # the next turn tells

    def _run(self) -> None:
        self._drainer.start()
        try:
            self._turns()
        finally:
            self._end()
            self._left.set()
            self._sign.join()
            self._depart()
            self._drainer.stop()
            self._tidy()

    def _turns(self) -> None:
        while not self._stop.is_set():
            self._turned_s = time.monotonic()
            try:
                self._turn()
            except SQLAlchemyError as error:
                _log.warning("lease_not_renewed", worker=self._name, error=first_line(error))
            except (IngestRunningError, NameTakenError) as error:
                _log.error("worker_not_wanted", worker=self._name, error=str(error))
                return
            self._stop.wait(BEAT_S)

    def _turn(self) -> None:
        if not self._arrived:
            with self._engine.begin() as conn:
                arrive(conn, self._name, self._life, self._recover)
            self._arrived = True
        if self._is_cut_off():
            self._step_aside()
            return
        self._aside = False
        held = self._beat()
        if held.give:
            self._end()
            with self._engine.begin() as conn:
                give_back(conn, self._name, held.give, self._recover, life=self._life)
            held = self._beat()
        if held.inherited:
            self._drainer.again()
        if held.scope.tokens != self._scope.tokens:
            self._end()
            self._begin(held.scope)
        if self._service is None:
            self._tidy()

    def _is_cut_off(self) -> bool:
        """Whether another has the broker that this worker has waited for long enough."""
        now_s = time.monotonic()
        if self._aside:
            if reaches(broker_of(self._settings.broker, self._scope)):
                return False
        elif self._service is None or self._service.has_broker():
            self._heard_s = now_s
            return False
        elif now_s - self._heard_s < self._deaf_for_s:
            return False
        with reading(self._engine).connect() as conn:
            return reads.another_hears(conn, self._scope.stat("alive"), datetime.now(UTC))

    def _step_aside(self) -> None:
        if self._aside:
            return
        _log.warning(
            "share_left_to_others", worker=self._name, reason="no broker", waited_s=self._deaf_for_s
        )
        self._aside = True
        self._end()
        self._depart()

    def _beat(self) -> Held:
        communes = self._registry.communes()
        with self._engine.begin() as conn:
            return beat(conn, self._name, communes, self._recover, life=self._life)

    def _recover(self, conn: Connection, dead: str) -> None:
        recover(conn, dead, heir=self._name)

    def _begin(self, scope: Scope) -> None:
        self._scope = scope
        if not scope.tokens:
            return
        _log.info("share_taken", worker=self._name, communes=len(scope.tokens))
        # What the ingest before could not delete any more is drained again: it must be deleted by somebody.
        self._drainer.again()
        self._heard_s = time.monotonic()
        service = IngestService(
            self._settings,
            self._engine,
            None,
            drain=lambda _: Lent(self._drainer),
            outbox=self._outbox,
            scope=scope,
            lock=LeaseLock(scope),
        )
        service.start()
        # Not before: whoever asks `is_alive` would take one that has not begun for one that has died.
        self._service = service

    def _end(self) -> None:
        service, self._service = self._service, None
        self._scope = Scope(self._name, {})
        if service is not None:
            service.stop()

    def _depart(self) -> None:
        if not self._arrived:
            return
        try:
            with self._engine.begin() as conn:
                leave(conn, self._name, self._recover, life=self._life)
        except (SQLAlchemyError, IngestRunningError, NameTakenError) as error:
            _log.warning("lease_not_given_back", worker=self._name, error=first_line(error))

    def _tidy(self) -> None:
        """Without an ingest nobody else deletes what is drained."""
        drained = self._outbox.take_drained()
        if not drained.ids:
            return
        try:
            with self._engine.begin() as conn:
                forget_drained(conn, self._name, drained.ids)
        except SQLAlchemyError as error:
            # It stays, and whoever drains next writes it again, which changes nothing.
            _log.warning("drained_not_deleted", worker=self._name, error=first_line(error))


class _Registry:
    """The communes that have nodes, read again when the registry's revision has grown."""

    def __init__(self, engine: Engine) -> None:
        self._engine = reading(engine)
        self._revision: int | None = None
        self._communes: set[str] = set()

    def communes(self) -> set[str]:
        with self._engine.connect() as conn:
            revision = registry.revision(conn)
            if revision != self._revision:
                self._communes = registry.communes_with_nodes(conn)
                self._revision = revision
        return self._communes
