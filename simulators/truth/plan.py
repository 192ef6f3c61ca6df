"""What goes wrong in the year, where and when: drawn from a seed before anything is simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from simulators.lamp_year import TROUBLES
from simulators.seeded import seeded
from simulators.truth.layout import Layout

DAY_S = 86_400.0
HOUR_S = 3600.0
FIRST_S = 2 * DAY_S
"""Lamps are learned in the first nights: their nodes expect what they drew while they were well."""
LAST_S = 0.5 * DAY_S
"""The last of the faults ends so long before the end, so that it can be seen to end."""

LAMP_TROUBLES = tuple(name for name, kind in TROUBLES.items() if kind is not None)
CAMERA_TROUBLES = {
    "camera offline": "camera_offline",
    "camera stream lost": "camera_stream_lost",
    "camera frozen": "camera_frozen",
    "camera dark": "camera_dark",
    "camera covered": "camera_covered",
    "camera defocused": "camera_defocused",
    "camera moved": "camera_moved",
    "camera clock drift": "camera_clock_drift",
    "recording gap": "recording_gap",
}
SLOW_TO_SHOW = {"camera clock drift": 3.0, "recording gap": 2.0}
"""Asked hourly, or every quarter of an hour: these stay longer."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong from `begin_s` to `end_s` (seconds from the start).

    `where`: a pole, node, camera or feeder; empty for the hub. `size` is what the trouble needs of its own:
    a clock's error, or for how long a maintained node is switched off, in seconds. `planned`: work that the hub
    is told of beforehand, and the node is not.
    """

    what: str
    where: str
    begin_s: float
    end_s: float
    size: float = 0.0
    planned: bool = False

    @property
    def lasts_s(self) -> float:
        """How long it stays."""
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things happen: per year and pole, camera, node, feeder or commune."""

    lamp: float = 0.2
    camera: float = 0.6
    dead_node: float = 0.4
    flapping_link: float = 0.1
    short_drop: float = 3.0
    fuse: float = 0.15
    door: float = 0.2
    heat: float = 0.2
    clock: float = 0.3
    maintenance: float = 0.3
    trip: float = 6.0
    backhaul: float = 3.0
    storm: float = 8.0
    hub_down: float = 12.0
    broker_down: float = 10.0

    def times(self, factor: float) -> Rates:
        """The same mix, more of it: for short runs that should still see every kind."""
        return Rates(**{name: getattr(self, name) * factor for name in self.__slots__})


def draw_plan(layout: Layout, *, days: float, seed: int, rates: Rates) -> list[Trouble]:
    """All troubles by their beginning. One place has one trouble of a family at a time, with room between."""
    draw = _Draw(layout, days, seed, rates)
    found = [
        *draw.lamps(),
        *draw.cameras(),
        *draw.nodes(),
        *draw.feeders(),
        *draw.hub(),
    ]
    return sorted(found, key=lambda one: (one.begin_s, one.what, one.where))


