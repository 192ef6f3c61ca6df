"""A commune laid out from its data file: the same file and seed give the same poles, always."""

from __future__ import annotations

from dataclasses import dataclass
from math import dist
from pathlib import Path
from random import Random
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from simulators.geometry import Curve, Point, to_degrees
from simulators.seeded import seeded

COMMUNES = Path(__file__).parent / "communes"

_LANDMARK_WITHIN_M = 60.0


class ScenarioError(Exception):
    """Scenario or commune data that can't be used; the text says which and why."""


class Road(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A road with lamps on one supply line. `path` in metres east and north of the centroid."""

    feeder: str
    name: str
    poles: Annotated[int, Meta(ge=2)]
    lamp_rated_w: Annotated[float, Meta(gt=0)]
    path: Annotated[list[Point], Meta(min_length=2)]


class Hamlet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the commune, around a point."""

    name: str
    at: Point


class Landmark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place people name, with the cameras that stand there."""

    name: str
    at: Point
    cameras: Annotated[int, Meta(ge=0, le=8)] = 0


class CommuneFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `communes/`."""

    code: str
    name: str
    province: str
    former_names: list[str]
    latitude: float
    longitude: float
    programme: str
    pole_prefix: str
    roads: Annotated[list[Road], Meta(min_length=1)]
    hamlets: Annotated[list[Hamlet], Meta(min_length=1)]
    landmarks: list[Landmark]


@dataclass(frozen=True, slots=True)
class PoleSite:
    """One pole where it stands. `along` is its place on the feeder, 0 at the cabinet, 1 at the end."""

    code: str
    node: str
    place: str
    hamlet: str
    group: str
    feeder: str
    feeder_name: str
    along: float
    spacing_m: float
    at: Point
    latitude: float
    longitude: float
    lamp_rated_w: float
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commune:
    """The file's words and the poles that follow from them."""

    file: CommuneFile
    poles: tuple[PoleSite, ...]


def load_commune(code: str, *, seed: int) -> Commune:
    """Read `communes/<code>.toml` and set up its poles; raises ScenarioError."""
    path = COMMUNES / f"{code}.toml"
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=CommuneFile)
    except FileNotFoundError:
        raise ScenarioError(f"there is no commune {code!r}; see {COMMUNES}") from None
    except msgspec.DecodeError as error:
        raise ScenarioError(f"{path}: {error}") from None
    return Commune(file, tuple(lay_out(file, seed=seed)))


def lay_out(file: CommuneFile, *, seed: int) -> list[PoleSite]:
    """Set the poles along the roads, name their places, and hang the cameras."""
    random = seeded(file.code, "layout", seed)
    spots = [spot for road in file.roads for spot in _along(road, random)]
    cameras, named = _at_landmarks(file, [spot.at for spot in spots])
    groups: dict[tuple[str, str], str] = {}
    poles = []
    for index, spot in enumerate(spots):
        code = f"{file.pole_prefix}-{index + 1:04d}"
        hamlet = min(file.hamlets, key=lambda one: dist(one.at, spot.at)).name
        group = groups.setdefault((hamlet, spot.road.feeder), f"Tổ liên gia số {len(groups) + 1}")
        latitude, longitude = to_degrees(spot.at, latitude=file.latitude, longitude=file.longitude)
        poles.append(
            PoleSite(
                code=code,
                node=code.lower(),
                place=named.get(index, f"{spot.road.name}, cột số {spot.number}"),
                hamlet=hamlet,
                group=group,
                feeder=spot.road.feeder,
                feeder_name=spot.road.name,
                along=spot.number / spot.road.poles,
                spacing_m=spot.spacing_m,
                at=spot.at,
                latitude=round(latitude, 6),
                longitude=round(longitude, 6),
                lamp_rated_w=spot.road.lamp_rated_w,
                cameras=tuple(cameras.get(index, ())),
            )
        )
    return poles


@dataclass(frozen=True, slots=True)
class _Spot:
    road: Road
    number: int
    at: Point
    spacing_m: float


def _along(road: Road, random: Random) -> list[_Spot]:
    """Poles at even spacing, each a little off: nobody digs a hole in a gateway."""
    curve = Curve.through(road.path)
    spacing_m = curve.length_m / road.poles
    spots = []
    before_m = 0.0
    for number in range(1, road.poles + 1):
        along_m = (number - 0.5) * spacing_m + random.uniform(-2.5, 2.5)
        at = curve.at(along_m, 4.0 + random.uniform(-0.8, 0.8))
        spots.append(_Spot(road, number, at, along_m - before_m))
        before_m = along_m
    return spots


def _at_landmarks(file: CommuneFile, spots: list[Point]) -> tuple[dict[int, list[str]], dict[int, str]]:
    """Camera codes and place names by the index of the pole nearest to each landmark."""
    cameras: dict[int, list[str]] = {}
    named: dict[int, str] = {}
    made = 0
    for landmark in file.landmarks:
        index = min(range(len(spots)), key=lambda one: dist(landmark.at, spots[one]))
        if dist(landmark.at, spots[index]) > _LANDMARK_WITHIN_M:
            raise ScenarioError(
                f"commune {file.code}: no pole within {_LANDMARK_WITHIN_M:.0f} m of {landmark.name}"
            )
        named.setdefault(index, landmark.name)
        for _ in range(landmark.cameras):
            made += 1
            cameras.setdefault(index, []).append(f"{file.pole_prefix}-C{made:02d}")
    return cameras, named
