"""What the log holds and the rows of state do not yet: written oldest first, a little later and once for many.

A node that sends twenty samples between two looks of a person needs its rows written once. Each transaction
commits the log (`telemetry_outbox`); the rows follow within about a second, or under a load that no second
suffices for, within about a minute. A log row is deleted only once all state that follows from it is
written: the newest such id is the checkpoint. After a crash the state is made whole from the log rows
behind it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from hub.ingest.judging.directory import KnownNode
from hub.ingest.ranges import RangeSet
from protocol import Sample

AT_ONCE = 64
"""So few nodes are written with every commit."""

EVERY_S = 0.5
"""Else they are gathered this long."""

AT_LEAST = 1500
"""Nodes in one writing: a province at its usual pace, 1,650 a second, is never more than a second behind, and
half a minute after a rush it is so again."""

RUSH_PER_S = 5000
"""More messages than three provinces send: what was held back somewhere and comes now, faster than any rows of
state could follow."""

AT_LEAST_IN_A_RUSH = 400
"""Nodes in one writing then: all of a commune, of a province so many that none waits longer than a minute. More
would make a message dearer the more nodes speak, as each then writes its rows for itself."""

LONGEST_S = 60.0
"""No row is gathered longer than about this, whatever the load; so much of the log is read after a crash."""


@dataclass(slots=True, eq=False)
class Slot:
    """A node's place in the fast lane: one epoch of it, with the rows of its poles that wait."""

    known: KnownNode
    name: str
    commune: str
    epoch: str
    ranges: RangeSet
    poles: frozenset[str]
    since: int = 0
    """The number of the batch whose rows are the oldest that wait; 0 while none do."""
    pending: dict[str, tuple[Sample, float]] = field(default_factory=dict)
    """Per pole the newest sample, with its arrival in Unix seconds."""


class Unflushed:
    """Slots with something to write, the longest waiting first, and where the log stands."""

    def __init__(self, checkpoint: int = 0) -> None:
        self._slots: dict[Slot, None] = {}
        self._starts: deque[tuple[int, int]] = deque()
        self._newest_id = checkpoint
        self._last_s = float("-inf")
        self._came = 0

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, slot: Slot) -> None:
        """The slot has something to write from now on; its `since` says from which batch."""
        self._slots[slot] = None

    def logged(self, number: int, newest_id: int) -> None:
        """Batch `number` is committed; `newest_id` is the log's last row now."""
        self._starts.append((number, self._newest_id))
        self._newest_id = newest_id

    def checkpoint(self) -> int:
        """The newest id of the log up to which all state is written."""
        oldest = next(iter(self._slots), None)
        if oldest is None:
            self._starts.clear()
            return self._newest_id
        while self._starts and self._starts[0][0] < oldest.since:
            self._starts.popleft()
        return self._starts[0][1] if self._starts else self._newest_id

    def due(self, monotonic_s: float, *, messages: int = 0, everything: bool = False) -> list[Slot]:
        """The slots whose rows go with this commit of so many messages; the caller empties them."""
        waiting = len(self._slots)
        self._came += messages
        if waiting > AT_ONCE and not everything:
            elapsed_s = monotonic_s - self._last_s
            if elapsed_s < EVERY_S:
                return []
            at_least = AT_LEAST_IN_A_RUSH if self._came > RUSH_PER_S * elapsed_s else AT_LEAST
            turn = list(islice(self._slots, max(at_least, int(waiting * EVERY_S / LONGEST_S))))
        else:
            turn = list(self._slots)
        self._last_s, self._came = monotonic_s, 0
        for slot in turn:
            del self._slots[slot]
            slot.since = 0
        return turn