class _Draw:
    def __init__(self, layout: Layout, days: float, seed: int, rates: Rates) -> None:
        self._layout = layout
        self._days = days
        self._seed = seed
        self._rates = rates

    def lamps(self) -> Iterator[Trouble]:
        for site in self._layout.sites:
            mix = [(name, self._rates.lamp, _days(1.5, 4)) for name in LAMP_TROUBLES]
            yield from self._one_after_another(site.pole.code, "lamp", mix, rest_s=DAY_S)

    def cameras(self) -> Iterator[Trouble]:
        for camera in self._layout.cameras:
            mix = [
                (name, self._rates.camera, _hours(2 * SLOW_TO_SHOW.get(name, 1), 36))
                for name in CAMERA_TROUBLES
            ]
            yield from self._one_after_another(camera, "camera", mix, rest_s=6 * HOUR_S)

    def nodes(self) -> Iterator[Trouble]:
        rates = self._rates
        for site in self._layout.sites:
            mix: list[tuple[str, float, Callable[[Random], float]]] = [
                ("node dead", rates.dead_node, _hours(0.5, 30)),
                ("link flaps", rates.flapping_link, _hours(1, 3)),
                ("link drops", rates.short_drop, lambda random: random.uniform(5, 35)),
                ("door open", rates.door, _hours(0.1, 3)),
                ("heat", rates.heat, _hours(1, 6)),
                ("clock unsynced", 0.7 * rates.clock, _hours(1, 12)),
                ("clock wrong", 0.3 * rates.clock, _hours(1, 12)),
                ("maintenance", rates.maintenance, _hours(0.5, 3)),
            ]
            if site.senses_mains:
                mix.append(("fuse", rates.fuse / 0.4, _hours(0.5, 10)))
            for trouble in self._one_after_another(site.node, "node", mix, rest_s=2 * HOUR_S):
                yield self._sized(trouble)

    def feeders(self) -> Iterator[Trouble]:
        """Trips, storms (which trip several, some twice), and masts that fall silent."""
        random = seeded(self._seed, "storms")
        storms = list(_moments(random, self._rates.storm, self._days))
        for feeder in self._layout.feeders:
            random = seeded(self._seed, "feeder", feeder)
            mix = [
                ("trip", self._rates.trip, lambda r: 300 + min(12 * HOUR_S, r.expovariate(1 / 5400))),
                ("backhaul", self._rates.backhaul, _hours(0.2, 12)),
            ]
            found = list(self._one_after_another(feeder, "feeder", mix, rest_s=3 * HOUR_S))
            yield from found
            for storm_s in storms:
                if random.random() < 0.35:
                    yield from self._storm_trips(feeder, storm_s, random, found)

    def hub(self) -> Iterator[Trouble]:
        mix = [
            ("hub down", self._rates.hub_down, _hours(0.1, 6)),
            ("broker down", self._rates.broker_down, _hours(0.1, 3)),
        ]
        yield from self._one_after_another("", "hub", mix, rest_s=6 * HOUR_S)

    def _storm_trips(
        self, feeder: str, storm_s: float, random: Random, others: Sequence[Trouble]
    ) -> Iterator[Trouble]:
        begin_s = storm_s + random.uniform(0, 1200)
        ends = [begin_s + random.uniform(300, 1800)]
        begins = [begin_s]
        if random.random() < 0.4:  # closed again onto the same tree
            begins.append(ends[0] + random.uniform(300, 900))
            ends.append(begins[1] + random.uniform(HOUR_S, 6 * HOUR_S))
        room_s = 3 * HOUR_S
        if any(one.begin_s - room_s < ends[-1] and begin_s < one.end_s + room_s for one in others):
            return
        if ends[-1] < (self._days * DAY_S - LAST_S):
            for begin, end in zip(begins, ends, strict=True):
                yield Trouble("trip", feeder, round(begin), round(end))

    def _one_after_another(
        self,
        where: str,
        family: str,
        mix: Sequence[tuple[str, float, Callable[[Random], float]]],
        *,
        rest_s: float,
    ) -> Iterator[Trouble]:
        random = seeded(self._seed, family, where)
        free_from_s = FIRST_S if family == "lamp" else HOUR_S
        for at_s, (name, _, lasts) in _drawn(random, mix, self._days):
            end_s = at_s + lasts(random)
            if at_s < free_from_s or end_s > self._days * DAY_S - LAST_S:
                continue
            yield Trouble(name, where, round(at_s), round(end_s))
            free_from_s = end_s + rest_s

    def _sized(self, trouble: Trouble) -> Trouble:
        random = seeded(self._seed, "size", trouble.where, trouble.begin_s)
        size, planned = 0.0, False
        if trouble.what == "clock unsynced":
            size = -random.choice((trouble.begin_s + 56 * 365.25 * DAY_S, 7 * DAY_S))
        elif trouble.what == "clock wrong":
            size = random.choice((3 * HOUR_S, -2 * DAY_S))
        elif trouble.what == "maintenance":
            size = random.choice((0.0, random.uniform(300, 1200)))
            planned = random.random() < 0.5
        return replace(trouble, size=size, planned=planned)


def _drawn(
    random: Random, mix: Sequence[tuple[str, float, Callable[[Random], float]]], days: float
) -> Iterator[tuple[float, tuple[str, float, Callable[[Random], float]]]]:
    weights = [rate for _, rate, _ in mix]
    for at_s in _moments(random, sum(weights), days):
        yield at_s, random.choices(mix, weights)[0]


def _moments(random: Random, per_year: float, days: float) -> Iterator[float]:
    if per_year <= 0:
        return
    at_s = random.expovariate(per_year / (365 * DAY_S))
    while at_s < days * DAY_S:
        yield at_s
        at_s += random.expovariate(per_year / (365 * DAY_S))


def _hours(least: float, most: float) -> Callable[[Random], float]:
    return lambda random: random.uniform(least, most) * HOUR_S


def _days(least: float, most: float) -> Callable[[Random], float]:
    return _hours(24 * least, 24 * most)
