"""What a camera usually shows at an hour of the day, kept on disk and written rarely."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageChops

from edge.camera.picture.thumbnail import HEIGHT, WIDTH, Thumbnail

ENOUGH = 6
"""Pictures after which a view can be compared with."""
MOST = 24
"""From here on three pictures count as an eighth: the view follows the seasons."""
REWRITE_AFTER_S = 3 * 86_400.0
_MAGIC = b"ngv1"
_SIZE = WIDTH * HEIGHT


class Views:
    """The usual views of one camera. One is in memory at a time (32 kB); a file each in `folder`.

    A view is written when its hour is over: 24 times on a day of learning (0.8 MB), then every third day.
    What a power cut takes is an hour's learning; a file that is damaged is learnt anew.
    """

    def __init__(self, folder: Path, *, wall_s: Callable[[], float]) -> None:
        """`wall_s`: seconds since 1970, for the age of a file."""
        self._folder = folder
        self._wall_s = wall_s
        self._slot: str | None = None
        self._count = 0
        self._image: Image.Image | None = None
        self._usual: Thumbnail | None = None
        """Of `_image`, with the measures that were taken of it."""
        self._waiting: list[Image.Image] = []
        self._changed = False
        self._written_s = 0.0

    def usual(self, slot: str) -> Thumbnail | None:
        """The view of a slot such as `day-07`; None before enough pictures are in it. May read a file."""
        self._turn_to(slot)
        if self._image is None or self._count < ENOUGH:
            return None
        if self._usual is None:
            self._usual = Thumbnail(self._image.tobytes())
        return self._usual

    def learn(self, slot: str, picture: Thumbnail) -> None:
        """Take in a picture that was found good: three at a time, by their median.

        What is in one of three alone, a vehicle or its headlights, never becomes usual.
        """
        self._turn_to(slot)
        self._waiting.append(picture.image)
        if len(self._waiting) < 3:
            return
        one, two, three = self._waiting
        self._waiting.clear()
        low, high = ImageChops.darker(one, two), ImageChops.lighter(one, two)
        median = ImageChops.lighter(low, ImageChops.darker(high, three))
        self._count = min(self._count + 3, MOST)
        if self._image is None:
            self._image = median
        else:
            self._image = Image.blend(self._image, median, 3 / self._count)
        self._usual, self._changed = None, True

    def forget(self) -> None:
        """Learn everything anew: someone worked at the camera."""
        self._begin(None)
        for path in self._folder.glob("*.view"):
            with suppress(OSError):
                path.unlink()

    def save(self) -> None:
        """Write the present view, if it has something new worth a write. A disk that refuses is borne."""
        if not self._changed or self._image is None or self._slot is None:
            return
        still_learning = self._count < MOST
        if not still_learning and abs(self._wall_s() - self._written_s) < REWRITE_AFTER_S:
            return
        content = _MAGIC + bytes([self._count]) + self._image.tobytes()
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            new = self._folder / f"{self._slot}.new"
            new.write_bytes(content + zlib.crc32(content).to_bytes(4, "big"))
            new.replace(self._path(self._slot))
            self._changed, self._written_s = False, self._wall_s()

    def _turn_to(self, slot: str) -> None:
        if slot == self._slot:
            return
        self.save()
        self._begin(slot)
        with suppress(OSError):
            path = self._path(slot)
            raw = path.read_bytes()
            content, check = raw[:-4], raw[-4:]
            whole = len(content) == len(_MAGIC) + 1 + _SIZE and content.startswith(_MAGIC)
            if whole and zlib.crc32(content).to_bytes(4, "big") == check:
                self._count = content[len(_MAGIC)]
                self._image = Image.frombytes("L", (WIDTH, HEIGHT), content[len(_MAGIC) + 1 :])
                self._written_s = path.stat().st_mtime

    def _begin(self, slot: str | None) -> None:
        self._slot, self._image, self._usual = slot, None, None
        self._count, self._changed = 0, False
        self._waiting.clear()

    def _path(self, slot: str) -> Path:
        return self._folder / f"{slot}.view"
