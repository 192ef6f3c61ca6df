"""News for open pages: one poller per process asks the database what changed, and tells every listener.

The database is the only meeting point of the hub's processes, so this works the same with SQLite, with
PostgreSQL and with many web servers. A listener that does not keep up is let go; its browser comes back
with `Last-Event-ID` and gets what it missed from the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from hub.api.live.news import WHOLE, News, Sight
from hub.api.problems import Problem

MAX_LISTENERS = 500

QUEUE_LENGTH = 64
"""Batches that may wait for one listener: half a minute at two a second."""

RECHECK_S = 5.0
"""How often states are looked at anew without news: silence turns a lamp to `unknown` by time alone."""

_log = structlog.get_logger()


class Listener:
    """One open stream: batches come out of `get`, None at the end."""

    def __init__(self, length: int = QUEUE_LENGTH) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(length)

    def offer(self, batch: bytes) -> bool:
        """Hand over a batch; False when the listener is too far behind: its stream then ends."""
        if self._queue.full():
            self.end()
            return False
        self._queue.put_nowait(batch)
        return True

    async def get(self) -> bytes | None:
        """The next batch, or None at the end."""
        return await self._queue.get()

    def end(self) -> None:
        """End the stream; what it has not read yet, it reads again when it comes back."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class Feed:
    """Polls every `poll_s` seconds while somebody listens."""

    def __init__(self, news: News, *, poll_s: float) -> None:
        self._news = news
        self._poll_s = poll_s
        self._listeners: dict[Listener, Sight] = {}
        self._poller: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closing = asyncio.Event()

    def check_room(self) -> None:
        """Raises Problem 503 when too many listen already."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise Problem(
                503,
                "too-many-listeners",
                "too many event streams are open, try again later",
                "Quá nhiều trang đang theo dõi trực tiếp, xin thử lại sau.",
                headers={"retry-after": "30"},
            )

    @asynccontextmanager
    async def listen(self, since: int | None, sight: Sight = WHOLE) -> AsyncIterator[Listener]:
        """A stream of all in sight that changes after revision `since`; without it, from now on."""
        await self._start()
        listener = Listener()
        # Before the catch-up is read: what is committed in between then comes twice, and never not at all.
        self._listeners[listener] = sight
        try:
            listener.offer(await run_in_threadpool(self._news.catch_up, since, sight))
            yield listener
        finally:
            self._listeners.pop(listener, None)

    async def close(self) -> None:
        """Stop polling and end all streams."""
        for listener in self._listeners:
            listener.end()
        self._closing.set()
        if self._poller is not None:
            # Not cancelled: its thread would go on with a connection that nobody closes any more.
            await self._poller
            self._poller = None

    async def _start(self) -> None:
        async with self._starting:
            if self._poller is None or self._poller.done():
                await run_in_threadpool(self._news.look)  # what was before is for the catch-up to tell
                self._poller = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        failing = False
        loop = asyncio.get_running_loop()
        recheck_at = loop.time() + RECHECK_S
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._poll_s)
            if self._closing.is_set() or not self._listeners:
                return
            recheck = loop.time() >= recheck_at
            sights = set(self._listeners.values())
            try:
                batch = await run_in_threadpool(
                    self._news.look_again if recheck else self._news.look, sights
                )
            except SQLAlchemyError as error:
                if not failing:
                    _log.warning("events_lost_database", error=str(error))
                failing = True
                continue
            if failing:
                _log.info("events_found_database")
                failing = False
            if recheck:
                recheck_at = loop.time() + RECHECK_S
            # For all who listen by now: what was committed after somebody's catch-up is only told here.
            # Who comes from here on reads what we have read.
            told = await run_in_threadpool(batch.told, set(self._listeners.values()))
            for listener, sight in list(self._listeners.items()):
                news = told.get(sight, b"")
                if news and not listener.offer(news):
                    self._listeners.pop(listener, None)
