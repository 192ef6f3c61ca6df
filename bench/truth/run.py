"""The whole test: plan, world and hub, and the table that comes of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from bench.truth.drive import live_through
from bench.truth.hub_side import HubSide
from bench.truth.matching import Comparison, Seen, compare, known_by, notices_per_trip
from hub.incidents.model import HUB_BLIND
from hub.incidents.reads import IncidentView
from simulators.truth.episodes import HUB, Truth, truth_of
from simulators.truth.layout import Layout, lay_out_commune
from simulators.truth.moment import START
from simulators.truth.plan import DAY_S, Rates, Trouble, draw_plan
from simulators.truth.world import World

PRECISION, RECALL = 0.95, 0.98
INTERIM_DAYS = 10
"""So often a run tells what it has seen so far: one that is cut short has not been for nothing."""
SHOWN = 40
"""So many misses and false alarms are listed; their number is told in full."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large, how long, how often.

    `rates` multiplies how often things go wrong; `quiet_s` is how often a node samples while nothing goes on,
    `close_s` while something does.
    """

    poles: int = 200
    cameras: int = 50
    days: float = 365.0
    seed: int = 1
    rates: float = 1.0
    quiet_s: float = 1800.0
    close_s: float = 120.0


@dataclass(frozen=True, slots=True)
class TruthReport:
    """What the hub made of the year, or of its first `days_lived`."""

    plan: Plan
    days_lived: float
    comparison: Comparison
    notices_per_trip: Sequence[int]
    troubles: dict[str, int]
    samples: int
    rejects: dict[str, Any]
    turns: int
    took_s: float
    cpu_s: float

    @property
    def sound(self) -> bool:
        """Whether every kind reaches the figures, and each feeder trip made one notice at most."""
        return not self.short and max(self.notices_per_trip, default=0) <= 1

    @property
    def short(self) -> list[str]:
        """The kinds below the figures."""
        return [
            kind
            for kind, score in self.comparison.scores.items()
            if (score.recall is not None and score.recall < RECALL)
            or (score.precision is not None and score.precision < PRECISION)
        ]


def run_truth(
    folder: Path,
    plan: Plan,
    *,
    progress: Callable[[int], None] = lambda _: None,
    interim: Callable[[TruthReport], None] | None = None,
) -> TruthReport:
    """Live the year. Raises ValueError for a plan that no commune can be laid out for.

    `progress` is told each day, `interim` every `INTERIM_DAYS` what has been seen until then.
    """
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    layout = lay_out_commune(poles=plan.poles, cameras=plan.cameras, seed=plan.seed)
    troubles = draw_plan(layout, days=plan.days, seed=plan.seed, rates=Rates().times(plan.rates))
    truth = truth_of(layout, troubles)
    hub = HubSide(folder, layout.commune)

    def report(until_s: float, turns: int) -> TruthReport:
        seen = [_seen(one, hub.listener.heard) for one in hub.incidents()]
        known = known_by(truth, until_s)
        comparison = compare(known.episodes, known.excuses, seen)
        stats = hub.stats()
        return TruthReport(
            plan,
            min(until_s / DAY_S, plan.days),
            comparison,
            _notices(layout, known, seen, comparison),
            dict(sorted(Counter(map(_name, (one for one in troubles if one.begin_s < until_s))).items())),
            stats["samples_stored"],
            stats["rejects"]["by_reason"],
            turns,
            round(time.monotonic() - began_s, 1),
            round(time.process_time() - began_cpu_s, 1),
        )

    def day_passed(day: int, turns: int) -> None:
        progress(day)
        if interim is not None and day % INTERIM_DAYS == 0:
            interim(report(day * DAY_S, turns))

    try:
        world = World(
            layout, troubles, days=plan.days, seed=plan.seed, quiet_s=plan.quiet_s, close_s=plan.close_s
        )
        turns = live_through(world, hub, troubles, day_passed)
        return report(inf, turns)
    finally:
        hub.close()


def facts_of(report: TruthReport) -> dict[str, object]:
    """The report for `--json`."""
    return {
        "poles": report.plan.poles,
        "cameras": report.plan.cameras,
        "days": report.plan.days,
        "days_lived": report.days_lived,
        "seed": report.plan.seed,
        "quiet_s": report.plan.quiet_s,
        "close_s": report.plan.close_s,
        "troubles": report.troubles,
        "kinds": {
            kind: {
                "episodes": score.episodes,
                "found": score.found,
                "recall": _rounded(score.recall),
                "incidents": score.incidents,
                "true": score.true,
                "excused": score.excused,
                "false": score.false,
                "precision": _rounded(score.precision),
                "again": score.again,
                "not_closed": score.not_closed,
                "optional": score.optional,
                "delay_p50_s": score.delay_s(0.5),
                "delay_p99_s": score.delay_s(0.99),
            }
            for kind, score in report.comparison.scores.items()
        },
        "notices_per_trip": {
            str(notices): trips for notices, trips in sorted(Counter(report.notices_per_trip).items())
        },
        "missed": [
            f"{one.kind} of {one.originator} ({one.what}) {one.begin_s:.0f} to {one.end_s:.0f} s"
            for one in report.comparison.missed[:SHOWN]
        ],
        "false": [
            f"{one.kind} of {one.originator} at {one.opened_s:.0f} s: {why}"
            for one, why in report.comparison.false[:SHOWN]
        ],
        "outlived": [
            f"{one.kind} of {one.originator} ({it.what}) until {it.end_s:.0f} s, closed at {one.closed_s}"
            for one, it in report.comparison.outlived[:SHOWN]
        ],
        "short": report.short,
        "samples": report.samples,
        "rejects": report.rejects,
        "turns": report.turns,
        "took_s": report.took_s,
        "cpu_s": report.cpu_s,
        "sound": report.sound,
    }


def _name(trouble: Trouble) -> str:
    return f"{trouble.what}, planned" if trouble.planned else trouble.what


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _notices(layout: Layout, truth: Truth, seen: Sequence[Seen], comparison: Comparison) -> list[int]:
    sites = {site.node: site for site in layout.sites}
    members = {
        feeder: frozenset(
            {feeder, *nodes}
            | {sites[node].pole.code for node in nodes}
            | {camera for node in nodes for camera in sites[node].pole.cameras}
        )
        for feeder, nodes in layout.feeders.items()
    }
    return notices_per_trip(truth.trips, members, seen, comparison.owner)


def _seen(one: IncidentView, heard: Container[int]) -> Seen:
    return Seen(
        id=one.id,
        kind=one.kind,
        originator=HUB if one.kind == HUB_BLIND else one.originator.rpartition("/")[2],
        opened_s=(one.opened_at - START).total_seconds(),
        closed_s=None if one.closed_at is None else (one.closed_at - START).total_seconds(),
        loud=one.id in heard,
    )
