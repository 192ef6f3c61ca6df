"""What one node has made and the hub has not confirmed, and the messages in which it goes.

The bookkeeping of `edge/outbox` and `edge/link/send_plan.py` in short: nothing is forgotten before the hub
names it, what was not confirmed goes again as history, and what a wrong clock stamped is corrected once the
clock is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import msgspec

from edge.link.envelopes import wrap
from edge.outbox.outbox_file import Item
from protocol import Kind, Stored
from protocol.messages import Event, Sample

PER_MESSAGE = 100


class NodeOutbox:
    """One epoch. `put` gives seqs; `live` and `history` make messages; `confirm` forgets."""

    def __init__(self, node: str, random: Random) -> None:
        self.epoch = UUID(int=random.getrandbits(128))
        self._node = node
        self._seq = 0
        self._waiting: dict[int, Item] = {}
        self._unsent: set[int] = set()
        self._wrong_by: dict[int, timedelta] = {}

    @property
    def queued(self) -> int:
        """How many wait for the hub's word."""
        return len(self._waiting)

    @property
    def behind(self) -> bool:
        """Whether anything was never sent, or was sent in vain."""
        return bool(self._unsent)

    def next_seq(self) -> int:
        """The seq of the item that is put next."""
        self._seq += 1
        return self._seq

    def put(self, items: Iterable[Item], *, wrong_by: timedelta | None) -> None:
        """Keep them. `wrong_by`: how far the clock was off that stamped them, where it knew no better."""
        for item in items:
            self._waiting[item.seq] = item
            self._unsent.add(item.seq)
            if wrong_by is not None:
                self._wrong_by[item.seq] = wrong_by

    def live(self, items: Sequence[Item], now: datetime) -> Iterator[tuple[Kind, bytes]]:
        """These as they are sent at once."""
        self._unsent.difference_update(item.seq for item in items)
        for envelope in wrap(items, node=self._node, epoch=self.epoch, historical=False, now=now):
            yield envelope.kind, envelope.payload

    def lost(self) -> None:
        """Whatever is in flight may be lost: it is to go again."""
        self._unsent = set(self._waiting)

    def history(self, now: datetime) -> Iterator[tuple[Kind, bytes]]:
        """All that waits, events first, then samples from the oldest."""
        seqs = sorted(self._unsent)
        self._unsent.clear()
        events = [item for seq in seqs if isinstance(item := self._waiting[seq], Event)]
        samples = [item for seq in seqs if isinstance(item := self._waiting[seq], Sample)]
        for items in (events, samples):
            for start in range(0, len(items), PER_MESSAGE):
                part: list[Item] = [*items[start : start + PER_MESSAGE]]
                for envelope in wrap(part, node=self._node, epoch=self.epoch, historical=True, now=now):
                    yield envelope.kind, envelope.payload

    def clock_is_right(self) -> None:
        """The clock has become right within the boot: what waits gets its true time."""
        for seq, wrong_by in self._wrong_by.items():
            item = self._waiting.get(seq)
            if item is not None:
                self._waiting[seq] = msgspec.structs.replace(
                    item, time=item.time - wrong_by, clock="synced", time_corrected=True
                )
        self._wrong_by.clear()

    def confirm(self, stored: Stored) -> None:
        """The hub has these, or has set them aside."""
        spans = [(one.first, one.last) for one in stored.ranges]
        spans += [(one.first, one.last) for one in stored.set_aside]
        for first, last in spans:
            for seq in range(first, last + 1):
                self._waiting.pop(seq, None)
                self._unsent.discard(seq)
                self._wrong_by.pop(seq, None)
