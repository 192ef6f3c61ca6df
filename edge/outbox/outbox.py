"""What was made on the node and not yet confirmed by the hub; on disk, and never in the lamp's way.

Everything that one tick makes is one transaction. Confirmed items are deleted with the next transaction
(an SD card wears by writes), or by `flush` when none comes. A damaged file is set aside and a new epoch
begins. When the disk itself fails or is full the outbox goes on in memory, as an epoch of its own, and
returns to the file once the disk takes writes again and nothing in memory waits for the hub; a file whose
disk failed is first written anew, because after a failed fsync the page cache is no proof of anything.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

from edge.outbox.carry_over import carry_over, finish
from edge.outbox.gaps import GAP_NOTE, Gap, noted
from edge.outbox.outbox_file import (
    SCHEMA_VERSION,
    Item,
    NotAnOutboxError,
    OutboxFile,
    Span,
    Written,
    is_damage,
    is_io_error,
)
from edge.outbox.ranges import RangeSet
from edge.outbox.room import MUCH_FREE_BYTES

T = TypeVar("T")

FILE_NAME = "outbox.db"
MEMORY_BYTES = 4_000_000
"""What is kept without a disk, and the room for a log that memory has none of: 5 days of one pole at 30 s."""
KEEP_DAMAGED = 3
"""Damaged files that are kept for someone to look at."""
MANY_RUNS = 500
"""Confirmed seqs in more separate runs than this are deleted without waiting for the next transaction."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that befell the outbox and that the hub should hear of: an event kind and its detail."""

    kind: Literal["outbox_damaged", "outbox_in_memory", "outbox_on_disk", "outbox_overflow"]
    detail: dict[str, str | int | float | bool | None]
    told_by: str | None = None
    """The note to delete in the transaction that stores the event: until then it is told again at a start."""


