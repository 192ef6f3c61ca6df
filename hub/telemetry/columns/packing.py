"""Columns of numbers and words as few bytes: differences, a common divisor, narrow integers, then zlib.

Lossless. Our own because the columnar formats that a library offers (Parquet, Arrow) carry a schema of
kilobytes with each block, which here holds a few kilobytes of one pole's samples.
"""

from __future__ import annotations

import struct
import zlib

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_FORMAT = 1
_LEVEL = 6
_INTS = struct.Struct("<BBIqqq")
_PLAIN, _STEPS = 0, 1
_RAW_FLOATS = 255
_EXACT = 2.0**52
_MOST_DECIMALS = 4


class DamagedBlockError(ValueError):
    """The bytes are not what was packed; the text says at what they fail."""


class Packer:
    """Takes columns one after the other; `Unpacker` gives them back in the same order."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def ints(self, values: Ints) -> None:
        """Add integers below 2⁵³ in size."""
        kind, first, rest = _PLAIN, 0, values
        low, high = _range(values)
        if low != high:
            steps = np.diff(values)
            lowest, highest = _range(steps)
            if highest - lowest < high - low:
                kind, first, rest, low, high = _STEPS, int(values[0]), steps, lowest, highest
        width, divisor = 0, 1
        if low != high:
            rest = rest - low
            divisor = int(np.gcd.reduce(rest))
            if divisor > 1:
                rest //= divisor
            width = _width((high - low) // divisor)
        head = _INTS.pack(kind, width, len(values), first, low, divisor)
        self._parts += [head, _planes(rest, width)]

    def floats(self, values: Floats) -> None:
        """Add floats; NaN stands for unknown and comes back as NaN."""
        known = ~np.isnan(values)
        self.ints(known.astype(np.int64))
        found = values[known]
        decimals = _decimals(found)
        self._parts.append(bytes([_RAW_FLOATS if decimals is None else decimals]))
        if decimals is None:
            self._parts += [struct.pack("<I", len(found)), found.astype("<f8").tobytes()]
        else:
            self.ints(np.rint(found * 10**decimals).astype(np.int64))

    def words(self, values: list[str]) -> None:
        """Add a list of words."""
        data = msgspec.msgpack.encode(values)
        self._parts += [struct.pack("<I", len(data)), data]

    def finish(self) -> bytes:
        """All that was added, compressed."""
        return bytes([_FORMAT]) + zlib.compress(b"".join(self._parts), _LEVEL)


class Unpacker:
    """Gives back what a Packer took, in its order; each call raises DamagedBlockError."""

    def __init__(self, block: bytes) -> None:
        if not block or block[0] != _FORMAT:
            raise DamagedBlockError(f"unknown format {block[:1]!r}")
        try:
            self._data = zlib.decompress(block[1:])
        except zlib.error as error:
            raise DamagedBlockError(str(error)) from error
        self._at = 0

    def ints(self) -> Ints:
        """The next column of integers."""
        kind, width, length, first, low, divisor = _INTS.unpack(self._take(_INTS.size))
        count = length - 1 if kind == _STEPS else length
        planes = np.frombuffer(self._take(count * width), np.uint8).reshape(width, count)
        if width:
            rest = np.ascontiguousarray(planes.T).view(f"<u{width}").reshape(count).astype(np.int64)
            rest = rest * divisor + low
        else:
            rest = np.full(count, low, np.int64)
        if kind == _STEPS:
            values = np.empty(length, np.int64)
            values[0], values[1:] = first, first + np.cumsum(rest)
            return values
        return rest

    def floats(self) -> Floats:
        """The next column of floats, NaN where unknown."""
        known = self.ints().astype(bool)
        decimals = self._take(1)[0]
        found: Floats
        if decimals == _RAW_FLOATS:
            (length,) = struct.unpack("<I", self._take(4))
            found = np.frombuffer(self._take(8 * length), "<f8").astype(np.float64)
        else:
            found = self.ints() / 10**decimals
        values = np.full(len(known), np.nan)
        values[known] = found
        return values

    def words(self) -> list[str]:
        """The next list of words."""
        (size,) = struct.unpack("<I", self._take(4))
        return msgspec.msgpack.decode(self._take(size), type=list[str])

    def _take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise DamagedBlockError("the block ends too early")
        self._at += size
        return piece


def _range(values: Ints) -> tuple[int, int]:
    return (int(values.min()), int(values.max())) if len(values) else (0, 0)


def _width(largest: int) -> int:
    return next(width for width in (1, 2, 4, 8) if largest < 1 << (8 * width))


def _planes(values: Ints, width: int) -> bytes:
    """All lowest bytes, then all next ones: high bytes are alike, and zlib sees them together."""
    if not width:
        return b""
    narrow = values.astype(f"<u{width}")
    return narrow.view(np.uint8).reshape(len(values), width).T.tobytes()


def _decimals(values: Floats) -> int | None:
    """With how many decimal places the values are exactly integers; None where they are not."""
    if not len(values):
        return 0
    if not np.isfinite(values).all() or np.abs(values).max() > _EXACT / 10**_MOST_DECIMALS:
        return None
    if (np.signbit(values) & (values == 0)).any():
        return None  # an integer has no −0.0
    for decimals in range(_MOST_DECIMALS + 1):
        # Division is what unpacking does: only what comes back bit by bit may be packed so.
        if (np.rint(values * 10**decimals) / 10**decimals == values).all():
            return decimals
    return None
