"""What waits for the telemetry store, as the drainer sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hub.telemetry.port import Point


class WaitingBatch(NamedTuple):
    """A batch in the order of its commit; ids only grow and are never used again."""

    id: int
    points: list[Point]


class Outbox(Protocol):
    """On disk, filled by the ingest in the transaction that confirms the samples."""

    def waiting(self, after: int, at_most: int) -> list[WaitingBatch]:
        """The oldest batches with an id beyond `after`."""

    def wait(self, timeout_s: float) -> None:
        """Return when new batches may have come, at a `wake`, or at the timeout."""

    def wake(self) -> None:
        """End a `wait` in another thread."""

    def done(self, ids: Sequence[int], *, points: int, refused: Sequence[tuple[Point, str]] = ()) -> None:
        """These batches are in the store, `points` of theirs written; `refused` it will never take."""


class InMemoryOutbox:
    """An outbox made of a dict, for tests."""

    def __init__(self) -> None:
        self.batches: dict[int, list[Point]] = {}
        self.refused: list[tuple[Point, str]] = []
        self.points_written = 0

    def waiting(self, after: int, at_most: int) -> list[WaitingBatch]:
        """See Outbox."""
        ids = sorted(id_ for id_ in self.batches if id_ > after)
        return [WaitingBatch(id_, self.batches[id_]) for id_ in ids[:at_most]]

    def wait(self, timeout_s: float) -> None:
        """See Outbox; never waits."""

    def wake(self) -> None:
        """See Outbox."""

    def done(self, ids: Sequence[int], *, points: int, refused: Sequence[tuple[Point, str]] = ()) -> None:
        """See Outbox."""
        for id_ in ids:
            self.batches.pop(id_, None)
        self.points_written += points
        self.refused += refused
