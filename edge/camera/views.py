"""What a camera usually shows, hour by hour: kept on disk and written rarely."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from edge.camera.picture.words import View

LEARNT_OUT = 24
"""Pictures from which a view changes slowly."""
REWRITE_AFTER_S = 3 * 86_400.0


class Views:
    """The usual views of one camera, by slot such as `day-07`. One is in memory at a time (32 to 96 kB).

    A view is written when its hour is over: 24 times on a day of learning (0.8 MB), then every third day.
    What a power cut takes is an hour's learning; a file that is damaged is learnt anew, and a disk that
    refuses costs no more than that. Blocking: call it in a thread.
    """

    def __init__(self, folder: Path, *, wall_s: Callable[[], float]) -> None:
        """`wall_s`: seconds since 1970, for the age of a file."""
        self._folder = folder
        self._wall_s = wall_s
        self._slot: str | None = None
        self._view = View()
        self._changed = False
        self._written_s = 0.0

    def get(self, slot: str) -> View:
        """The view of a slot, empty where nothing was learnt; what was learnt of another slot is saved."""
        if slot != self._slot:
            self.save()
            self._slot, self._view, self._changed = slot, View(), False
            with suppress(OSError, msgspec.DecodeError):
                raw = self._path(slot).read_bytes()
                if zlib.crc32(raw[4:]).to_bytes(4, "big") == raw[:4]:
                    self._view = msgspec.msgpack.decode(raw[4:], type=View)
                    self._written_s = self._path(slot).stat().st_mtime
        return self._view

    def put(self, view: View) -> None:
        """The present slot's view has learnt."""
        self._changed = self._changed or view.pixels != self._view.pixels
        self._view = view

    def forget(self) -> None:
        """Learn everything anew: someone worked at the camera."""
        self._slot, self._view, self._changed = None, View(), False
        with suppress(OSError):
            for path in self._folder.glob("*.view"):
                path.unlink()

    def save(self) -> None:
        """Write the present view, if it has something new worth a write."""
        if self._slot is None or not self._changed:
            return
        learnt_out = self._view.pictures >= LEARNT_OUT
        if learnt_out and abs(self._wall_s() - self._written_s) < REWRITE_AFTER_S:
            return
        # Single pictures wait in memory alone: no picture of a moment reaches the disk.
        mean = View(pictures=self._view.pictures, pixels=self._view.pixels)
        content = msgspec.msgpack.encode(mean)
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            new = self._path(self._slot).with_suffix(".new")
            new.write_bytes(zlib.crc32(content).to_bytes(4, "big") + content)
            new.replace(self._path(self._slot))
            self._changed, self._written_s = False, self._wall_s()

    def _path(self, slot: str) -> Path:
        return self._folder / f"{slot}.view"
