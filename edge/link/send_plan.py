"""What goes to the hub next, and what must go again: pure bookkeeping over seqs, time as an argument.

Events and receipts first, then the newest live samples, then history from its oldest. A message is in
flight until the hub has confirmed every seq in it. One that stays unconfirmed goes back to the backlog; and
when nothing at all comes back, the plan sends a single message at a time, at pauses that double, so that a
hub that is away finds neither a flooded broker nor a silent node.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.outbox.outbox_file import Item
from protocol.messages import Sample

LIVE_FOR_S = 15.0
"""A sample older than this is history: it raises no live alert any more."""
MESSAGE_SAMPLES = 100
"""About 35 kB: passes over a weak 4G link within a few seconds."""
MESSAGE_URGENT = 50
WINDOW_MESSAGES = 20
RESEND_AFTER_S = 20.0
RESEND_MAX_S = 300.0


Which = Literal["urgent", "samples"]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Send these items now; they are in memory."""

    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Stored:
    """Read up to `limit` items above `after_seq` from the outbox, and hand what it gave to `found`."""

    which: Which
    after_seq: int
    limit: int
    version: int
    """Of the backlog: an answer that comes after things were given back does not move the place read."""


@dataclass(slots=True)
class _Flight:
    waiting: set[int]
    sent_at_s: float


@dataclass(frozen=True, slots=True)
class _Made:
    at_s: float
    items: list[Item]


