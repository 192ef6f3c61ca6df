"""A disk of which only what was synced is certain: built from a log of operations up to the moment of a cut.

What was written and not synced is kept, lost or torn, sector by sector (512 bytes) and in any order: each
sector shows any of the states it went through since its last sync. A file's length is any it had since
then. Names (creation, rename, deletion) that the folder's sync did not cover are lost from some point on.
After a sync that failed, the kernel calls clean what it did not write: later syncs leave that alone, until it
is written again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.disk.oplog import Op

SECTOR = 512

HonoursSync = Callable[[list[Op], int], bool]
"""Whether the sync at this place of the log is one: a disk may lie, a program may leave it out."""


def every_sync(_ops: list[Op], _place: int) -> bool:
    """A disk that tells the truth."""
    return True


def no_sync(_ops: list[Op], _place: int) -> bool:
    """As under `PRAGMA synchronous = OFF`, or on a card that only says it has synced."""
    return False


def no_commit_sync(ops: list[Op], place: int) -> bool:
    """As under `PRAGMA synchronous = NORMAL`: the log is synced only before it is merged into the file."""
    sync = ops[place]
    for later in ops[place + 1 :]:
        if later.op in "WTS":
            return later.file != sync.file or later.op == "S"
    return False


@dataclass(slots=True)
class _File:
    cached: bytearray
    durable: bytearray
    dirty: dict[int, list[bytes]] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > len(self.cached):
            self.cached.extend(bytes(end - len(self.cached)))
            self.lengths.append(end)
        self.cached[offset:end] = data
        self._touch(offset, end)

    def truncate(self, length: int) -> None:
        if length < len(self.cached):
            del self.cached[length:]
        else:
            self.cached.extend(bytes(length - len(self.cached)))
        self.lengths.append(length)

    def sync(self) -> None:
        self.durable = bytearray(self.cached)
        self.dirty.clear()
        self.lengths.clear()

    def fail_sync(self, rng: random.Random) -> None:
        """Some of it was written, all of it is called clean."""
        self.durable = self.after_cut(rng)
        self.dirty.clear()
        self.lengths.clear()

    def after_cut(self, rng: random.Random) -> bytearray:
        # Some cuts are extreme: everything on its way is there, or nothing of it is.
        share = rng.choice((0.0, 0.5, rng.random(), 1.0))
        left = bytearray(self.durable)
        if self.lengths and rng.random() < share:
            length = rng.choice(self.lengths) if share < 1 else self.lengths[-1]
            left = left[:length] + bytes(max(0, length - len(left)))
        for sector, states in self.dirty.items():
            if rng.random() < share:
                state = rng.choice(states) if share < 1 else states[-1]
                start = sector * SECTOR
                if start < len(left):
                    part = state[: len(left) - start]
                    left[start : start + len(part)] = part
        return left

    def _touch(self, start: int, end: int) -> None:
        for sector in range(start // SECTOR, (end + SECTOR - 1) // SECTOR):
            content = bytes(self.cached[sector * SECTOR : (sector + 1) * SECTOR])
            self.dirty.setdefault(sector, []).append(content)


class Disk:
    """The folder as the disk and the page cache hold it. Feed it operations, cut it as often as you like."""

    def __init__(self, start: Mapping[str, bytes], *, seed: str) -> None:
        """`start`: files that are wholly on disk before the first operation."""
        self._files: dict[int, _File] = {}
        self._names = {name: _File(bytearray(data), bytearray(data)) for name, data in start.items()}
        self._durable_names = dict(self._names)
        self._unsynced_names: list[dict[str, _File]] = []
        self._rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)

    def feed(self, op: Op, *, honours: bool = True) -> None:
        """Let one operation happen; a sync that is not honoured does nothing."""
        match op.op:
            case "C" | "O":
                name = op.data.decode()
                if op.op == "C":
                    self._rename({**self._names, name: _File(bytearray(), bytearray())})
                self._files[op.file] = self._names[name]
            case "W":
                self._files[op.file].write(op.offset, op.data)
            case "T":
                self._files[op.file].truncate(op.offset)
            case "S" if honours:
                self._files[op.file].sync()
            case "F":
                self._files[op.file].fail_sync(self._rng)
            case "D" if honours:
                self._durable_names = dict(self._names)
                self._unsynced_names.clear()
            case "U":
                self._rename({name: f for name, f in self._names.items() if name != op.data.decode()})
            case "R":
                old, new = op.data.decode().split("\0")
                names = dict(self._names)
                names[new] = names.pop(old)
                self._rename(names)

    def cut(self, seed: str) -> dict[str, bytes]:
        """The folder as it is found after a power cut at this moment."""
        rng = random.Random(seed)  # noqa: S311
        names = rng.choice([self._durable_names, *self._unsynced_names])
        return {name: bytes(file.after_cut(rng)) for name, file in names.items()}

    def _rename(self, names: dict[str, _File]) -> None:
        self._names = names
        self._unsynced_names.append(names)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder of these files."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def markers(ops: Iterable[Op]) -> list[bytes]:
    """What the process said, oldest first."""
    return [op.data for op in ops if op.op == "M"]
