"""The telemetry drainer as a process of its own: decoding and writing points must not slow the commits.

Parent and child speak over the child's pipes. The parent writes a byte when batches may have come, and
another when it is to begin with the oldest again; the end of that stream ends the child after the write at
hand, whatever ended the parent. The child writes a line of JSON for each group of batches that the store has
taken, and one when the store is lost or back. Who deletes from the outbox is still the committer alone.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, BinaryIO

import msgspec
import structlog
from sqlalchemy import Engine

from hub.ingest.committing.outbox import SqlOutbox
from hub.telemetry.drainer import Drainer
from hub.telemetry.outbox import WaitingBatch
from hub.telemetry.port import Point, StoreUnavailableError, TelemetryStore

NICENESS = 10
"""Below the ingest: what is taken in can wait in the outbox, what is not taken in waits on the nodes."""

ENDS_WITHIN_S = 3.0
"""A child that is longer at its last write is killed: what it had told nobody of is written again."""

_WAKE, _AGAIN = b"\n", b"0"
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_STEADY_AFTER_S = 10.0
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
        self._ends_within_s = ends_within_s
        self._outbox = outbox
        self._argv = list(argv)
        self._last_id = 0
        self._again = 0
        self._telling = threading.Lock()
        self._store_up = True
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread(target=self._run, name="telemetry-drain-reader")
        self._waker = threading.Thread(target=self._wake, name="telemetry-drain-waker")

    @property
    def pid(self) -> int | None:
        """The child's process id; None between two."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Begin to drain."""
        self._reader.start()
        self._waker.start()

    def stop(self) -> None:
        """End after the write at hand, or a few seconds; what the child has told is in the outbox then."""
        self._stop.set()
        self._outbox.wake()
        self._waker.join()
        child = self._child
        if child is not None and child.stdin is not None:
            _close(child.stdin)
        self._reader.join(self._ends_within_s)
        while self._reader.is_alive():
            # It may have been started a moment ago, so it is looked for anew.
            child = self._child
            if child is not None:
                child.kill()
            self._reader.join(0.1)

    def again(self) -> None:
        """Begin with the oldest batch that waits: there are new ones among the old."""
        with self._telling:
            self._last_id = 0
            self._again += 1
            self._tell(_AGAIN)

    def store_is_up(self) -> bool:
        """Whether the last write got through."""
        return self._store_up

    def _wake(self) -> None:
        while not self._stop.is_set():
            self._outbox.wait(1.0)
            with self._telling:
                self._tell(_WAKE)

    def _tell(self, word: bytes) -> None:
        child = self._child
        if child is not None and child.stdin is not None:
            try:
                child.stdin.write(word)
                child.stdin.flush()
            except (OSError, ValueError):
                return  # it has ended; the reader sees to that

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stop.is_set():
            started_s = time.monotonic()
            code = self._one_life()
            if self._stop.is_set():
                return
            if time.monotonic() - started_s > _STEADY_AFTER_S:
                pause_s = _FIRST_PAUSE_S
            _log.warning("telemetry_drain_ended", code=code, restart_in_s=pause_s)
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _one_life(self) -> int:
        with self._telling:
            child = subprocess.Popen(
                [*self._argv, str(self._last_id)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._child = child
            self._again = 0
        assert child.stdout is not None
        assert child.stdin is not None
        if self._stop.is_set():
            _close(child.stdin)
        with child.stdout as lines:
            for line in lines:
                self._take(_DECODE(line))
        _close(child.stdin)
        return child.wait()

    def _take(self, told: Told) -> None:
        self._store_up = told.store_up
        if told.ids:
            with self._telling:
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
    """The child's work, until its standard input ends. Signals are the parent's to answer.

    `opening` gives the store, which is closed here; while it raises StoreUnavailableError it is called again,
    as for a store that is down: an embedded one cannot be opened on a full disk.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
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
    nice = shutil.which("nice")
    # From its first import on: a hub that starts must not wait for its own helper.
    first = [nice, "-n", str(NICENESS)] if nice else []
    return [*first, sys.executable, "-m", "ngonden", "hub", "drain", "--config", config, "--after"]


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # the other side has gone first
