"""Which wall time a steady second of a boot stood for: pure bookkeeping, one number per boot.

While the clock is right, wall minus steady is the same at every moment of a boot. Kept beyond the end of the
process and of the boot, that number tells the true time of everything that was stamped with a wrong clock.
The steady clock itself strays with the crystal: about 2 s a day at 20 ppm until the clock has become right.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from edge.clock import Moment
from edge.outbox.outbox_file import Item

BOOT_NOTE = "boot/"
KEEP_BOOTS = 200
"""Several power cuts a day over a month without the hub; the earliest boots are forgotten first."""
STEP_S = 1.0
"""The wall is said to have been corrected when it moved by at least so much against the steady clock."""
_NOTE_AGAIN_S = 0.25
"""Less than this is how unevenly two clocks are read; noting it would only wear the card."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The wall was moved `by_s` seconds against the steady clock, and is right now."""

    by_s: float


class BootTimes:
    """The offsets of this boot and of earlier ones."""

    def __init__(self, notes: Mapping[str, bytes] | None = None) -> None:
        """Take up what was noted, by what followed BOOT_NOTE; what does not read as a note is left out."""
        self._offsets: dict[UUID, float] = {}
        self._wrong_offset_s: float | None = None
        self._boot: UUID | None = None
        for key, value in (notes or {}).items():
            if len(key) == 32 and len(value) == 8:
                self._offsets[UUID(hex=key)] = struct.unpack("<d", value)[0]

    def observe(self, moment: Moment) -> tuple[Correction | None, dict[str, bytes | None]]:
        """Look at the clock; returns a correction that has just happened, and the notes to store."""
        if moment.boot != self._boot:
            self._boot, self._wrong_offset_s = moment.boot, None
        if not moment.synced:
            # The first of them: the step may be seen some seconds before the kernel calls the clock right.
            if self._wrong_offset_s is None:
                self._wrong_offset_s = moment.offset_s
            return None, {}
        known_s = self._offsets.get(moment.boot)
        if known_s is not None and abs(moment.offset_s - known_s) < _NOTE_AGAIN_S:
            self._wrong_offset_s = None
            return None, {}
        before_s = self._wrong_offset_s if self._wrong_offset_s is not None else known_s
        self._wrong_offset_s = None
        self._offsets[moment.boot] = moment.offset_s
        notes: dict[str, bytes | None] = {BOOT_NOTE + moment.boot.hex: struct.pack("<d", moment.offset_s)}
        for boot in sorted(self._offsets, key=self._offsets.__getitem__)[:-KEEP_BOOTS]:
            if boot != moment.boot:
                del self._offsets[boot]
                notes[BOOT_NOTE + boot.hex] = None
        by_s = 0.0 if before_s is None else moment.offset_s - before_s
        return (Correction(by_s) if abs(by_s) >= STEP_S else None), notes

    def dated(self, item: Item) -> Item:
        """The item with its true time, where its own was taken with a wrong clock and its boot is known."""
        if item.clock == "synced" or item.boot is None or item.mono_s is None:
            return item
        offset_s = self._offsets.get(item.boot)
        if offset_s is None:
            return item
        time = datetime.fromtimestamp(offset_s + item.mono_s, UTC)
        return msgspec.structs.replace(item, time=time, clock="synced", time_corrected=True)
