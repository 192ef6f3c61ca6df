"""Moves telemetry from the outbox into the store; a store that is down only makes the outbox grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from hub.telemetry.outbox import Outbox, WaitingBatch
from hub.telemetry.port import Point, PointsRefusedError, StoreUnavailableError, TelemetryStore

BATCHES_AT_ONCE = 1000
"""Of a load of many small commits so many fill a write; the outbox bounds how many points it hands over."""
POINTS_AT_ONCE = 5000
_IDLE_S = 1.0
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 15.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Written:
    """How many points a store took, and which it will never take, with its words."""

    points: int
    refused: list[tuple[Point, str]]


def write_splitting(store: TelemetryStore, batch_id: int, points: Sequence[Point]) -> Written:
    """Write the points; where the store refuses some, halve until the bad ones stand alone.

    Writing is idempotent, so a half that was partly taken is simply written again. Raises
    StoreUnavailableError.
    """
    if not points:
        return Written(0, [])
    try:
        store.write(batch_id, points)
    except PointsRefusedError as error:
        if len(points) == 1:
            return Written(0, [(points[0], str(error))])
        middle = len(points) // 2
        first = write_splitting(store, batch_id, points[:middle])
        second = write_splitting(store, batch_id, points[middle:])
        return Written(first.points + second.points, first.refused + second.refused)
    return Written(len(points), [])


class Drainer:
    """Works in a thread of its own between `start` and `stop`; `step` does one round for tests."""

    def __init__(
        self,
        outbox: Outbox,
        store: TelemetryStore,
        *,
        after: int = 0,
        on_store: Callable[[bool], None] = lambda _up: None,
    ) -> None:
        """Begin with the batch behind id `after`; `on_store` hears when the store is lost (False) or back."""
        self._outbox = outbox
        self._store = store
        self._last_id = after
        self._on_store = on_store
        self._stop = threading.Event()
        self._anew = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry-drainer")
        self._pause_s = 0.0
        self._store_up = True

    def start(self) -> None:
        """Begin to drain."""
        self._thread.start()

    def stop(self) -> None:
        """End after the write at hand; what was not drained stays in the outbox."""
        self._stop.set()
        self._outbox.wake()
        self._thread.join()

    def again(self) -> None:
        """Begin with the oldest batch that waits: there are new ones among the old."""
        self._anew.set()
        self._outbox.wake()

    def store_is_up(self) -> bool:
        """Whether the last write got through."""
        return self._store_up

    def step(self) -> bool:
        """Write what waits, at most a few thousand points; False when there was nothing or no store."""
        if self._anew.is_set():
            self._anew.clear()
            self._last_id = 0
        batches = self._outbox.waiting(self._last_id, BATCHES_AT_ONCE)
        if not batches:
            self._pause_s = 0.0
        for group in _grouped(batches):
            points = [point for batch in group for point in batch.points]
            try:
                written = write_splitting(self._store, group[0].id, points)
            except StoreUnavailableError as error:
                self._failed(error)
                return False
            self._recovered()
            self._last_id = group[-1].id
            self._outbox.done([batch.id for batch in group], points=written.points, refused=written.refused)
        return bool(batches)

    def run(self, until: Callable[[], bool]) -> None:
        """Drain in this thread until the condition holds; it is asked at least every few seconds."""
        while not until():
            try:
                drained = self.step()
            except Exception as error:  # noqa: BLE001  # the thread must outlive a database that is away
                self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                _log.warning("telemetry_drain_failed", error=str(error), retry_in_s=self._pause_s)
                drained = False
            if self._pause_s:
                self._rest(until)
            elif not drained:
                self._outbox.wait(_IDLE_S)

    def _run(self) -> None:
        self.run(self._stop.is_set)

    def _rest(self, until: Callable[[], bool]) -> None:
        end_s = time.monotonic() + self._pause_s
        while not until() and (left_s := end_s - time.monotonic()) > 0:
            # Not the outbox's own wait: each commit ends that, and a store that is down is not to be hurried.
            self._stop.wait(min(left_s, 0.25))

    def _failed(self, error: StoreUnavailableError) -> None:
        longer = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._pause_s = error.retry_after_s if error.retry_after_s is not None else longer
        if self._store_up:
            self._store_up = False
            self._on_store(False)
            _log.warning("telemetry_store_lost", error=str(error))

    def _recovered(self) -> None:
        self._pause_s = 0.0
        if not self._store_up:
            self._store_up = True
            self._on_store(True)
            _log.info("telemetry_store_back")


def _grouped(batches: Sequence[WaitingBatch]) -> list[list[WaitingBatch]]:
    groups: list[list[WaitingBatch]] = []
    size = 0
    for batch in batches:
        if groups and size + len(batch.points) <= POINTS_AT_ONCE:
            groups[-1].append(batch)
            size += len(batch.points)
        else:
            groups.append([batch])
            size = len(batch.points)
    return groups
