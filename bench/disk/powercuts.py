"""Simulated power cuts: a real outbox in a process under a shim, its disk rebuilt as of a random moment.

Each run's disk begins where a cut of the run before left it. After every cut the real outbox opens what is
left, and what the process had been told is looked for: lost (stored, not confirmed, neither there nor in a gap
that is told), corrupt (set aside, not readable), reused (a seq that could have been sent is given out again).
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from bench.children import ChildError
from bench.disk.oplog import Op, read_log
from bench.disk.replay import Disk, HonoursSync, every_sync, write_folder
from bench.disk.worker import MAX_BYTES, NOTE, Marker
from edge.outbox.outbox import Outbox, Trouble
from edge.outbox.rows import Item
from protocol.messages import Event

SHIM = Path(__file__).with_name("power_cut_shim.c")
STEPS = 120
_MARKER = msgspec.json.Decoder(Marker)


@dataclass(slots=True)
class CutReport:
    """Totals over all cuts; a sound outbox has zeros from `lost` to `notes_lost`."""

    seed: int
    cuts: int = 0
    runs: int = 0
    operations: int = 0
    runs_with_failing_syncs: int = 0
    items_looked_for: int = 0
    lost: int = 0
    corrupt: int = 0
    reused: int = 0
    notes_lost: int = 0
    came_back: int = 0
    """Confirmed, and there again: sent once more and dropped by the hub as known."""
    complaints: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether no cut harmed anything."""
        return not (self.lost or self.corrupt or self.reused or self.notes_lost)


@dataclass(slots=True)
class _Told:
    """What the process had been told when the power went. Only what went to the disk counts."""

    epoch: UUID | None = None
    stored: dict[int, float] = field(default_factory=dict)
    confirmed: set[int] = field(default_factory=set)
    dropped: set[int] = field(default_factory=set)
    note: int | None = None

    def hear(self, marker: Marker) -> None:
        if marker.what == "memory":
            return
        if marker.what == "opened" and marker.epoch != self.epoch:
            self.epoch, self.stored, self.note = marker.epoch, {}, None
            self.confirmed, self.dropped = set(), set()
        if marker.epoch != self.epoch:
            return
        span_seqs = {seq for first, last in marker.spans for seq in range(first, last + 1)}
        if marker.what == "confirms":
            self.confirmed |= span_seqs
        elif marker.what == "dropped":
            self.dropped |= span_seqs
        else:
            self.stored.update(marker.seqs)
            self.note = marker.note if marker.note is not None else self.note


