"""The telemetry drainer as a process of its own: decoding and writing points must not slow the commits.

The parent tells the child a byte when batches may have come, and another when it is to begin with the oldest
again; the end of that stream ends the child after the write at hand. What it had told nobody of by then is
written again. The child writes a line of JSON for each group of batches that the store has
taken, and one when the store is lost or back. Who deletes from the outbox is still the committer alone.
"""

from __future__ import annotations

import os
import selectors
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import BinaryIO

import msgspec
import structlog
from sqlalchemy import Engine

from hub.ingest.committing.outbox import SqlOutbox
from hub.kept_child import ENDS_WITHIN_S, KeptChild, helper_argv, leave_signals_to_parent, step_back
from hub.telemetry.drainer import Drainer
from hub.telemetry.outbox import WaitingBatch
from hub.telemetry.port import Point, StoreUnavailableError, TelemetryStore

_WAKE, _AGAIN = b"\n", b"0"
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_log = structlog.get_logger(__name__)


class Told(msgspec.Struct, omit_defaults=True):
    """One line of the child."""

    ids: list[int] = []
    points: int = 0
    refused: list[tuple[Point, str]] = []
    store_up: bool = True
    again: int = 0
    """How often the child was told to begin with the oldest."""


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Told).decode


class DrainProcess:
    """Keeps the child running between `start` and `stop`; what it tells goes into the outbox given.

    `argv` starts the child; the id it is to begin behind is added at the end.
    """

    def __init__(
        self, outbox: SqlOutbox, argv: Sequence[str], *, ends_within_s: float = ENDS_WITHIN_S
    ) -> None:
        self._outbox = outbox
        self._argv = list(argv)
        self._last_id = 0
        self._again = 0
        self._store_up = True
        self._stop = threading.Event()
        self._child = KeptChild(
            "telemetry_drain", self._next_argv, on_line=self._take, ends_within_s=ends_within_s
        )
        self._waker = threading.Thread(target=self._wake, name="telemetry-drain-waker")

    @property
    def pid(self) -> int | None:
        """The child's process id; None between two."""
        return self._child.pid

    def start(self) -> None:
        """Begin to drain."""
        self._child.start()
        self._waker.start()

    def stop(self) -> None:
        """End after the write at hand, or a few seconds; what the child has told is in the outbox then."""
        self._stop.set()
        self._outbox.wake()
        self._waker.join()
        self._child.stop()

    def again(self) -> None:
        """Begin with the oldest batch that waits: there are new ones among the old."""
        with self._child.starting:
            self._last_id = 0
            self._again += 1
            self._child.tell(_AGAIN)

    def store_is_up(self) -> bool:
        """Whether the last write got through."""
        return self._store_up

    def _wake(self) -> None:
        while not self._stop.is_set():
            self._outbox.wait(1.0)
            self._child.tell(_WAKE)

    def _next_argv(self) -> list[str]:
        self._again = 0
        return [*self._argv, str(self._last_id)]

    def _take(self, line: bytes) -> None:
        told = _DECODE(line)
        self._store_up = told.store_up
        if told.ids:
            with self._child.starting:
                if told.again == self._again:
                    self._last_id = max(self._last_id, *told.ids)
            self._outbox.done(told.ids, points=told.points, refused=told.refused)


class _PipedOutbox(SqlOutbox):
    """The child's side: reads the database, and tells the parent instead of noting for a committer."""

    def __init__(self, engine: Engine, worker: str, wakes: BinaryIO, lines: BinaryIO) -> None:
        super().__init__(engine, worker)
        self._wakes = wakes
        self._lines = lines
        self._ready = selectors.DefaultSelector()
        self._ready.register(wakes, selectors.EVENT_READ)
        self._again = 0
        self.on_again: Callable[[], None] = lambda: None
        self.ended = False

    def waiting(self, after: int, at_most: int) -> list[WaitingBatch]:
        """See Outbox; nothing more once the parent has gone, and nothing behind an `after` that is void."""
        before = self._again
        self._look(0)
        return [] if self.ended or self._again != before else super().waiting(after, at_most)

    def wait(self, timeout_s: float) -> None:
        """See Outbox."""
        self._look(timeout_s)

    @property
    def told_again(self) -> bool:
        """Whether the parent has said to begin with the oldest."""
        return self._again > 0

    def rest(self, seconds: float) -> None:
        """Wait so long, or until the parent has gone; no commit ends this."""
        end_s = time.monotonic() + seconds
        while not self.ended and (left_s := end_s - time.monotonic()) > 0:
            self._look(left_s)

    def done(self, ids: Sequence[int], *, points: int, refused: Sequence[tuple[Point, str]] = ()) -> None:
        """See Outbox."""
        self._tell(Told(list(ids), points, list(refused), again=self._again))

    def tell_store(self, *, up: bool) -> None:
        """Tell that the store is lost or back."""
        self._tell(Told(store_up=up))

    def _tell(self, told: Told) -> None:
        try:
            self._lines.write(_ENCODE(told) + b"\n")
            self._lines.flush()
        except BrokenPipeError:
            self.ended = True

    def _look(self, timeout_s: float) -> None:
        if self.ended or not self._ready.select(timeout_s):
            return
        words = os.read(self._wakes.fileno(), 65536)
        self.ended = not words
        if _AGAIN in words:
            self._again += words.count(_AGAIN)
            self.on_again()


def drain(engine: Engine, opening: Callable[[], TelemetryStore], *, after: int, worker: str = "") -> None:
    """The child's work, until its standard input ends.

    `opening` gives the store, which is closed here; while it raises StoreUnavailableError it is called again,
    as for a store that is down: an embedded one cannot be opened on a full disk.
    """
    leave_signals_to_parent()
    step_back()
    outbox = _PipedOutbox(engine, worker, sys.stdin.buffer, sys.stdout.buffer)
    store = _opened(outbox, opening)
    if store is None:
        return
    try:
        after = 0 if outbox.told_again else after
        drainer = Drainer(outbox, store, after=after, on_store=lambda up: outbox.tell_store(up=up))
        outbox.on_again = drainer.again
        drainer.run(until=lambda: outbox.ended)
    finally:
        store.close()


def _opened(outbox: _PipedOutbox, opening: Callable[[], TelemetryStore]) -> TelemetryStore | None:
    """The store, as soon as it can be had; None when the parent has gone first."""
    pause_s, lost = _FIRST_PAUSE_S, False
    while not outbox.ended:
        try:
            store = opening()
        except StoreUnavailableError as error:
            if not lost:
                lost = True
                outbox.tell_store(up=False)
                _log.warning("telemetry_store_lost", error=str(error))
            outbox.rest(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            continue
        if lost:
            outbox.tell_store(up=True)
            _log.info("telemetry_store_back")
        return store
    return None


def drain_argv(config: str) -> list[str]:
    """How `ngonden hub run` starts its child; see `DrainProcess`."""
    return helper_argv("drain", config, "--after")
