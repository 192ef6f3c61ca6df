"""How well the node's lamp diagnosis tells each trouble: precision and recall over simulated lamps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.truth.episodes import Episodes
from edge.config import DiagnosisSettings
from edge.lamp.diagnosis import Diagnosis
from edge.lamp.expectation import Expectation
from edge.lamp.verdicts import Observation
from simulators.lamp_year import TROUBLES, LampLife

LATE_S = 3600.0
"""A trouble that a hold-off tells of just after it was mended was told of."""
ENDED_WITHIN_S = 26 * 3600.0
"""Some troubles show only by night, or only by day: the diagnosis ends within a day."""
TOLERANCE = 0.25
FIRST_HALVES = {"relay inverted": {"lamp_failure", "lamp_unexpected_on"}}
"""A relay that contradicts its command shows one direction first, and the other half a day later."""


@dataclass(slots=True)
class Score(Episodes):
    """How one event kind fared. Episodes are stays of a trouble; alarms are events with `active`."""

    alarms: int = 0
    false_alarms: int = 0
    not_ended: int = 0

    @property
    def precision(self) -> float | None:
        """Alarms that were true, of all."""
        return 1 - self.false_alarms / self.alarms if self.alarms else None

    @property
    def delay_h(self) -> float | None:
        """Median hours from a trouble's beginning to its alarm; a lamp that fails at noon is found at dusk."""
        return round(median(self.delays_s) / 3600, 2) if self.delays_s else None


@dataclass(slots=True)
class DiagnosisReport:
    """The truth table."""

    lamps: int
    days: float
    lamp_days: float
    kinds: dict[str, Score]

    @property
    def false_alarms(self) -> int:
        """Of all kinds."""
        return sum(score.false_alarms for score in self.kinds.values())


def run_diagnosis(
    *,
    lamps_per_trouble: int,
    days: float,
    seed: int,
    step_s: float = 60.0,
    progress: Callable[[int], None] = lambda _: None,
) -> DiagnosisReport:
    """Live every lamp through its days, a reading each `step_s`."""
    kinds: dict[str, Score] = {}
    done = 0
    for trouble in TROUBLES:
        for number in range(lamps_per_trouble):
            _live(LampLife(trouble, number, seed, days, step_s), kinds)
            done += 1
            progress(done)
    return DiagnosisReport(done, days, done * days, dict(sorted(kinds.items())))


def _live(life: LampLife, kinds: dict[str, Score]) -> None:
    settings = DiagnosisSettings()
    expectation = Expectation(life.rated_w, tolerance_share=TOLERANCE, camera_w=life.camera_w)
    diagnosis = Diagnosis(settings, expectation, camera_w=life.camera_w)
    expected, episodes = TROUBLES[life.trouble], life.episodes()
    found: set[int] = set()
    began: dict[str, float] = {}
    stayed: list[tuple[str, float, float]] = []
    level, level_since_s = -1.0, 0.0
    for tick in life.ticks():
        if tick.level != level:
            level, level_since_s = tick.level, tick.at_s
        observation = Observation(
            monotonic_s=tick.at_s,
            level=level,
            level_since_s=level_since_s,
            follows=True,
            meter=tick.meter,
            # Half of the poles have an input for it; the others' nodes are dark with their lamps.
            supply_present=tick.supply_present if life.number % 2 else None,
        )
        if not tick.supply_present and life.number % 2 == 0:
            continue
        for change in diagnosis.look(observation):
            if not change.active:
                stayed.append((change.kind, began.pop(change.kind), tick.at_s))
                continue
            began[change.kind] = tick.at_s
            score = kinds.setdefault(change.kind, Score())
            score.alarms += 1
            true = change.kind == expected or change.kind in FIRST_HALVES.get(life.trouble, ())
            episode = _episode_at(episodes, tick.at_s) if true else None
            if episode is None:
                score.false_alarms += 1
            elif change.kind == expected and episode not in found:
                found.add(episode)
                score.delays_s.append(tick.at_s - episodes[episode][0])
    if expected is not None:
        score = kinds.setdefault(expected, Score())
        score.episodes += len(episodes)
        score.found += len(found)
        stayed += [(kind, since_s, life.days * 86_400) for kind, since_s in began.items()]
        for kind, since_s, until_s in stayed:
            ends = [end_s for begin_s, end_s in episodes if begin_s <= since_s <= end_s + LATE_S]
            if kind == expected and ends and until_s > ends[0] + ENDED_WITHIN_S:
                score.not_ended += 1


def _episode_at(episodes: list[tuple[float, float]], at_s: float) -> int | None:
    for number, (begin_s, end_s) in enumerate(episodes):
        if begin_s <= at_s <= end_s + LATE_S:
            return number
    return None
