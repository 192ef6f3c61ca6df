"""The place a camera looks at: road, houses, walls, poles, trees. What does not move."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WORLD = (960, 540)
"""Larger than the picture, so that a camera can be turned."""
FRAME = (640, 360)
CENTRE = (160, 90)
"""Where the picture's corner stands in the world while nobody has turned the camera."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Clump:
    """Some leaves of a tree."""

    x: float
    y: float
    radius: float
    shade: int


@dataclass(frozen=True, slots=True)
class Village:
    """`surfaces`: how much light each point gives back (0 to 255); `sky`: 255 where there is sky."""

    surfaces: Image.Image
    sky: Image.Image
    clumps: list[Clump]
    windows: list[Box]
    vanishing: tuple[float, float]
    road: list[tuple[float, float]]


def build(random: Random) -> Village:
    """A place of its own for this random. Some are full of houses, some are fields with a road."""
    width, height = WORLD
    horizon = height * random.uniform(0.22, 0.42)
    surfaces = _ground(random)
    sky = Image.new("L", WORLD, 0)
    ImageDraw.Draw(sky).rectangle((0, 0, width, horizon), fill=255)
    draw = ImageDraw.Draw(surfaces)
    vanishing = (width * random.uniform(0.3, 0.7), horizon)
    road = _road(draw, random, vanishing)
    windows: list[Box] = []
    for _ in range(random.choice((0, 1, 2, 3, 4, 5))):
        windows += _house(draw, ImageDraw.Draw(sky), random, horizon)
    if random.random() < 0.6:
        _fence(draw, random, horizon)
    _poles_and_wires(draw, ImageDraw.Draw(sky), random, horizon)
    for _ in range(random.randint(3, 9)):
        _small_things(draw, random, horizon)
    clumps = [clump for _ in range(random.randint(0, 4)) for clump in _tree(random, horizon)]
    return Village(surfaces.filter(ImageFilter.GaussianBlur(0.6)), sky, clumps, windows, vanishing, road)


def texture(random: Random, size: tuple[int, int], cells: int, amplitude: float) -> Image.Image:
    """Unevenness around 128, about `cells` grains wide."""
    small = (cells, max(2, cells * size[1] // size[0]))
    grain = Image.frombytes("L", small, random.randbytes(small[0] * small[1]))
    grain = grain.resize(size, Image.Resampling.BICUBIC)
    return grain.point([round(128 + (value - 128) * amplitude / 128) for value in range(256)])


def _ground(random: Random) -> Image.Image:
    surfaces = Image.new("L", WORLD, random.randint(80, 140))
    for cells, amplitude in ((12, 25.0), (90, 14.0), (320, 9.0)):
        surfaces = ImageChops.add(surfaces, texture(random, WORLD, cells, amplitude), 1, -128)
    return surfaces


def _road(
    draw: ImageDraw.ImageDraw, random: Random, vanishing: tuple[float, float]
) -> list[tuple[float, float]]:
    width, height = WORLD
    left, right = width * random.uniform(-0.1, 0.35), width * random.uniform(0.65, 1.1)
    road = [
        (left, height),
        (vanishing[0] - 6, vanishing[1]),
        (vanishing[0] + 6, vanishing[1]),
        (right, height),
    ]
    shade = random.randint(60, 110)
    draw.polygon(road, fill=shade)
    draw.line([road[0], road[1]], fill=min(255, shade + 70), width=4)
    draw.line([road[2], road[3]], fill=min(255, shade + 70), width=4)
    middle = (left + right) / 2
    for part in range(0, 10, 2):
        near, far = (part / 10) ** 2, ((part + 1) / 10) ** 2
        points = [
            (vanishing[0] + (middle - vanishing[0]) * at, vanishing[1] + (height - vanishing[1]) * at)
            for at in (near, far)
        ]
        draw.line(points, fill=min(255, shade + 90), width=2 + part // 3)
    return road


def _house(
    draw: ImageDraw.ImageDraw, sky: ImageDraw.ImageDraw, random: Random, horizon: float
) -> list[Box]:
    width, _ = WORLD
    wide, high = random.uniform(110, 260), random.uniform(110, 240)
    left = random.choice((random.uniform(-60, width * 0.3), random.uniform(width * 0.6, width)))
    bottom = horizon + random.uniform(40, 150)
    top = bottom - high
    shade = random.randint(90, 225)
    roof = [(left - 12, top), (left + wide / 2, top - random.uniform(20, 70)), (left + wide + 12, top)]
    roof_shade = random.randint(50, 130)
    for target, fill in ((draw, shade), (sky, 0)):
        target.rectangle((left, top, left + wide, bottom), fill=fill)
        target.polygon(roof, fill=roof_shade if target is draw else 0)
    for line in range(int(top), int(bottom), random.randint(9, 16)):
        draw.line([(left, line), (left + wide, line)], fill=max(0, shade - 18))
    windows: list[Box] = []
    columns, rows = random.randint(1, 4), random.randint(1, 3)
    for column in range(columns):
        for row in range(rows):
            x = left + wide * (column + 0.25) / columns
            y = top + high * (row + 0.2) / (rows + 0.5)
            box = (x, y, x + wide * 0.5 / columns, y + high * 0.5 / (rows + 0.5))
            draw.rectangle(box, fill=random.randint(20, 60), outline=min(255, shade + 25), width=2)
            windows.append(box)
    return windows


def _fence(draw: ImageDraw.ImageDraw, random: Random, horizon: float) -> None:
    y, shade = horizon + random.uniform(60, 160), random.randint(120, 220)
    start, step = random.uniform(-50, 300), random.uniform(12, 24)
    for number in range(random.randint(10, 28)):
        x = start + number * step
        draw.line([(x, y), (x, y + 46)], fill=shade, width=3)
    draw.line([(start, y + 10), (x, y + 10)], fill=shade, width=3)


def _poles_and_wires(
    draw: ImageDraw.ImageDraw, sky: ImageDraw.ImageDraw, random: Random, horizon: float
) -> None:
    width, _ = WORLD
    tops = []
    for _ in range(random.randint(1, 4)):
        x, top = random.uniform(0, width), random.uniform(20, horizon * 0.8)
        for target, fill in ((draw, random.randint(110, 190)), (sky, 0)):
            target.line([(x, top), (x, horizon + random.uniform(60, 200))], fill=fill, width=9)
        tops.append((x, top))
    for number in range(len(tops) - 1):
        for drop in (4, 14):
            ends = [(x, y + drop) for x, y in tops[number : number + 2]]
            draw.line(ends, fill=40, width=2)
            sky.line(ends, fill=0, width=2)


def _small_things(draw: ImageDraw.ImageDraw, random: Random, horizon: float) -> None:
    """Signs, jars, stones, stacks of bricks."""
    width, height = WORLD
    x, y = random.uniform(0, width), random.uniform(horizon + 20, height)
    wide, high = random.uniform(10, 60), random.uniform(10, 50)
    shade = random.randint(30, 240)
    if random.random() < 0.5:
        draw.rectangle((x, y, x + wide, y + high), fill=shade, outline=255 - shade, width=2)
    else:
        draw.ellipse((x, y, x + wide, y + high), fill=shade)


def _tree(random: Random, horizon: float) -> list[Clump]:
    width, _ = WORLD
    x, y, spread = random.uniform(0, width), horizon + random.uniform(-60, 90), random.uniform(40, 110)
    return [
        Clump(
            x + random.gauss(0, spread / 2),
            y + random.gauss(0, spread / 2.4),
            random.uniform(5, 17),
            random.randint(30, 120),
        )
        for _ in range(random.randint(30, 70))
    ]
