"""A database file as the pages that changed since another backup of it.

The stream: `NGPG`, page size and page count (big endian, 4 and 8 bytes), then a page number from 1 (4 bytes)
and the page, as often as needed, ended by page number 0. Without a backup before, that is every page.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from hub.backup.errors import RestoreError

DIGEST_BYTES = 16
_HEAD = struct.Struct(">4sIQ")
_NUMBER = struct.Struct(">I")
_MAGIC = b"NGPG"
_READ_BYTES = 4 * 1024 * 1024


class Source(Protocol):
    """Bytes in order; `read` gives fewer only at the end."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read: `digests` is one of 16 bytes per page, `changed` how many pages were written."""

    page_size: int
    pages: int
    changed: int
    digests: bytes

    @property
    def digest(self) -> str:
        """What stands for the whole file."""
        return digest_of(self.digests)


def take(file: BinaryIO, known: bytes, write: Callable[[bytes], object], *, key: bytes) -> Taken:
    """Write the pages of a standing SQLite file whose digest is not at its place in `known`.

    Digests are keyed (up to 64 bytes), so that what is kept of a page tells nothing about it.
    """
    file.seek(16)
    size = int.from_bytes(file.read(2), "big")
    page_size = 65_536 if size == 1 else size
    length = file.seek(0, 2)
    pages, rest = divmod(length, page_size)
    if rest or page_size < 512:
        raise ValueError(f"{length} bytes are not pages of {page_size}: no SQLite file")
    write(_HEAD.pack(_MAGIC, page_size, pages))
    digests = bytearray()
    changed = 0
    file.seek(0)
    number = 0
    while number < pages:
        block = memoryview(file.read(_READ_BYTES // page_size * page_size))
        if not block or len(block) % page_size:
            raise ValueError(f"the file ended at page {number} of {pages}")
        for start in range(0, len(block), page_size):
            page = block[start : start + page_size]
            digest = hashlib.blake2b(page, digest_size=DIGEST_BYTES, key=key).digest()
            at = number * DIGEST_BYTES
            number += 1
            digests += digest
            if known[at : at + DIGEST_BYTES] != digest:
                write(_NUMBER.pack(number))
                write(bytes(page))
                changed += 1
            if number == pages:
                break
    write(_NUMBER.pack(0))
    return Taken(page_size, pages, changed, bytes(digests))


def put(source: Source, file: BinaryIO) -> None:
    """Write the pages of a stream into a file, which may hold an earlier state. Raises RestoreError."""
    magic, page_size, pages = _HEAD.unpack(_exactly(source, _HEAD.size))
    if magic != _MAGIC:
        raise RestoreError("no stream of pages", "Đây không phải tệp sao lưu dạng trang.")
    while number := _NUMBER.unpack(_exactly(source, _NUMBER.size))[0]:
        if number > pages:
            raise RestoreError(f"page {number} of {pages}", f"Trang {number} vượt quá {pages} trang.")
        page = _exactly(source, page_size)
        file.seek((number - 1) * page_size)
        file.write(page)
    file.truncate(pages * page_size)


def digest_of(digests: bytes) -> str:
    """What stands for a whole file, out of its pages' digests."""
    return hashlib.blake2b(digests, digest_size=32).hexdigest()


def file_digest(file: BinaryIO, *, key: bytes) -> str:
    """The same of a file at hand, to hold against what was taken."""
    return take(file, b"", lambda _: None, key=key).digest


def _exactly(source: Source, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise RestoreError("the file ends too early", "Tệp sao lưu bị cụt.")
    return data
