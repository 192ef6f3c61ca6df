"""What gets in front of a lens: a bag, a hand, paint, a leaf over half of it, a spider's web."""

from __future__ import annotations

from math import cos, pi, sin
from random import Random
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter

from simulators.camera_scenes.shots import Light
from simulators.camera_scenes.village import FRAME

Cover = Literal["whole", "bag", "half", "web"]


class LensCover:
    """One cover, the same in every picture until someone takes it off."""

    def __init__(self, kind: Cover, light: Light, random: Random) -> None:
        self._kind = kind
        shade = random.randint(60, 190) if light == "day" else random.randint(25, 150)
        if kind in ("whole", "bag"):
            self._veil = _uneven(shade, random)
            # A bag lets some of the scene through, very much blurred.
            share = random.uniform(0.10, 0.25) if kind == "bag" else 0.0
            self._mask = Image.new("L", FRAME, round(255 * (1 - share)))
            self._blur_px = random.uniform(14, 26)
        elif kind == "half":
            self._veil = _uneven(shade, random)
            self._mask = _half(random)
            self._blur_px = 0.0
        else:
            glow = random.randint(150, 235) if light != "day" else random.randint(120, 200)
            self._veil = Image.new("L", FRAME, glow)
            self._mask = _web(random, light)
            self._blur_px = 0.0

    def over(self, seen: Image.Image) -> Image.Image:
        """The picture with the cover in front."""
        behind = seen.filter(ImageFilter.GaussianBlur(self._blur_px)) if self._blur_px else seen
        return Image.composite(self._veil, behind, self._mask)


def _uneven(shade: int, random: Random) -> Image.Image:
    """A near, unfocused surface: light comes in from one side."""
    slope = Image.linear_gradient("L").rotate(random.choice((0, 90, 180, 270)))
    depth = random.uniform(0.05, 0.35)
    veil = slope.point([round(shade * (1 - depth * value / 255)) for value in range(256)])
    return veil.resize(FRAME, Image.Resampling.BILINEAR)


def _half(random: Random) -> Image.Image:
    """A soft-edged shape over 40 to 60 % of the picture, from one side or a corner."""
    width, height = FRAME
    mask = Image.new("L", FRAME, 0)
    draw = ImageDraw.Draw(mask)
    share = random.uniform(0.42, 0.6)
    tilt = random.uniform(-0.12, 0.12)
    side = random.choice(("left", "right", "top", "bottom"))
    if side in ("left", "right"):
        at = share if side == "left" else 1 - share
        line = [(width * (at + tilt), 0.0), (width * (at - tilt), float(height))]
        edge = 0.0 if side == "left" else float(width)
        draw.polygon([*line, (edge, height), (edge, 0)], fill=255)
    else:
        at = share if side == "top" else 1 - share
        line = [(0.0, height * (at + tilt)), (float(width), height * (at - tilt))]
        edge = 0.0 if side == "top" else float(height)
        draw.polygon([*line, (width, edge), (0, edge)], fill=255)
    return mask.filter(ImageFilter.GaussianBlur(random.uniform(6, 16)))


def _web(random: Random, light: Light) -> Image.Image:
    """Threads so near that they are broad and soft, with the haze that infrared makes of them."""
    width, height = FRAME
    small = Image.new("L", (width // 4, height // 4), random.randint(120, 165) if light != "day" else 115)
    draw = ImageDraw.Draw(small)
    x, y = random.uniform(40, 120), random.uniform(20, 70)
    spokes = [number * 2 * pi / 11 + random.gauss(0, 0.15) for number in range(11)]
    bright = 250 if light != "day" else 215
    for angle in spokes:
        draw.line([(x, y), (x + 200 * cos(angle), y + 200 * sin(angle))], fill=bright, width=3)
    for ring in range(1, 9):
        radius = ring * random.uniform(9, 14)
        points = [(x + radius * cos(angle), y + radius * sin(angle)) for angle in spokes]
        draw.line([*points, points[0]], fill=bright, width=2)
    return small.filter(ImageFilter.GaussianBlur(random.uniform(1.5, 2.5))).resize(FRAME)
