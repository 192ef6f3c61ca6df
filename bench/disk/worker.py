"""The process under the shim: a real outbox, used as an agent uses it, saying what it has been told.

A marker stands in the log when `write` has returned, and before a confirmation is handed over. What the
markers before a cut say is what must be on the disk after it.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from bench.disk.oplog import MarkerLog
from edge.outbox.outbox import Outbox, Trouble
from edge.outbox.rows import Item
from protocol.messages import Event, LampReading, MeterReading, Sample

MAX_BYTES = 1_560_000
"""Hardly more than the room for the log: the oldest samples have to go now and then."""
NOTE = "override/TG-0001"
_START = datetime(2026, 3, 1, tzinfo=UTC)


class Marker(Struct, omit_defaults=True):
    """One thing the process knows. `seqs` with `stored`: each item's seq and the second it stands for."""

    what: Literal["opened", "stored", "confirms", "dropped", "memory"]
    epoch: UUID
    seqs: list[tuple[int, float]] = []
    spans: list[tuple[int, int]] = []
    note: int | None = None


def main() -> None:
    """`python -m bench.disk.worker SEED STEPS MADE BOOT`, with the shim and its environment."""
    seed, steps, made, boot = sys.argv[1:]
    asyncio.run(_Worker(seed, int(made), UUID(boot)).run(int(steps)))


class _Worker:
    def __init__(self, seed: str, made: int, boot: UUID) -> None:
        self._seed = seed
        self._rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)
        self._folder = Path(os.environ["POWER_CUT_DIR"])
        self._boot = boot
        self._log = MarkerLog(os.environ["POWER_CUT_LOG"])
        self._waiting: list[int] = []
        self._epoch: UUID | None = None
        self._made = made
        self._untold: list[str] = []

    async def run(self, steps: int) -> None:
        with ThreadPoolExecutor(1) as executor:
            await self._open(executor)
            for left in range(steps, 0, -1):
                await self._step(executor)
                if self._rng.random() < 0.012:
                    self._die(left - 1)
            if self._rng.random() < 0.5:
                await self._box.close()
            # Otherwise the process just ends, as at a kill: the page cache has all, the disk what was synced.

    async def _open(self, executor: ThreadPoolExecutor) -> None:
        self._box = Outbox(
            self._folder,
            max_bytes=MAX_BYTES,
            executor=executor,
            on_trouble=self._on_trouble,
            boot=self._boot,
        )
        await self._box.open()
        await self._look()

    async def _look(self) -> None:
        """Take up what an outbox holds that was opened, or that another took the place of."""
        self._epoch = self._box.epoch
        items = [*await self._box.read("samples", 0, 10**6), *await self._box.read("urgent", 0, 10**6)]
        self._waiting = sorted(item.seq for item in items)
        what: Literal["memory", "opened"] = "memory" if self._box.in_memory else "opened"
        self._say(Marker(what, self._epoch, seqs=[(item.seq, item.mono_s or 0.0) for item in items]))

    async def _step(self, executor: ThreadPoolExecutor) -> None:
        step = self._rng.random()
        if step < 0.62:
            await self._write(self._rng.randint(1, 4))
        elif step < 0.84:
            self._confirm()
        elif step < 0.89:
            await self._box.flush()
        elif step < 0.92:
            await self._write(self._rng.randint(60, 200))
        elif step < 0.94:
            await self._box.compact(free_bytes=20_000)
        elif step < 0.96:
            old = self._waiting[:3]
            await self._box.expire(lambda item: item.seq in old)
        elif step < 0.98 and self._box.in_memory:
            self._confirm_all()
            await self._box.return_to_disk()
            await self._look()
        else:
            await self._box.close()
            await self._open(executor)

    def _die(self, steps: int) -> None:
        """As at a kill -9: nothing is closed, and the next agent of this boot takes up what it finds."""
        words = ["-m", "bench.disk.worker", self._seed + "'", str(steps), str(self._made), str(self._boot)]
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - ourselves

    async def _write(self, number: int) -> None:
        items: list[Item] = [self._item() for _ in range(number)]
        notes: dict[str, bytes | None] = {NOTE: str(self._made).encode()}
        notes.update(dict.fromkeys(self._untold))
        self._untold.clear()
        written = await self._box.write(items, notes=notes)
        if written.epoch != self._epoch:
            await self._look()
            return
        seqs = [(item.seq, item.mono_s or 0.0) for item in written.items]
        self._waiting += [seq for seq, _ in seqs]
        what: Literal["memory", "stored"] = "memory" if self._box.in_memory else "stored"
        self._say(Marker(what, written.epoch, seqs=seqs, note=self._made))

    def _confirm(self) -> None:
        if not self._waiting:
            return
        # The hub confirms in the order of arrival, mostly: the newest first after an outage.
        take = self._rng.randint(1, min(40, len(self._waiting)))
        start = self._rng.choice((0, 0, 0, max(0, len(self._waiting) - take)))
        mine = self._waiting[start : start + take]
        del self._waiting[start : start + take]
        self._hand_over([(seq, seq) for seq in mine])

    def _confirm_all(self) -> None:
        mine, self._waiting = self._waiting, []
        self._hand_over([(seq, seq) for seq in mine])

    def _hand_over(self, spans: list[tuple[int, int]]) -> None:
        assert self._epoch is not None
        self._say(Marker("confirms", self._epoch, spans=spans))
        self._box.confirm(self._epoch, spans)

    def _item(self) -> Item:
        self._made += 1
        seconds = float(self._made)
        if self._rng.random() < 0.1:
            return Event(seq=1, time=_START, clock="synced", kind="cabinet_door_open", mono_s=seconds)
        return Sample(
            seq=1,
            pole="TG-0001",
            time=_START,
            clock="synced",
            lamp=LampReading(effect_level=round(self._rng.random(), 2), reason="sun"),
            meter=MeterReading(power_w=round(self._rng.uniform(0, 60), 1), voltage_v=230.0),
            mono_s=seconds,
        )

    def _on_trouble(self, trouble: Trouble) -> None:
        if trouble.told_by is None:
            return
        self._untold.append(trouble.told_by)
        first, last = trouble.detail["first_seq"], trouble.detail["last_seq"]
        runs = str(trouble.detail.get("runs", f"{first}-{last}")).split(",")
        spans = [(int(first), int(last)) for first, last in (run.split("-") for run in runs)]
        gone = {seq for first, last in spans for seq in range(first, last + 1)}
        self._waiting = [seq for seq in self._waiting if seq not in gone]
        self._say(Marker("dropped", UUID(str(trouble.detail["epoch"])), spans=spans))

    def _say(self, marker: Marker) -> None:
        self._log.mark(msgspec.json.encode(marker))


if __name__ == "__main__":
    main()
