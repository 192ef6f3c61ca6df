"""One of several ingests: holds its share of the communes, and runs an ingest for just those.

Whenever the share changes the ingest is ended (which writes everything it knows) and another begun on the
new share. A worker's session at the broker ends with its connection: what nobody has committed, the nodes
send again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.db import reading
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.scaling.leases import BEAT_S, Held, LeaseLock, beat, give_back, leave, show_life
from hub.ingest.scaling.recovery import recover
from hub.ingest.scope import Scope
from hub.ingest.service import Drain, IngestService
from hub.registry import reads as registry
from hub.settings import HubSettings

_TURN_WITHIN_S = 60.0
"""A worker whose share takes longer than this to change is taken for dead."""

_log = structlog.get_logger(__name__)


class WorkerError(RuntimeError):
    """The settings don't let several workers share; the text says what to change."""


class WorkerService:
    """Takes its share of the messages from `start` to `stop`. Raises WorkerError without PostgreSQL."""

    def __init__(self, settings: HubSettings, engine: Engine, drain: Callable[[SqlOutbox], Drain]) -> None:
        if engine.dialect.name != "postgresql":
            raise WorkerError("[ingest] worker needs a PostgreSQL database; without it SQLite serves too")
        self._name = settings.ingest.worker
        self._settings = settings
        self._engine = engine
        self._drain = drain
        self._scope = Scope(self._name, {})
        self._service: IngestService | None = None
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
        return self._thread.is_alive() and (service is None or service.is_alive())

    def _show_life(self) -> None:
        # An ingest that ends waits for its drainer. Were its worker taken for dead meanwhile, every change of
        # share would bring the next one on.
        while not self._left.wait(BEAT_S):
            if time.monotonic() - self._turned_s < _TURN_WITHIN_S:
                try:
                    with self._engine.begin() as conn:
                        show_life(conn, self._name)
                except SQLAlchemyError as error:
                    _log.warning("life_not_shown", worker=self._name, error=str(error).splitlines()[0])

    def _run(self) -> None:
        while not self._stop.is_set():
            self._turned_s = time.monotonic()
            try:
                self._turn()
            except SQLAlchemyError as error:
                _log.warning("lease_not_renewed", worker=self._name, error=str(error).splitlines()[0])
            self._stop.wait(BEAT_S)
        self._end()
        self._left.set()
        self._sign.join()
        try:
            with self._engine.begin() as conn:
                leave(conn, self._name)
        except SQLAlchemyError as error:
            _log.warning("lease_not_given_back", worker=self._name, error=str(error).splitlines()[0])

    def _turn(self) -> None:
        held = self._beat()
        if held.give:
            self._end()
            with self._engine.begin() as conn:
                give_back(conn, self._name, held.give)
            held = self._beat()
        if held.scope.tokens != self._scope.tokens:
            self._end()
            self._begin(held.scope)

    def _beat(self) -> Held:
        with reading(self._engine).connect() as conn:
            communes = {node.commune for node in registry.known_nodes(conn).values()}
        with self._engine.begin() as conn:
            return beat(
                conn, self._name, communes, lambda inner, dead: recover(inner, dead, heir=self._name)
            )

    def _begin(self, scope: Scope) -> None:
        self._scope = scope
        if not scope.tokens:
            return
        _log.info("share_taken", worker=self._name, communes=len(scope.tokens))
        self._service = IngestService(
            self._settings, self._engine, None, drain=self._drain, scope=scope, lock=LeaseLock(scope)
        )
        self._service.start()

    def _end(self) -> None:
        service, self._service = self._service, None
        self._scope = Scope(self._name, {})
        if service is not None:
            service.stop()