def build_shim(folder: Path) -> Path:
    """Compile the shim; raises ChildError without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise ChildError(
            "cc is not installed: sudo apt-get install -y --no-install-recommends gcc libc6-dev"
        )
    library = folder / "power_cut_shim.so"
    words = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library), str(SHIM), "-ldl"]
    done = subprocess.run([*words, "-lpthread"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChildError(f"the shim does not compile:\n{done.stderr}")
    return library


def run_powercuts(
    data: Path,
    *,
    cuts: int,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
    honours: HonoursSync = every_sync,
    failing_runs: int = 4,
    cuts_per_run: int = 50,
) -> CutReport:
    """Cut the power `cuts` times. With another `honours` the disk lies; then losses must be found.

    In every `failing_runs`-th run some syncs fail. Raises ChildError without a compiler, or where the
    process under the shim fails.
    """
    shim, report = build_shim(data), CutReport(seed)
    rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)
    start: Mapping[str, bytes] = {}
    with ThreadPoolExecutor(1) as executor:
        while report.cuts < cuts:
            fails = report.runs % failing_runs == failing_runs - 1
            ops = _record(
                data / f"run-{report.runs}", shim, start, f"{seed}/{report.runs}", rng, fails=fails
            )
            report.runs += 1
            report.runs_with_failing_syncs += fails
            report.operations += len(ops)
            places = sorted(rng.choices(range(len(ops) + 1), k=min(cuts_per_run, cuts - report.cuts)))
            disk, told, done = Disk(start, seed=f"{seed}/{report.runs}"), _Told(), 0
            left: Mapping[str, bytes] = start
            for place in places:
                for number in range(done, place):
                    op = ops[number]
                    disk.feed(op, honours=op.op not in "SD" or honours(ops, number))
                    if op.op == "M":
                        told.hear(_MARKER.decode(op.data))
                done = place
                name = f"{seed}/{report.runs}/{place}/{report.cuts}"
                left = disk.cut(name)
                _check(left, told, executor, report, name)
                report.cuts += 1
                progress(report.cuts)
            start = left
    return report


def _record(
    folder: Path, shim: Path, start: Mapping[str, bytes], seed: str, rng: random.Random, *, fails: bool
) -> list[Op]:
    """Run the worker on a copy of `start`; returns what it did."""
    write_folder(folder / "data", start)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(shim),
        "POWER_CUT_DIR": str(folder / "data"),
        "POWER_CUT_LOG": str(folder / "log"),
    }
    if fails:
        first = rng.randint(5, 80)
        environment["POWER_CUT_FAIL_SYNC"] = f"{first},{first + rng.choice((0, 0, 1, 6))}"
    done = subprocess.run(
        [sys.executable, "-m", "bench.disk.worker", seed, str(STEPS), "0", str(uuid4())],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise ChildError(f"the process under the shim failed:\n{done.stderr[-3000:]}")
    ops = read_log(folder / "log")
    shutil.rmtree(folder)
    return ops


def _check(
    left: Mapping[str, bytes],
    told: _Told,
    executor: ThreadPoolExecutor,
    report: CutReport,
    name: str,
) -> None:
    with tempfile.TemporaryDirectory(prefix="ngonden-cut-") as made:
        folder = Path(made) / "data"
        write_folder(folder, left)
        asyncio.run(_open_and_compare(folder, told, executor, report, name))


async def _open_and_compare(
    folder: Path,
    told: _Told,
    executor: ThreadPoolExecutor,
    report: CutReport,
    name: str,
) -> None:
    troubles: list[Trouble] = []
    box = Outbox(
        folder, max_bytes=10 * MAX_BYTES, executor=executor, on_trouble=troubles.append, boot=uuid4()
    )
    await box.open()
    found: dict[int, float] = {}
    for which in ("samples", "urgent"):
        for item in await box.read(which, 0, 10**6):
            found[item.seq] = item.mono_s or 0.0
    note = (await box.notes(NOTE)).get("")
    next_seq = (await box.write([_probe()])).items[0].seq
    epoch, in_memory = box.epoch, box.in_memory
    await box.close()
    if in_memory or any(trouble.told_by is None for trouble in troubles):
        report.corrupt += 1
        report.complaints.append(f"{name}: {[trouble.kind for trouble in troubles]}")
        return
    if told.epoch is None:
        return  # no write had returned yet: the file may not even be there
    must = {seq: at for seq, at in told.stored.items() if seq not in told.confirmed | told.dropped}
    # A drop that was under way is there with its gap, or not at all.
    gaps = {seq for trouble in troubles for seq in _seqs(trouble)}
    missing = {seq for seq, at in must.items() if epoch != told.epoch or found.get(seq) != at} - gaps
    reused = epoch == told.epoch and next_seq <= max(told.stored, default=0)
    note_lost = told.note is not None and (note is None or int(note) < told.note)
    report.items_looked_for += len(must)
    report.lost += len(missing)
    report.reused += reused
    report.notes_lost += note_lost
    report.came_back += len(found.keys() & (told.confirmed | told.dropped))
    if missing or reused or note_lost:
        report.complaints.append(f"{name}: lost {sorted(missing)[:9]}, next {next_seq}, note {note!r}")


def _seqs(trouble: Trouble) -> set[int]:
    first, last = trouble.detail["first_seq"], trouble.detail["last_seq"]
    runs = str(trouble.detail.get("runs", f"{first}-{last}")).split(",")
    return {seq for a, b in (run.split("-") for run in runs) for seq in range(int(a), int(b) + 1)}


def _probe() -> Item:
    return Event(seq=1, time=datetime.now(UTC), clock="unsynced", kind="device_reset")