class SendPlan:
    """The plan of one epoch. Every unconfirmed seq is held to be sent, in flight, or in the backlog."""

    def __init__(self, *, backlog: bool) -> None:
        """`backlog`: whether the outbox holds items from before."""
        self._urgent: deque[_Made] = deque()
        self._live: deque[_Made] = deque()
        self._held: set[int] = set()
        self._flights: dict[int, _Flight] = {}
        self._flight_of: dict[int, int] = {}
        self._flight_number = 0
        self._after: dict[Which, int] = {"urgent": 0, "samples": 0}
        self._backlog: dict[Which, bool] = {"urgent": backlog, "samples": backlog}
        self._backlog_version = 0
        self._window = WINDOW_MESSAGES
        self._resend_after_s = RESEND_AFTER_S
        self._progress_at_s = float("-inf")
        self.stalled = False
        """Whether the hub has let a resend time pass without any confirmation."""

    def add(self, items: Iterable[Item], *, now_s: float) -> None:
        """Take in what the outbox has just stored."""
        samples: list[Item] = []
        for item in items:
            self._held.add(item.seq)
            if isinstance(item, Sample):
                samples.append(item)
            else:
                self._urgent.append(_Made(now_s, [item]))
        if samples:
            self._live.append(_Made(now_s, samples))
        self._retire_aged(now_s)

    def next(self, now_s: float, *, history: bool = True) -> Fresh | Stored | None:
        """What to send now; None when nothing is due or the window is full. Without `history` the backlog of
        samples waits: its times may soon be known better.

        Items of a `Fresh` leave memory: call `sent` for them before anything else happens.
        """
        self._retire_aged(now_s)
        self._retire_overdue(now_s)
        room = self._window - len(self._flights)
        if room <= 0:
            return None
        if self._backlog["urgent"]:
            return self._stored("urgent", min(room, MESSAGE_URGENT))
        if self._urgent:
            how_many = min(len(self._urgent), room, MESSAGE_URGENT)
            return self._fresh([self._urgent.popleft().items[0] for _ in range(how_many)])
        if self._live:
            samples = list(self._live.pop().items)
            while self._live and len(samples) + len(self._live[-1].items) <= MESSAGE_SAMPLES:
                samples.extend(self._live.pop().items)
            return self._fresh(samples)
        if history and self._backlog["samples"]:
            return self._stored("samples", MESSAGE_SAMPLES)
        return None

    def found(self, asked: Stored, items: Sequence[Item]) -> list[Item]:
        """Take the outbox's answer; returns those to send now. An empty answer ends that backlog."""
        if asked.version == self._backlog_version:
            if items:
                self._after[asked.which] = items[-1].seq
            else:
                self._backlog[asked.which] = False
        return [item for item in items if item.seq not in self._held and item.seq not in self._flight_of]

    def sent(self, items: Sequence[Item], *, now_s: float) -> None:
        """These are on their way as one message. Call it before they leave: `stored` may be quick."""
        self._flight_number += 1
        self._flights[self._flight_number] = _Flight({item.seq for item in items}, now_s)
        for item in items:
            self._flight_of[item.seq] = self._flight_number

    def confirm(self, first: int, last: int, *, now_s: float) -> None:
        """The hub has stored, or set aside, first … last."""
        if last - first < len(self._flight_of):
            seqs = [seq for seq in range(first, last + 1) if seq in self._flight_of]
        else:
            seqs = [seq for seq in self._flight_of if first <= seq <= last]
        for seq in seqs:
            number = self._flight_of.pop(seq)
            flight = self._flights[number]
            flight.waiting.discard(seq)
            if not flight.waiting:
                del self._flights[number]
        self._progress_at_s = now_s
        self._resend_after_s = RESEND_AFTER_S
        self._window = min(WINDOW_MESSAGES, self._window * 2)
        self.stalled = False

    def look_again(self) -> None:
        """The outbox holds items that this plan was not told of."""
        self._to_backlog("urgent", [1])
        self._to_backlog("samples", [1])

    def reconnected(self) -> None:
        """What was in flight may be lost: send it again, without waiting."""
        for number in list(self._flights):
            self._give_back(number)
        self._window = WINDOW_MESSAGES
        self._resend_after_s = RESEND_AFTER_S

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until the first message in flight is overdue; None with nothing in flight."""
        if not self._flights:
            return None
        first = next(iter(self._flights.values()))
        return max(0.0, first.sent_at_s + self._resend_after_s - now_s)

    @property
    def in_flight(self) -> int:
        """Messages that the hub has not confirmed yet."""
        return len(self._flights)

    def _fresh(self, items: list[Item]) -> Fresh:
        self._held.difference_update(item.seq for item in items)
        return Fresh(items)

    def _stored(self, which: Which, limit: int) -> Stored:
        return Stored(which, self._after[which], limit, self._backlog_version)

    def _retire_aged(self, now_s: float) -> None:
        self._retire(self._urgent, "urgent", now_s)
        self._retire(self._live, "samples", now_s)

    def _retire(self, queue: deque[_Made], which: Which, now_s: float) -> None:
        while queue and now_s - queue[0].at_s > LIVE_FOR_S:
            seqs = [item.seq for item in queue.popleft().items]
            self._held.difference_update(seqs)
            self._to_backlog(which, seqs)

    def _retire_overdue(self, now_s: float) -> None:
        overdue = [
            number
            for number, flight in self._flights.items()
            if now_s - flight.sent_at_s >= self._resend_after_s
        ]
        if not overdue:
            return
        newest_sent_at_s = max(self._flights[number].sent_at_s for number in overdue)
        if self._progress_at_s < newest_sent_at_s:
            self._window = 1
            self._resend_after_s = min(RESEND_MAX_S, self._resend_after_s * (2 if self.stalled else 1))
            self.stalled = True
            # All of it, or each of the others would count as one more silence, second by second.
            overdue = list(self._flights)
        for number in overdue:
            self._give_back(number)

    def _give_back(self, number: int) -> None:
        # Only the outbox knows which of the two backlogs a seq belongs to; looking at both costs little.
        seqs = self._flights.pop(number).waiting
        for seq in seqs:
            del self._flight_of[seq]
        self._to_backlog("urgent", seqs)
        self._to_backlog("samples", seqs)

    def _to_backlog(self, which: Which, seqs: Iterable[int]) -> None:
        self._backlog_version += 1
        first = min(seqs)
        self._after[which] = min(self._after[which], first - 1)
        self._backlog[which] = True
