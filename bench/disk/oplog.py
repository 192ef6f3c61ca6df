"""The log that `power_cut_shim.c` and the process under it write together: operations and markers in order."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_HEAD = struct.Struct("<cQQQ")


@dataclass(frozen=True, slots=True)
class Op:
    """One record; what `op` stands for is said at the top of the shim."""

    op: str
    file: int
    offset: int
    data: bytes


class MarkerLog:
    """What the process under the shim says of itself, in the order of what it does."""

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def mark(self, data: bytes) -> None:
        """Append one marker."""
        os.write(self._handle, _HEAD.pack(b"M", 0, 0, len(data)) + data)


def read_log(path: Path) -> list[Op]:
    """Every record, oldest first. Raises ValueError where the log breaks off."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        if place + _HEAD.size > len(data):
            raise ValueError(f"{path} breaks off at byte {place}")
        op, file, offset, length = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        found.append(Op(op.decode(), file, offset, data[place : place + length]))
        place += length
    return found
