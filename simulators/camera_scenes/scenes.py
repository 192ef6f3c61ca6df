"""Scenes: what a camera shows over days of learning and then over some rounds, with the truth beside it.

A scene is a pure function of its kind and its number. Numbers below 20,000 were looked at while
thresholds were tuned; tests and reports use those from 20,000 on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from simulators.camera_scenes.covers import Cover, LensCover
from simulators.camera_scenes.shots import Light, Optics, Weather, lightmap, moved, shot, with_noise
from simulators.camera_scenes.village import FRAME, build

Truth = Literal["ok", "frozen", "dark", "covered", "defocused", "moved"]

FIRST_TEST_NUMBER = 20_000
LEARNING_DAYS = 4
PICTURES_A_DAY = 2
ROUNDS = 5
ROUND = timedelta(minutes=5)
LOCAL_TIME = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class SceneKind:
    """One row of the catalogue."""

    name: str
    light: Light
    truth: Truth
    quiet: bool = False
    """Nothing moves, and the camera smooths its noise away: the hardest to tell from frozen."""
    cover: Cover | None = None
    clock: bool = True
    """Whether the camera writes its clock into the picture."""
    rain: bool = False
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """One snapshot as the agent gets it."""

    jpeg: bytes
    time: datetime
    learning: bool
    """Taken on the days before, while all was well."""


CATALOGUE = (
    SceneKind("day", "day", "ok"),
    SceneKind("day, wind and traffic", "day", "ok", busy=True),
    SceneKind("day, rain", "day", "ok", rain=True),
    SceneKind("day, nothing moves", "day", "ok", quiet=True),
    SceneKind("lamp", "lamp", "ok"),
    SceneKind("lamp, headlights", "lamp", "ok", busy=True),
    SceneKind("lamp, rain", "lamp", "ok", rain=True),
    SceneKind("lamp, nothing moves", "lamp", "ok", quiet=True),
    SceneKind("infrared", "infrared", "ok"),
    SceneKind("infrared, insects and headlights", "infrared", "ok", busy=True),
    SceneKind("infrared, rain", "infrared", "ok", rain=True),
    SceneKind("infrared, nothing moves", "infrared", "ok", quiet=True),
    SceneKind("day, frozen, clock runs", "day", "frozen"),
    SceneKind("lamp, frozen, clock runs", "lamp", "frozen"),
    SceneKind("infrared, frozen, clock runs", "infrared", "frozen"),
    SceneKind("day, frozen", "day", "frozen", clock=False),
    SceneKind("day, black", "day", "dark"),
    SceneKind("lamp lit, black", "lamp", "dark"),
    SceneKind("infrared, black", "infrared", "dark"),
    SceneKind("day, covered", "day", "covered", cover="whole"),
    SceneKind("lamp, covered", "lamp", "covered", cover="whole"),
    SceneKind("day, under a bag", "day", "covered", cover="bag"),
    SceneKind("infrared, under a bag", "infrared", "covered", cover="bag"),
    SceneKind("day, half covered", "day", "covered", cover="half"),
    SceneKind("lamp, half covered", "lamp", "covered", cover="half"),
    SceneKind("infrared, half covered", "infrared", "covered", cover="half"),
    SceneKind("infrared, spider's web", "infrared", "covered", cover="web"),
    SceneKind("lamp, spider's web", "lamp", "covered", cover="web"),
    SceneKind("day, defocused", "day", "defocused"),
    SceneKind("lamp, defocused", "lamp", "defocused"),
    SceneKind("day, moved", "day", "moved"),
    SceneKind("lamp, moved", "lamp", "moved"),
    SceneKind("infrared, moved", "infrared", "moved"),
)


def pictures(kind: SceneKind, number: int) -> Iterator[Picture]:
    """The days of learning at one hour of the day, then `ROUNDS` of the scene itself."""
    random = Random(f"{kind.name}/{number}")  # noqa: S311 - scenes that replay, nothing to guard
    village = build(random)
    falling = lightmap(kind.light, random)
    noise = {"day": (0.8, 2.2), "lamp": (2.0, 6.0), "infrared": (1.5, 5.0)}[kind.light]
    optics = Optics(noise=0.6 if kind.quiet else random.uniform(*noise))
    printer = _Printer(random, clock=kind.clock)
    start = datetime(2026, 3, 1, 8 if kind.light == "day" else 14, tzinfo=UTC)
    for day in range(LEARNING_DAYS):
        weather = _weather(kind, random, learning=True)
        for number_of_day in range(PICTURES_A_DAY):
            at = start + timedelta(days=day) + ROUND * number_of_day
            seen = shot(village, kind.light, falling, weather, optics, random)
            yield Picture(printer.jpeg(seen, at), at, learning=True)
    weather = _weather(kind, random, learning=False)
    if kind.truth == "defocused":
        optics = replace(optics, blur_px=random.uniform(4.0, 9.0))
    elif kind.truth == "moved":
        optics = moved(optics, random)
    cover = LensCover(kind.cover, kind.light, random) if kind.cover else None
    kept: Image.Image | None = None
    for number_of_round in range(ROUNDS):
        at = start + timedelta(days=LEARNING_DAYS) + ROUND * number_of_round
        if kind.truth == "dark":
            seen = with_noise(Image.new("L", FRAME, random.randint(0, 8)), random.uniform(0.5, 4), random)
        elif kept is not None and kind.truth == "frozen":
            seen = kept
        elif cover is not None:
            clear = shot(village, kind.light, falling, weather, replace(optics, noise=0), random)
            seen = with_noise(cover.over(clear), optics.noise, random)
        else:
            seen = shot(village, kind.light, falling, weather, optics, random)
        kept = seen
        yield Picture(printer.jpeg(seen, at), at, learning=False)


def _weather(kind: SceneKind, random: Random, *, learning: bool) -> Weather:
    """One day's. The days of learning are mostly fair; what comes after is what the scene is about."""
    if kind.quiet:
        return Weather(brightness=1.0, wind=0.0, traffic=0.0)
    wet = random.random() < 0.15 if learning else kind.rain or random.random() < 0.1
    busy = kind.busy and not learning
    night = kind.light != "day"
    return Weather(
        brightness=random.uniform(0.75, 1.1),
        rain=random.uniform(0.2, 0.9) if wet else 0.0,
        mist=random.uniform(0.1, 0.4) if random.random() < 0.15 else 0.0,
        wind=random.uniform(0.8, 1.6) if busy else random.uniform(0.1, 0.8),
        sunny=random.random() < 0.5,
        headlights=(0.9 if busy else 0.15) if night else 0.0,
        traffic=0.7 if busy else 0.2,
        insects=(0.9 if busy else 0.2) if kind.light == "infrared" else 0.0,
    )


class _Printer:
    """Writes clock and name into a picture and makes the JPEG, each camera in its own way."""

    def __init__(self, random: Random, *, clock: bool) -> None:
        self._font = ImageFont.load_default(random.randint(12, 22))
        self._quality = random.randint(55, 90)
        self._clock = clock
        self._at_right = random.random() < 0.4
        self._at_bottom = random.random() < 0.3

    def jpeg(self, seen: Image.Image, at: datetime) -> bytes:
        image = seen
        if self._clock:
            image = seen.copy()
            draw = ImageDraw.Draw(image)
            text = f"{at + LOCAL_TIME:%d-%m-%Y %H:%M:%S}"
            x = FRAME[0] - 12 - draw.textlength(text, self._font) if self._at_right else 12.0
            y = FRAME[1] - 40 if self._at_bottom else 10
            draw.text((x, y), text, fill=250, font=self._font, stroke_width=1, stroke_fill=10)
            draw.text((FRAME[0] - 120, FRAME[1] - 36), "Camera 01", fill=250, font=self._font)
        out = BytesIO()
        image.save(out, "JPEG", quality=self._quality)
        return out.getvalue()
