"""One picture of a village: its light, its weather, what moves through it, and the camera's own noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from statistics import NormalDist
from typing import Literal

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from simulators.camera_scenes.village import CENTRE, FRAME, WORLD, Village

Light = Literal["day", "lamp", "infrared"]
_UNIT = [NormalDist().inv_cdf((value + 0.5) / 256) for value in range(256)]


@dataclass(frozen=True, slots=True)
class Weather:
    """One day's, or one night's. Shares are 0 to 1."""

    brightness: float
    rain: float = 0.0
    mist: float = 0.0
    wind: float = 0.3
    sunny: bool = False
    headlights: float = 0.0
    """How likely a picture meets a vehicle with its lights on."""
    traffic: float = 0.3
    insects: float = 0.0


@dataclass(frozen=True, slots=True)
class Optics:
    """The camera itself and where it looks."""

    noise: float
    """Standard deviation, grey levels, before compression."""
    shift: tuple[float, float] = (0.0, 0.0)
    turn_deg: float = 0.0
    blur_px: float = 0.0


def lightmap(light: Light, random: Random) -> Image.Image:
    """How much light falls where, of the lamp or of the camera's own infrared; fixed for a camera."""
    if light == "day":
        return Image.new("L", WORLD, 255)
    spot = Image.radial_gradient("L").point([max(0, 255 - value * 255 // 180) for value in range(256)])
    width, height = WORLD
    if light == "infrared":
        wide, high = 1.5 * width, 1.6 * height
        x, y = width / 2 - wide / 2, height * 0.55 - high / 2
    else:
        wide, high = width * random.uniform(0.9, 1.3), height * random.uniform(0.9, 1.3)
        x = width * random.uniform(0.3, 0.7) - wide / 2
        y = height * random.uniform(0.5, 0.75) - high / 2
    falling = Image.new("L", WORLD, 10)
    falling.paste(spot.resize((int(wide), int(high)), Image.Resampling.BILINEAR), (int(x), int(y)))
    return falling.point([max(10, value) for value in range(256)])


def shot(
    village: Village, light: Light, falling: Image.Image, weather: Weather, optics: Optics, random: Random
) -> Image.Image:
    """What the sensor sees at one moment, without the clock that is written into it."""
    surfaces = village.surfaces.copy()
    _trees(surfaces, village, weather, random)
    _traffic(surfaces, village, weather, random)
    if light == "day":
        seen = _by_day(surfaces, village, weather, random)
    else:
        seen = ImageChops.multiply(surfaces, falling)
        seen.paste(9, mask=village.sky)
        seen = _lit_windows(seen, village, random)
        if random.random() < weather.headlights:
            seen = _headlights(seen, village, random)
        if light == "infrared":
            seen = _insects(seen, weather, random)
    seen = _taken(seen, optics)
    seen = _through_air(seen, weather, light, random)
    if optics.blur_px:
        seen = seen.filter(ImageFilter.GaussianBlur(optics.blur_px))
    exposure = weather.brightness * random.uniform(0.93, 1.07)
    return with_noise(_scaled(seen, exposure), optics.noise, random)


def with_noise(image: Image.Image, sigma: float, random: Random) -> Image.Image:
    """Sensor noise, independent in each pixel and each picture."""
    noise = Image.frombytes("L", image.size, random.randbytes(image.width * image.height))
    noise = noise.point([max(0, min(255, round(128 + sigma * unit))) for unit in _UNIT])
    return ImageChops.add(image, noise, 1, -128)


def moved(optics: Optics, random: Random) -> Optics:
    """The same camera after someone, or a storm, has turned it."""
    angle = random.choice((-1, 1))
    shift = (angle * random.uniform(45, 155), random.uniform(-60, 60))
    return replace(optics, shift=shift, turn_deg=random.uniform(-5, 5))


def _scaled(image: Image.Image, factor: float, offset: float = 0.0) -> Image.Image:
    return image.point([max(0, min(255, round(value * factor + offset))) for value in range(256)])


def _taken(world: Image.Image, optics: Optics) -> Image.Image:
    if optics.turn_deg:
        world = world.rotate(optics.turn_deg, Image.Resampling.BILINEAR)
    left, top = CENTRE[0] + optics.shift[0], CENTRE[1] + optics.shift[1]
    return world.crop((round(left), round(top), round(left) + FRAME[0], round(top) + FRAME[1]))


def _trees(surfaces: Image.Image, village: Village, weather: Weather, random: Random) -> None:
    draw = ImageDraw.Draw(surfaces)
    gust_x, gust_y = random.gauss(0, 6 * weather.wind), random.gauss(0, 2 * weather.wind)
    for clump in village.clumps:
        x = clump.x + gust_x + random.gauss(0, 5 * weather.wind)
        y = clump.y + gust_y + random.gauss(0, 3 * weather.wind)
        shade = max(10, min(200, round(clump.shade + random.gauss(0, 12))))
        draw.ellipse((x - clump.radius, y - clump.radius, x + clump.radius, y + clump.radius), fill=shade)


def _traffic(surfaces: Image.Image, village: Village, weather: Weather, random: Random) -> None:
    draw = ImageDraw.Draw(surfaces)
    for _ in range(4):
        if random.random() > weather.traffic:
            continue
        near = random.uniform(0.15, 0.9)
        x = (
            village.vanishing[0]
            + (random.uniform(village.road[0][0], village.road[3][0]) - village.vanishing[0]) * near
        )
        y = village.vanishing[1] + (WORLD[1] - village.vanishing[1]) * near
        wide, high = 130 * near * random.uniform(0.3, 1.2), 110 * near
        shade = random.randint(15, 240)
        draw.rounded_rectangle((x, y - high, x + wide, y), radius=12 * near, fill=shade)
        draw.rectangle((x + wide * 0.2, y - high * 0.9, x + wide * 0.8, y - high * 0.5), fill=255 - shade)


def _by_day(surfaces: Image.Image, village: Village, weather: Weather, random: Random) -> Image.Image:
    seen = surfaces
    if weather.sunny:
        shade = Image.new("L", WORLD, 255)
        draw = ImageDraw.Draw(shade)
        for clump in village.clumps:
            x, y = clump.x + 60, clump.y + 120
            draw.ellipse((x - clump.radius, y - 6, x + clump.radius, y + 6), fill=150)
        seen = ImageChops.multiply(surfaces, shade)
    cloud = Image.linear_gradient("L").resize(WORLD).point([225 - value // 5 for value in range(256)])
    if not weather.sunny:
        cloud = _scaled(cloud, random.uniform(0.85, 1.0))
    sky_only = ImageChops.subtract(village.sky, Image.new("L", WORLD, 0))
    seen = seen.copy()
    seen.paste(cloud, mask=sky_only)
    _trees(seen, village, weather, random)
    return seen


def _lit_windows(seen: Image.Image, village: Village, random: Random) -> Image.Image:
    draw = ImageDraw.Draw(seen)
    for box in village.windows:
        if random.random() < 0.25:
            draw.rectangle(box, fill=random.randint(120, 230))
    return seen


def _glow(size: int, strength: int) -> Image.Image:
    falling = [max(0, strength - value * strength // 170) for value in range(256)]
    return Image.radial_gradient("L").point(falling).resize((size, size), Image.Resampling.BILINEAR)


def _headlights(seen: Image.Image, village: Village, random: Random) -> Image.Image:
    near = random.uniform(0.05, 0.6)
    x = village.vanishing[0] + random.uniform(-120, 160) * near
    y = village.vanishing[1] + (WORLD[1] - village.vanishing[1]) * near * 0.7
    lights = Image.new("L", WORLD, 0)
    size = round(60 + 320 * near)
    for dx in (-14 - 40 * near, 14 + 40 * near):
        one = Image.new("L", WORLD, 0)
        one.paste(_glow(size, 255), (round(x + dx - size / 2), round(y - size / 2)))
        lights = ImageChops.lighter(lights, one)
    beam = Image.new("L", WORLD, 0)
    ImageDraw.Draw(beam).polygon(
        [(x - 20, y), (x + 20, y), (x + 260 * near + 60, WORLD[1]), (x - 260 * near - 60, WORLD[1])],
        fill=70,
    )
    seen = ImageChops.add(seen, beam.reduce(6).filter(ImageFilter.GaussianBlur(3)).resize(WORLD))
    seen = ImageChops.screen(seen, lights)
    # Automatic exposure answers the glare.
    return _scaled(seen, random.uniform(0.7, 0.95))


def _insects(seen: Image.Image, weather: Weather, random: Random) -> Image.Image:
    if random.random() > weather.insects:
        return seen
    streaks = Image.new("L", (WORLD[0] // 3, WORLD[1] // 3), 0)
    draw = ImageDraw.Draw(streaks)
    for _ in range(random.randint(1, 4)):
        x, y = random.uniform(60, 260), random.uniform(30, 150)
        draw.line([(x, y), (x + random.gauss(0, 30), y + random.gauss(0, 20))], fill=230, width=3)
    return ImageChops.screen(seen, streaks.filter(ImageFilter.GaussianBlur(1.5)).resize(WORLD))


def _through_air(seen: Image.Image, weather: Weather, light: Light, random: Random) -> Image.Image:
    haze = weather.mist + 0.25 * weather.rain
    if haze:
        seen = _scaled(seen, 1 - 0.6 * haze, (110 if light == "day" else 35) * haze)
    if weather.rain:
        streaks = Image.new("L", FRAME, 0)
        draw = ImageDraw.Draw(streaks)
        for _ in range(round(420 * weather.rain)):
            x, y, length = random.uniform(0, FRAME[0]), random.uniform(0, FRAME[1]), random.uniform(8, 40)
            draw.line([(x, y), (x + length * 0.15, y + length)], fill=random.randint(30, 110))
        seen = ImageChops.add(seen, streaks)
    return seen
