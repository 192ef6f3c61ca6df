"""What goes to the hub next, and what must go again: pure bookkeeping over seqs, time as an argument.

Events and receipts first (new ones before old ones), then the newest live samples, then history from its
oldest. A message is in flight until the hub has confirmed every seq in it. One that stays unconfirmed goes
back to the backlog; and when nothing at all comes back, the plan sends a single message at a time, at
pauses that double, so that a hub that is away finds neither a flooded broker nor a silent node.

With a report interval, samples wait in memory to travel together. What can't wait takes them along: an event,
a receipt, a lamp or a fault that changed, a clock that can't be believed (its samples are filed by arrival).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.link.pace import Pace
from edge.outbox.outbox_file import Item
from protocol.messages import Sample

LIVE_FOR_S = 15.0
"""A sample older than this is history: it raises no live alert any more."""
MESSAGE_SAMPLES = 100
"""About 35 kB: passes over a weak 4G link within a few seconds."""
MESSAGE_URGENT = 50
WINDOW_MESSAGES = 20
HELD_SAMPLES = 2 * MESSAGE_SAMPLES
"""So many wait in memory at most; older ones are read from the outbox when their turn comes."""
UNHEARD_FIRST_S = 2.0
"""The first pause when the broker says that nobody listens; it doubles up to the longest resend time."""
_SOON = 0.95
"""The tick that comes within the last twentieth of the report interval ends the waiting, so that the newest
sample of a report is fresh."""

Which = Literal["urgent", "samples"]
ALL_HISTORY: frozenset[Which] = frozenset({"urgent", "samples"})


@dataclass(frozen=True, slots=True)
class Fresh:
    """Send these items now; they are in memory."""

    items: Sequence[Item]
    late: frozenset[int] = frozenset()
    """Seqs among them that have waited longer than LIVE_FOR_S."""


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

    def __init__(self, *, backlog: bool, pace: Pace | None = None) -> None:
        """`backlog`: whether the outbox holds items from before. `pace` may change while the plan is used."""
        self._pace = pace or Pace()
        self._urgent: deque[_Made] = deque()
        self._live: deque[_Made] = deque()
        self._held: set[int] = set()
        self._hurry = False
        self._told: dict[str, tuple[object, ...]] = {}
        self._history_at_s = float("-inf")
        self._again_at_s = float("-inf")
        self._unheard_pause_s = UNHEARD_FIRST_S
        self._flights: dict[int, _Flight] = {}
        self._flight_of: dict[int, int] = {}
        self._flight_number = 0
        self._after: dict[Which, int] = {"urgent": 0, "samples": 0}
        self._backlog: dict[Which, bool] = {"urgent": backlog, "samples": backlog}
        self._backlog_version = 0
        self._window = WINDOW_MESSAGES
        self._resend_after_s = self._pace.resend_after_s
        self._progress_at_s = float("-inf")
        self.stalled = False
        """Whether the hub has let a resend time pass without any confirmation."""
        self.unconfirmed_since_s: float | None = None
        """Since when something that was sent waits for the hub's next word; None while nothing does."""

    def add(self, items: Iterable[Item], *, now_s: float) -> None:
        """Take in what the outbox has just stored."""
        samples: list[Item] = []
        for item in items:
            self._held.add(item.seq)
            if isinstance(item, Sample):
                samples.append(item)
                self._hurry |= self._cannot_wait(item)
            else:
                self._hurry = True
                self._urgent.append(_Made(now_s, [item]))
        if samples:
            self._live.append(_Made(now_s, samples))
            waited_s = now_s - self._live[0].at_s
            waiting = sum(len(made.items) for made in self._live)
            if waited_s >= _SOON * self._pace.report_interval_s or waiting >= MESSAGE_SAMPLES:
                self._hurry = True
        self._retire_aged(now_s)

    def next(
        self, now_s: float, *, history: Container[Which] = ALL_HISTORY, only_urgent: bool = False
    ) -> Fresh | Stored | None:
        """What to send now; None when nothing is due or the window is full.

        A backlog that is not in `history` waits: its times may soon be known better. `only_urgent`
        asks for events and receipts, past any window and pause.

        Items of a `Fresh` leave memory: call `sent` for them before anything else happens.
        """
        self._retire_aged(now_s)
        self._retire_overdue(now_s)
        # Last words don't wait for a hub that is slow to confirm.
        room = MESSAGE_URGENT if only_urgent else self._window - len(self._flights)
        if room <= 0:
            return None
        if self._urgent:
            how_many = min(len(self._urgent), room, MESSAGE_URGENT)
            return self._fresh([self._urgent.popleft() for _ in range(how_many)], now_s)
        again = only_urgent or now_s >= self._again_at_s
        if again and self._backlog["urgent"] and "urgent" in history:
            return self._stored("urgent", min(room, MESSAGE_URGENT))
        if only_urgent:
            return None
        if self._live and self._report_in_s(now_s) <= 0:
            made = [self._live.pop()]
            count = len(made[0].items)
            while self._live and count + len(self._live[-1].items) <= MESSAGE_SAMPLES:
                made.append(self._live.pop())
                count += len(made[-1].items)
            self._hurry &= bool(self._live)
            return self._fresh(made, now_s)
        if again and self._backlog["samples"] and "samples" in history and now_s >= self._history_at_s:
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
        if self.unconfirmed_since_s is None:
            self.unconfirmed_since_s = now_s
        self._flight_number += 1
        self._flights[self._flight_number] = _Flight({item.seq for item in items}, now_s)
        for item in items:
            self._flight_of[item.seq] = self._flight_number

    def history_sent(self, size: int, *, now_s: float) -> None:
        """History of so many bytes has left: the next waits as long as the byte rate asks."""
        if self._pace.history_bytes_per_s is not None:
            self._history_at_s = now_s + size / self._pace.history_bytes_per_s

    def unheard(self, *, now_s: float) -> None:
        """The broker has taken a message for which it knows no listener: what is in flight goes again after a
        pause. What is new is not held up: others may have listeners.
        """
        for number in list(self._flights):
            self._give_back(number)
        if now_s >= self._again_at_s:  # what left together counts once
            self._again_at_s = now_s + self._unheard_pause_s
            self._unheard_pause_s = min(self._pace.resend_max_s, 2 * self._unheard_pause_s)

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
        self.unconfirmed_since_s = now_s if self._flights else None
        self._resend_after_s = self._pace.resend_after_s
        self._window = min(WINDOW_MESSAGES, self._window * 2)
        self._unheard_pause_s = UNHEARD_FIRST_S
        self._again_at_s = float("-inf")
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
        self._resend_after_s = self._pace.resend_after_s
        self._again_at_s = float("-inf")
        # The hub has missed something: what waits tells it how things are now.
        self._hurry = True

    def due_in_s(self, now_s: float, *, history: Container[Which] = ALL_HISTORY) -> float | None:
        """Seconds until `next` may have something by itself; None when only new items can change that."""
        due: list[float] = []
        if self._flights:
            first = next(iter(self._flights.values()))
            due.append(first.sent_at_s + self._resend_after_s - now_s)
        if self._live:
            due.append(self._report_in_s(now_s))
        if "urgent" in history and self._backlog["urgent"]:
            due.append(self._again_at_s - now_s)
        if "samples" in history and self._backlog["samples"]:
            due.append(max(self._history_at_s, self._again_at_s) - now_s)
        if len(self._flights) >= self._window:
            due = due[:1]
        return max(0.0, min(due)) if due else None

    @property
    def urgent_waits(self) -> bool:
        """Whether an event or receipt of these seconds has not left yet."""
        return bool(self._urgent)

    @property
    def in_flight(self) -> int:
        """Messages that the hub has not confirmed yet."""
        return len(self._flights)

    def _fresh(self, made: list[_Made], now_s: float) -> Fresh:
        items = [item for one in made for item in one.items]
        self._held.difference_update(item.seq for item in items)
        late = [one for one in made if now_s - one.at_s > LIVE_FOR_S]
        return Fresh(items, frozenset(item.seq for one in late for item in one.items))

    def _report_in_s(self, now_s: float) -> float:
        if self._hurry:
            return 0.0
        return self._live[0].at_s + self._pace.report_interval_s - now_s

    def _cannot_wait(self, sample: Sample) -> bool:
        """Whether this sample tells a change of the lamp or its faults, or has no time of its own."""
        lamp = sample.lamp
        before = self._told.get(sample.pole)
        if lamp.reason == "motion" and before is not None:
            # Every passer-by raises the light; a report for each would cost more than all else together.
            told = (*before[:-1], sorted(sample.faults))
        else:
            level, wish = lamp.effect_level, lamp.commanded_level
            told = (level, wish, lamp.reason, lamp.override_until, sorted(sample.faults))
        self._told[sample.pole] = told
        return told != before or sample.clock == "unsynced"

    def _stored(self, which: Which, limit: int) -> Stored:
        return Stored(which, self._after[which], limit, self._backlog_version)

    def _retire_aged(self, now_s: float) -> None:
        while self._urgent and now_s - self._urgent[0].at_s > LIVE_FOR_S:
            self._retire_oldest(self._urgent, "urgent")
        keep_s = LIVE_FOR_S + self._pace.report_interval_s
        waiting = sum(len(made.items) for made in self._live)
        while self._live and (now_s - self._live[0].at_s > keep_s or waiting > HELD_SAMPLES):
            waiting -= len(self._live[0].items)
            self._retire_oldest(self._live, "samples")

    def _retire_oldest(self, queue: deque[_Made], which: Which) -> None:
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
            self._resend_after_s = min(
                self._pace.resend_max_s, self._resend_after_s * (2 if self.stalled else 1)
            )
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
