"""Whether an agent runs on this node's data: then pins, lines, outbox and broker are left to it."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from edge.outbox.outbox import FILE_NAME

_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
"""The bytes that SQLite locks in every database it uses (its file format, "os.h"); an agent keeps them."""
_FLOCK = "@hhqqi"
"""`struct flock` with 64-bit offsets: type, whence, start, length, pid."""


def agent_pid(data_dir: Path) -> int | None:
    """The process that holds this outbox; None when nobody does. Takes no lock itself."""
    try:
        with (data_dir / FILE_NAME).open("rb") as file:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
            kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except OSError:
        return None
    return pid if kind != fcntl.F_UNLCK else None
