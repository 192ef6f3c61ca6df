"""Everything the node tells passes here: into the outbox first, then into the plan of what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from edge.clock import Clock, Moment, Quality
from edge.link.pace import Pace
from edge.link.send_plan import ALL_HISTORY, SendPlan, Which
from edge.outbox.boot_times import BOOT_NOTE, BootTimes
from edge.outbox.outbox import Outbox, Trouble
from edge.outbox.outbox_file import Item, Span
from protocol.messages import Event

HOUSEKEEPING_S = 60.0
HOLD_EVENTS_S = 60.0
HOLD_HISTORY_S = 600.0
"""After a power cut the broker is often reached some seconds before a time server has mended the clock: what
was made before waits so long for its true time. Live samples and new events go at once."""
MAX_BYTES = 64_000_000
MAX_AGE = timedelta(days=30)
EXPIRE_EVERY_S = 6 * 3600.0
"""Each time is one event that tells the gap; hourly would fill the outbox of a node without a hub."""
FIRST_SEQ = 1
"""Items are made with this seq; the outbox gives each its own."""

Detail = dict[str, str | int | float | bool | None]


class Journal:
    """The outbox of one node together with its send plan. `changed` is set whenever the plan is."""

    def __init__(
        self,
        data_dir: Path,
        *,
        node: str,
        clock: Clock,
        executor: Executor,
        max_bytes: int = MAX_BYTES,
        max_age: timedelta = MAX_AGE,
        pace: Pace | None = None,
    ) -> None:
        """`pace` is the link's; it may change while the journal is used."""
        self._pace = pace or Pace()
        self.outbox = Outbox(data_dir, max_bytes=max_bytes, executor=executor, on_trouble=self._on_trouble)
        self.changed = asyncio.Event()
        self.on_new_epoch: Callable[[], None] = lambda: None
        """Called when items begin to belong to another epoch; the agent tells the hub."""
        self.on_reconnected: Callable[[], None] = lambda: None
        """Called when a connection stands; the agent samples at once."""
        self.stored_anew = asyncio.Event()
        """Set once the hub has stored something that was made in this run."""
        self._made_here: tuple[UUID, int] | None = None
        self._clock = clock
        self._times = BootTimes()
        self._max_age = max_age
        self._expired_at_s = float("-inf")
        self._waiting: list[Item] = []
        self._waiting_notes: dict[str, bytes | None] = {}
        self._has_waiting = asyncio.Event()
        self._written_at_s = clock.monotonic()
        self._connected_at_s = clock.monotonic()
        self._plan: SendPlan | None = None
        self._plan_epoch: UUID | None = None
        self._log = structlog.get_logger().bind(node=node)

    @property
    def plan(self) -> SendPlan:
        """The plan of the outbox's present epoch."""
        if self._plan is None or self._plan_epoch != self.outbox.epoch:
            is_first = self._plan is None
            self._plan = SendPlan(backlog=self.outbox.queued > 0, pace=self._pace)
            self._plan_epoch = self.outbox.epoch
            self.changed.set()
            if not is_first:
                self.on_new_epoch()
        return self._plan

    async def open(self) -> None:
        """Open the outbox; raises OutboxInUseError."""
        await self.outbox.open()
        self._times = BootTimes(await self.outbox.notes(BOOT_NOTE))
        self._plan = SendPlan(backlog=self.outbox.queued > 0, pace=self._pace)
        self._plan_epoch = self.outbox.epoch

    async def record(
        self, items: Sequence[Item] = (), *, notes: Mapping[str, bytes | None] | None = None
    ) -> None:
        """Store items and notes, and what waits, in one transaction; then hand the items to the plan.

        Items that do not say in which boot and at which steady second they were made are of this moment.
        """
        items = self._stamped(items)
        self._watch_clock()
        waiting, self._waiting = self._waiting, []
        waiting_notes, self._waiting_notes = self._waiting_notes, {}
        self._has_waiting.clear()
        before = self.plan
        written = await self.outbox.write([*items, *waiting], notes={**waiting_notes, **(notes or {})})
        self._written_at_s = self._clock.monotonic()
        if self._made_here is None and written.items:
            self._made_here = (self.outbox.epoch, written.items[0].seq)
        if self.plan is before:
            before.add(written.items, now_s=self._clock.monotonic())
        else:
            # The disk failed meanwhile and another epoch has begun: its plan finds these in the outbox.
            self.plan.look_again()
        self.changed.set()

    def post(self, items: Sequence[Item] = (), *, notes: Mapping[str, bytes | None] | None = None) -> None:
        """Hand these over without waiting for the disk; `deliver` stores them at once, in this order."""
        self._waiting.extend(self._stamped(items))
        self._waiting_notes.update(notes or {})
        self._has_waiting.set()

    def later(
        self,
        kind: str,
        *,
        pole: str | None = None,
        camera: str | None = None,
        active: bool | None = None,
        detail: Detail | None = None,
    ) -> None:
        """Post an event of this moment: `active` says that it begins (True) or has ended (False)."""
        moment = self.moment()
        event = Event(
            seq=FIRST_SEQ,
            time=moment.utc,
            clock=moment.quality,
            kind=kind,
            pole=pole,
            camera=camera,
            active=active,
            boot=moment.boot,
            mono_s=moment.mono_s,
            detail=detail or {},
        )
        self.post([event])

    def moment(self) -> Moment:
        """Now: what an item made at this moment is stamped with."""
        return self._clock.moment()

    def quality(self) -> Quality:
        """The clock's word as the contract writes it."""
        return "synced" if self._clock.synced() else "unsynced"

    def dated(self, items: Sequence[Item]) -> list[Item]:
        """The same items as they are told now: made with a wrong clock, they get their true time."""
        self._watch_clock()
        return [self._times.dated(item) for item in items]

    def reconnected(self) -> None:
        """A new connection stands: what was in flight may be lost."""
        self._connected_at_s = self._clock.monotonic()
        self.plan.reconnected()
        self.on_reconnected()

    @property
    def tells_history(self) -> Collection[Which]:
        """What of the past should go now, and not wait for a clock that may soon be right."""
        if self._clock.synced():
            return ALL_HISTORY
        for_s = self._clock.monotonic() - self._connected_at_s
        if for_s >= HOLD_HISTORY_S:
            return ALL_HISTORY
        events: frozenset[Which] = frozenset({"urgent"})
        return events if for_s >= HOLD_EVENTS_S else frozenset()

    def confirmed(self, epoch: UUID, spans: Sequence[Span]) -> None:
        """The hub has stored, or set aside, these."""
        self.outbox.confirm(epoch, spans)
        if epoch != self.outbox.epoch:
            return
        plan, was_stalled = self.plan, self.plan.stalled
        for first, last in spans:
            plan.confirm(first, last, now_s=self._clock.monotonic())
        if was_stalled and not plan.stalled:
            self._log.info("hub_confirms_again", queued=self.outbox.queued)
        self.changed.set()

    def note_stored(self, epoch: UUID, spans: Sequence[Span]) -> None:
        """The hub has stored these: not set aside, as it would what a faulty release makes."""
        if self._made_here is None or epoch != self._made_here[0]:
            return
        if any(last >= self._made_here[1] for _, last in spans):
            self.stored_anew.set()

    async def close(self) -> None:
        """Store what still waits, delete what is confirmed, and close the outbox."""
        if self._has_waiting.is_set():
            await self.record()
        await self.outbox.close()

    async def deliver(self) -> None:
        """Store what is posted as it comes, for ever."""
        while True:
            await self._has_waiting.wait()
            await self.record()

    async def keep_house(self) -> None:
        """Delete what is confirmed when nothing else is written, and find back to the disk, for ever."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            idle_s = self._clock.monotonic() - self._written_at_s
            if self.outbox.wants_flush or idle_s >= HOUSEKEEPING_S:
                await self.outbox.flush()
            if self.outbox.in_memory and await self.outbox.return_to_disk():
                self.changed.set()
            await self.expire()
            await self.outbox.compact()

    async def expire(self) -> None:
        """Drop samples beyond their age, now and then. Only by a right clock: one that stands ten years ahead
        would drop all.
        """
        moment = self.moment()
        if not moment.synced or moment.mono_s - self._expired_at_s < EXPIRE_EVERY_S:
            return
        self._expired_at_s = moment.mono_s
        too_old = moment.utc - self._max_age

        def is_too_old(item: Item) -> bool | None:
            dated = self._times.dated(item)
            return dated.time < too_old if dated.clock == "synced" else None

        await self.outbox.expire(is_too_old)

    def _watch_clock(self) -> None:
        moment = self.moment()
        correction, notes = self._times.observe(moment)
        self._waiting_notes.update(notes)
        if correction is not None:
            by_s = round(correction.by_s, 3)
            self._log.warning("clock_corrected", by_s=by_s)
            self.later("clock_corrected", detail={"by_s": by_s})

    def _stamped(self, items: Sequence[Item]) -> list[Item]:
        moment = self.moment()
        return [
            item
            if item.boot is not None
            else msgspec.structs.replace(item, boot=moment.boot, mono_s=moment.mono_s)
            for item in items
        ]

    def _on_trouble(self, trouble: Trouble) -> None:
        back = trouble.kind == "outbox_on_disk"
        (self._log.info if back else self._log.error)(trouble.kind, **trouble.detail)
        if trouble.told_by is not None:
            self._waiting_notes[trouble.told_by] = None
        self.later(trouble.kind, detail=trouble.detail)
