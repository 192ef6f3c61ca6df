"""From a camera's JPEG to a small grey picture, and the measures that are taken of it.

Pillow does the work on pixels in C; numpy would cost a node 25 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from operator import mul

from PIL import Image, ImageChops, ImageFilter, UnidentifiedImageError

from edge.camera.picture.words import Region

WIDTH, HEIGHT = 240, 135
COARSE = 3
"""The coarse picture is smaller by so much."""
MARGIN = 20
"""Rows at top and bottom that are left out: cameras write their clock and name there."""
COLUMNS, ROWS = 10, 5
"""Blocks that are judged one by one."""
MAX_PIXELS = 40_000_000
"""A camera of 8K has 33 million; what claims more is not decoded."""


class UnreadablePictureError(Exception):
    """What came is no JPEG that can be decoded. The text says why."""


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """240 × 135 grey pixels, row by row."""

    pixels: bytes

    @cached_property
    def image(self) -> Image.Image:
        """The same as Pillow's."""
        return Image.frombytes("L", (WIDTH, HEIGHT), self.pixels)

    @cached_property
    def fine(self) -> list[bytes]:
        """Blocks of what is left without everything larger than about 3 pixels; 128 is nothing."""
        smooth = self.image.filter(ImageFilter.BoxBlur(1.5))
        return _blocks(ImageChops.subtract(self.image, smooth, 1, 128), MARGIN, HEIGHT - MARGIN)

    @cached_property
    def coarse(self) -> list[bytes]:
        """Blocks of structures of 3 to 25 pixels; 128 is nothing."""
        detail = self.coarse_image
        return _blocks(detail, MARGIN // COARSE + 1, (HEIGHT - MARGIN) // COARSE)

    @cached_property
    def coarse_image(self) -> Image.Image:
        """The coarse structures as a picture of 80 × 45."""
        small = self.image.reduce(COARSE)
        return ImageChops.subtract(small, small.filter(ImageFilter.BoxBlur(4)), 1, 128)

    @cached_property
    def inner(self) -> list[int]:
        """How many inner pixels have each grey level, 0 to 255."""
        return self.image.crop((0, MARGIN, WIDTH, HEIGHT - MARGIN)).histogram()

    @property
    def mean(self) -> float:
        """Mean grey level of the inner rows."""
        return sum(level * count for level, count in enumerate(self.inner)) / sum(self.inner)

    def level_at(self, share: float) -> int:
        """The grey level that this share of the inner pixels does not exceed."""
        wanted, counted = share * sum(self.inner), 0
        for level, count in enumerate(self.inner):
            counted += count
            if counted >= wanted:
                return level
        return 255


def decode(jpeg: bytes) -> Thumbnail:
    """Decode at the smallest scale that is enough (libjpeg's own, 1/8 at best): little memory, little time.

    Raises UnreadablePictureError.
    """
    try:
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
            if image.width * image.height > MAX_PIXELS or min(image.size) < 16:
                raise UnreadablePictureError(f"a picture of {image.width} x {image.height}")
            image.draft("L", (WIDTH, HEIGHT))
            grey = image.convert("L").resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        # Pillow's JPEG plugin raises each of these for one or the other damage.
        raise UnreadablePictureError(f"not a whole JPEG: {error}"[:200]) from None
    return Thumbnail(grey.tobytes())


def changed_pixels(one: Thumbnail, other: Thumbnail, regions: list[Region]) -> int:
    """Pixels that differ at all, outside the margins and the given regions."""
    different = ImageChops.difference(one.image, other.image).crop((0, MARGIN, WIDTH, HEIGHT - MARGIN))
    for left, top, width, height in regions:
        box = (
            round(left * WIDTH) - 1,
            round(top * HEIGHT) - 1 - MARGIN,
            round((left + width) * WIDTH) + 1,
            round((top + height) * HEIGHT) + 1 - MARGIN,
        )
        different.paste(0, box)
    return sum(different.histogram()[1:])


def free_blocks(regions: list[Region]) -> list[bool]:
    """Which blocks no region touches, in the order of the blocks."""
    free = []
    first, high = MARGIN / HEIGHT, (HEIGHT - 2 * MARGIN) / HEIGHT / ROWS
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = column / COLUMNS, first + row * high
            free.append(
                not any(
                    left < x + 1 / COLUMNS and x < left + width and top < y + high and y < top + height
                    for left, top, width, height in regions
                )
            )
    return free


def variance(block: bytes) -> float:
    """Mean square around the mean."""
    mean = sum(block) / len(block)
    square: int = sum(map(mul, block, block))
    return square / len(block) - mean * mean


def covariance(one: bytes, other: bytes) -> float:
    """Mean product around the means, of blocks of the same size."""
    size = len(one)
    product: int = sum(map(mul, one, other))
    return product / size - sum(one) * sum(other) / size / size


def _blocks(image: Image.Image, top: int, bottom: int) -> list[bytes]:
    across, pixels = image.width, image.tobytes()
    wide, high = across // COLUMNS, (bottom - top) // ROWS
    return [
        b"".join(
            pixels[line * across + left : line * across + left + wide]
            for line in range(upper, upper + high)
        )
        for upper in range(top, top + ROWS * high, high)
        for left in range(0, COLUMNS * wide, wide)
    ]
