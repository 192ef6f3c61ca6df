"""The telemetry outbox in SQL: read here by the drainer's thread, emptied by the committer.

What the drainer has written is only noted; the committer deletes it with its next transaction, so that the
process has one writer on the database and the drainer never waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sqlalchemy import Engine, select

from hub.db import reading
from hub.ingest.committing.log import points_in
from hub.ingest.tables import telemetry_outbox
from hub.telemetry.outbox import WaitingBatch
from hub.telemetry.port import Point

POINTS_AT_ONCE = 20_000
"""So many points are held in memory at a time, or one batch."""


class Drained:
    """What the drainer has done since the committer last asked."""

    __slots__ = ("ids", "points", "refused")

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.points = 0
        self.refused: list[tuple[Point, str]] = []


class SqlOutbox:
    """See `hub.telemetry.outbox.Outbox`; `take_drained` and `give_back` are the committer's side."""

    def __init__(self, engine: Engine, worker: str = "") -> None:
        self._engine = reading(engine)
        self._worker = worker
        self._filled = threading.Event()
        self._lock = threading.Lock()
        self._drained = Drained()

    def waiting(self, after: int, at_most: int) -> list[WaitingBatch]:
        """See Outbox."""
        table = telemetry_outbox.c
        mine = table.worker == self._worker
        sizes = select(table.id, table.points).where(mine, table.id > after).order_by(table.id)
        with self._engine.connect() as conn:
            last, sum_of_points = after, 0
            for number, points in conn.execute(sizes.limit(at_most)):
                sum_of_points += points
                if last > after and sum_of_points > POINTS_AT_ONCE:
                    break
                last = number
            if last == after:
                return []
            query = select(table.id, table.payload).where(mine, table.id > after, table.id <= last)
            rows = conn.execute(query.order_by(table.id)).all()
        return [WaitingBatch(row.id, points_in(row.payload)) for row in rows]

    def wait(self, timeout_s: float) -> None:
        """See Outbox."""
        self._filled.wait(timeout_s)
        self._filled.clear()

    def done(self, ids: Sequence[int], *, points: int, refused: Sequence[tuple[Point, str]] = ()) -> None:
        """See Outbox."""
        with self._lock:
            self._drained.ids += ids
            self._drained.points += points
            self._drained.refused += refused

    def wake(self) -> None:
        """See Outbox; also called when new batches are committed."""
        self._filled.set()

    def take_drained(self) -> Drained:
        """What is to be deleted now."""
        with self._lock:
            drained, self._drained = self._drained, Drained()
        return drained

    def give_back(self, drained: Drained) -> None:
        """The transaction that should have deleted them failed."""
        with self._lock:
            self._drained.ids = drained.ids + self._drained.ids
            self._drained.points += drained.points
            self._drained.refused = drained.refused + self._drained.refused
