"""Roads as smooth curves, walked along in metres."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import cos, dist, hypot, radians

Point = tuple[float, float]
"""Metres east and north of the commune's centroid."""

_METRES_PER_DEGREE = 111_320.0
_STEPS_PER_SEGMENT = 24


@dataclass(frozen=True, slots=True)
class Curve:
    """A road's centre line, and how far along it each of its points lies."""

    points: tuple[Point, ...]
    lengths_m: tuple[float, ...]

    @classmethod
    def through(cls, waypoints: Sequence[Point]) -> Curve:
        """A uniform Catmull-Rom spline through the waypoints (at least two)."""
        ends = [waypoints[0], *waypoints, waypoints[-1]]
        points = [
            _catmull_rom(ends[i : i + 4], step / _STEPS_PER_SEGMENT)
            for i in range(len(waypoints) - 1)
            for step in range(_STEPS_PER_SEGMENT)
        ]
        points.append(waypoints[-1])
        lengths = accumulate((dist(a, b) for a, b in pairwise(points)), initial=0.0)
        return cls(tuple(points), tuple(lengths))

    @property
    def length_m(self) -> float:
        """From one end to the other."""
        return self.lengths_m[-1]

    def at(self, along_m: float, aside_m: float = 0.0) -> Point:
        """The point `along_m` from the start, `aside_m` to the left of the direction of travel."""
        index = min(bisect_right(self.lengths_m, along_m), len(self.points) - 1)
        (x0, y0), (x1, y1) = self.points[index - 1], self.points[index]
        step_m = self.lengths_m[index] - self.lengths_m[index - 1]
        share = (along_m - self.lengths_m[index - 1]) / step_m
        norm = hypot(x1 - x0, y1 - y0)
        left = (-(y1 - y0) / norm, (x1 - x0) / norm)
        return (x0 + (x1 - x0) * share + left[0] * aside_m, y0 + (y1 - y0) * share + left[1] * aside_m)


def to_degrees(point: Point, *, latitude: float, longitude: float) -> tuple[float, float]:
    """WGS 84 latitude and longitude of a point near the given centre; good to a metre within 5 km."""
    east_m, north_m = point
    return (
        latitude + north_m / _METRES_PER_DEGREE,
        longitude + east_m / (_METRES_PER_DEGREE * cos(radians(latitude))),
    )


def _catmull_rom(four: Sequence[Point], t: float) -> Point:
    """The uniform Catmull-Rom segment between the middle two points, t from 0 to 1."""

    def axis(a: float, b: float, c: float, d: float) -> float:
        cubic = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
        return cubic / 2

    (ax, ay), (bx, by), (cx, cy), (dx, dy) = four
    return axis(ax, bx, cx, dx), axis(ay, by, cy, dy)
