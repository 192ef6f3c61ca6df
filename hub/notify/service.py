"""The notifier put together: one loop that looks, notes and sends; in a process of its own or inside a test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.db import reading
from hub.incidents.reads import incidents
from hub.logs import first_line
from hub.notify import store
from hub.notify.channels import ChannelBook
from hub.notify.intake import Digests, news_waits, take_in
from hub.notify.places import Places
from hub.notify.reads import ChannelView
from hub.notify.sending import Sender
from hub.notify.signing import WebhookKeyError, load_key
from hub.notify.transports.webhook import WebhookPoster
from hub.settings import NotifySettings

_log = structlog.get_logger(__name__)

SIGN_OF_LIFE_EVERY = timedelta(seconds=10)
CHORES_EVERY = timedelta(minutes=1)


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Notifier:
    """Follows incidents and tells people and programs; the database must be migrated.

    Engine and executor stay the caller's to close.
    """

    def __init__(
        self,
        settings: NotifySettings,
        engine: Engine,
        executor: Executor,
        *,
        book: ChannelBook | None = None,
        poster: WebhookPoster | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._reads = reading(engine)
        self._clock = clock
        self._book = book or ChannelBook(settings.channels_file, timeout_s=settings.timeout_s)
        self._key = _key_of(settings)
        self._places = Places()
        self._digests = Digests()
        self._sender = Sender(
            settings,
            engine,
            self._reads,
            self._book,
            poster
            or WebhookPoster(timeout_s=settings.timeout_s, allow_private=settings.webhook_allow_private),
            executor,
            key=self._key,
            clock=clock,
        )
        self._life_due_at: datetime | None = None
        self._chores_due_at: datetime | None = None
        self._lost = False

    def run(self, stop: threading.Event) -> None:
        """Take turns until `stop`; a database that is away is waited for."""
        _log.info("notifier_started")
        while not stop.is_set():
            try:
                self.turn()
            except SQLAlchemyError as error:
                if not self._lost:
                    _log.error("database_lost", error=first_line(error))
                self._lost = True
            else:
                if self._lost:
                    _log.info("database_back")
                self._lost = False
            stop.wait(self._settings.poll_ms / 1000)
        self._sender.stop()
        _log.info("notifier_stopped")

    def turn(self) -> None:
        """One look at everything; raises SQLAlchemyError where the database is away."""
        now = self._clock()
        if self._chores_due_at is None or now >= self._chores_due_at:
            self._chores_due_at = now + CHORES_EVERY
            self._chores(now)
        with self._reads.connect() as conn:
            news = news_waits(conn)
        while news:
            news = take_in(self._engine, self._places, now=now, gather_s=self._settings.gather_s) > 0
        self._digests.note(self._engine, self._reads, now=now)
        self._sender.dispatch()
        if self._life_due_at is None or now >= self._life_due_at:
            self._life_due_at = now + SIGN_OF_LIFE_EVERY
            self._give_sign_of_life(now)

    def _chores(self, now: datetime) -> None:
        with self._engine.begin() as conn:
            again = store.recover(conn, now=now)
            store.purge(
                conn,
                before=now - timedelta(days=self._settings.keep_days),
                keep_incidents=lambda: [one.id for one in incidents(conn, status="open", limit=1_000_000)],
            )
        if again:
            _log.warning("notices_taken_up_again", count=again)

    def _give_sign_of_life(self, now: datetime) -> None:
        views = [
            ChannelView(
                entry.name,
                "" if entry.channel is None else entry.channel.service,
                "" if entry.channel is None else entry.channel.address,
                entry.rate_per_min,
                entry.problem or self._book.problem,
            )
            for entry in self._book.entries().values()
        ]
        value = {
            "at": now.isoformat(),
            "channels": [asdict(view) for view in views],
            "webhook_key": self._key is not None,
            "allow_private": self._settings.webhook_allow_private,
        }
        with self._engine.begin() as conn:
            store.sign_of_life(conn, value)


def _key_of(settings: NotifySettings) -> bytes | None:
    if settings.webhook_key_file is None:
        return None
    try:
        return load_key(settings.webhook_key_file)
    except WebhookKeyError as error:
        _log.error("webhook_key_unusable", problem=str(error))
        return None