class Outbox:
    """The outbox of one node. Its coroutines run SQLite on `executor`, one at a time.

    `on_trouble` is called in the event loop. Attributes may be read at any time.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        max_bytes: int,
        executor: Executor,
        on_trouble: Callable[[Trouble], None],
        boot: UUID | None = None,
    ) -> None:
        """`boot`: this boot's id, where it is not the kernel's."""
        self._boot = boot
        self._path = data_dir / FILE_NAME
        self._max_bytes = max_bytes
        self._executor = executor
        self._on_trouble = on_trouble
        self._busy = threading.Lock()  # held by the thread that works on the file
        self._sets = threading.Lock()  # held for microseconds: the event loop takes it too
        self._confirmed = RangeSet()
        self._deleting = RangeSet()
        self._unsaved_notes: dict[str, bytes | None] = {}
        self._troubles: list[Trouble] = []
        self._file: OutboxFile | None = None
        self._failed: OutboxFile | None = None  # left open when the disk failed under it
        self._epoch: UUID | None = None

    @property
    def epoch(self) -> UUID:
        """The epoch that new items belong to; only after `open`."""
        assert self._epoch is not None, "open() comes first"
        return self._epoch

    @property
    def in_memory(self) -> bool:
        """Whether the disk has failed."""
        return self._file is not None and self._file.path is None

    @property
    def queued(self) -> int:
        """How many items wait for the hub's confirmation."""
        if self._file is None:
            return 0
        with self._sets:
            return max(0, self._file.count - self._confirmed.size - self._deleting.size)

    async def open(self) -> None:
        """Open the file, or what can be had instead. Raises OutboxInUseError only."""
        await self._run(self._open)

    async def write(
        self, items: Sequence[Item], *, notes: Mapping[str, bytes | None] | None = None
    ) -> Written:
        """Store items and notes in one transaction; returns the items with their epoch and seqs."""
        return await self._run(partial(self._write, items, notes or {}))

    async def read(self, which: Literal["urgent", "samples"], after_seq: int, limit: int) -> list[Item]:
        """Unconfirmed items above `after_seq`, oldest first; an empty list means there are no more."""
        return await self._run(partial(self._read, which, after_seq, limit))

    async def notes(self, prefix: str) -> dict[str, bytes]:
        """Notes by what follows `prefix` in their key."""
        return await self._run(lambda: self._opened().notes(prefix))

    async def expire(self, is_too_old: Callable[[Item], bool | None]) -> None:
        """Drop the oldest samples that are too old; None from `is_too_old` means that nobody knows."""
        await self._run(partial(self._expire, is_too_old))

    async def compact(self, *, free_bytes: int = MUCH_FREE_BYTES) -> bool:
        """Give freed space back, from `free_bytes` on and where it takes only a moment; says whether it did."""
        return await self._run(partial(self._compact, free_bytes))

    async def flush(self) -> None:
        """Delete what is confirmed now."""
        if self._confirmed:
            await self.write([])

    async def return_to_disk(self) -> bool:
        """Try the disk again; True when the outbox is on disk. Waits until memory is empty."""
        return await self._run(self._return_to_disk)

    async def close(self) -> None:
        """Delete what is confirmed and close the file."""
        if self._file is not None:
            await self.flush()
            await self._run(self._close)

    def confirm(self, epoch: UUID, spans: Iterable[Span]) -> None:
        """The hub has these: forget them with the next transaction. Another epoch's are ignored."""
        if self._file is None or epoch != self._epoch:
            return
        with self._sets:
            for first, last in spans:
                # A seq that was never made can't have been stored: it must not be forgotten in advance.
                self._confirmed.add(max(1, first), min(last, self._file.high_seq))

    @property
    def wants_flush(self) -> bool:
        """Whether so many separate runs are confirmed that they should be deleted at once."""
        return self._confirmed.ranges > MANY_RUNS

    async def _run(self, work: Callable[[], T]) -> T:
        def alone() -> T:
            with self._busy:
                return work()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, alone)
        finally:
            troubles, self._troubles = self._troubles, []
            for trouble in troubles:
                self._on_trouble(trouble)

    # What follows runs on the executor, one thread at a time.

    def _opened(self) -> OutboxFile:
        assert self._file is not None, "open() comes first"
        return self._file

    def _take(self, file: OutboxFile) -> None:
        with self._sets:
            self._file, self._epoch = file, file.epoch
            self._confirmed.clear()
            self._deleting.clear()
        self._tell(noted(file.notes(GAP_NOTE)))

    def _tell(self, gaps: Iterable[Gap]) -> None:
        epoch = str(self.epoch)
        self._troubles += [Trouble(gap.why, gap.detail(epoch), told_by=gap.key) for gap in gaps]

    def _open(self) -> None:
        try:
            self._take(self._open_file())
        except (OSError, sqlite3.Error) as error:
            self._go_to_memory(error)

    def _open_file(self) -> OutboxFile:
        """The file, made fit for use: carried over, or replaced. Raises what a disk can cause."""
        try:
            if self._failed is None:
                finish(self._path)
                file = OutboxFile(self._path, boot=self._boot)
            else:
                file = self._failed
            return self._trusted(file)
        except NotAnOutboxError as damage:
            self._failed = None
            kept_as = _set_aside(self._path)
            self._troubles.append(
                Trouble("outbox_damaged", {"error": str(damage)[:200], "kept_as": kept_as})
            )
            return OutboxFile(self._path, boot=self._boot)

    def _trusted(self, file: OutboxFile) -> OutboxFile:
        is_suspect = file is self._failed or file.is_suspect
        if not is_suspect and file.version == SCHEMA_VERSION:
            return file
        try:
            carry_over(file)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                file.close()
                raise NotAnOutboxError(str(error)) from error
            if not is_suspect:
                return file  # an older one, and there is no room for a second
            self._failed = file
            raise
        self._failed = None
        return OutboxFile(self._path, boot=self._boot)

    def _go_to_memory(self, error: Exception) -> None:
        if self._file is not None:
            self._let_go(self._file, error)
        self._take(OutboxFile(None))
        self._troubles.append(Trouble("outbox_in_memory", {"error": str(error)[:200]}))

    def _let_go(self, file: OutboxFile, error: Exception) -> None:
        if isinstance(error, sqlite3.Error) and is_io_error(error):
            # Left open: closing would merge a log into the file that may not be on the disk.
            self._failed = file
        else:
            file.close()

    def _survive(self, error: sqlite3.Error) -> None:
        """After a failed operation: have some outbox again, with no damaged file under it."""
        if self.in_memory:
            raise error  # not a disk's fault: nothing else would help
        if is_damage(error):
            self._opened().close()
            self._file = None
            self._open()
        else:
            self._go_to_memory(error)

    def _write(self, items: Sequence[Item], notes: Mapping[str, bytes | None]) -> Written:
        try:
            written = self._write_once(items, notes)
        except sqlite3.Error as error:
            self._survive(error)
            written = self._write_once(items, notes)
        self._tell(written.gaps)
        return written

    def _write_once(self, items: Sequence[Item], notes: Mapping[str, bytes | None]) -> Written:
        file = self._opened()
        if file.path is None:
            self._unsaved_notes.update(notes)
        with self._sets:
            self._confirmed, self._deleting = RangeSet(), self._confirmed
            forget = list(self._deleting)
        try:
            limit = self._max_bytes if file.path is not None else min(MEMORY_BYTES, self._max_bytes)
            written = file.write(items, notes=notes, forget=forget, max_bytes=limit)
        except sqlite3.Error:
            with self._sets:
                for first, last in self._deleting:
                    self._confirmed.add(first, last)
                self._deleting = RangeSet()
            raise
        with self._sets:
            self._deleting = RangeSet()
        return written

    def _read(self, which: Literal["urgent", "samples"], after_seq: int, limit: int) -> list[Item]:
        try:
            while True:
                file = self._opened()
                items = file.read(which, after_seq, limit)
                if file.unreadable:
                    self._tell(file.drop("outbox_damaged", file.unreadable))
                    continue
                with self._sets:
                    waiting = [item for item in items if item.seq not in self._confirmed]
                if waiting or not items:
                    return waiting
                after_seq = items[-1].seq
        except sqlite3.Error as error:
            self._survive(error)
            return []

    def _close(self) -> None:
        self._opened().close()
        if self._failed is not None:
            self._failed.close()

    def _expire(self, is_too_old: Callable[[Item], bool | None]) -> None:
        file = self._opened()
        try:
            seqs = file.expired(is_too_old)
            with self._sets:
                seqs = [seq for seq in seqs if seq not in self._confirmed]
            if seqs:
                self._tell(file.drop("outbox_overflow", seqs))
        except sqlite3.Error as error:
            self._survive(error)

    def _compact(self, free_bytes: int) -> bool:
        try:
            return self._opened().compact(free_bytes)
        except sqlite3.Error as error:
            self._survive(error)
            return False

    def _return_to_disk(self) -> bool:
        if not self.in_memory:
            return True
        if self.queued:
            return False
        try:
            file = self._open_file()
        except (OSError, sqlite3.Error):
            return False
        try:
            file.write([], notes=self._unsaved_notes)
        except sqlite3.Error as error:
            self._let_go(file, error)
            return False
        self._opened().close()
        self._unsaved_notes.clear()
        self._take(file)
        self._troubles.append(Trouble("outbox_on_disk", {}))
        return True


def _set_aside(path: Path) -> str:
    """Rename a damaged file with its log, and keep only the newest few such files; returns its new name."""
    kept = sorted(path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"))
    number = int(kept[-1].stem.rsplit("-", 1)[1]) + 1 if kept else 1
    name = f"{path.stem}.damaged-{number:06d}{path.suffix}"
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(path.with_name(name + ending))
    for old in kept[: max(0, len(kept) + 1 - KEEP_DAMAGED)]:
        for ending in ("", "-wal", "-shm"):
            old.with_name(old.name + ending).unlink(missing_ok=True)
    return name
