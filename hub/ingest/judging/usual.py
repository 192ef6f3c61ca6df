"""What a pole's last routine sample looked like, and how far the next may differ with nothing to decide.

Nearly every sample says what the one before said: the same lamp, the same light, a meter that wanders. While
it does, no incident is concerned, nobody sees a difference at once, and coverage is what it was. So instead of
judging each anew, the fast lane compares it with this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from hub.incidents.rulebook import Limits, RuleBook
from hub.ingest.judging.lean import LeanSample
from hub.ingest.lamp_status import IDLE_SHARE
from hub.ingest.state import IngestState, NodeLive, PoleMark
from hub.ingest.unflushed import Slot
from hub.uptime.coverage.keeper import Tail
from hub.uptime.coverage.states import lamp_state, lit_from_w
from protocol import LampReading


class Usual:
    """Of one pole. It holds as long as `mark` is not replaced and `rules` are in force.

    Strictly between `above_w` and `below_w`, and between `above_v` and `below_v`, no figure crosses any
    threshold that `is_routine`, a person's look at the lamp or its coverage know.
    """

    __slots__ = (
        "above_v",
        "above_w",
        "below_v",
        "below_w",
        "covered_as",
        "dark",
        "lamp",
        "mark",
        "rules",
        "tail",
    )

    def __init__(
        self,
        sample: LeanSample,
        mark: PoleMark,
        rules: RuleBook,
        commune: str,
        rated_w: float | None,
        power_w: float,
    ) -> None:
        limits = rules.limits(commune)
        self.mark = mark
        self.tail: Tail | None = None
        """The pole's newest stretch of coverage, once it is known."""
        self.rules = rules
        self.lamp: LampReading = sample.lamp
        self.dark = sample.dark
        self.covered_as = lamp_state(sample, rated_w)
        self.above_v, self.below_v = limits.voltage_low_v, limits.voltage_high_v
        thresholds_w = _thresholds_w(sample.lamp.effect_level, rated_w, limits)
        self.above_w = max((one for one in thresholds_w if one <= power_w), default=-inf)
        self.below_w = min((one for one in thresholds_w if one > power_w), default=inf)


@dataclass(slots=True, eq=False)
class LaneSlot(Slot):
    """A node's place in the fast lane."""

    live: NodeLive | None = None
    """The node as last heard; what the directory knew of it in this `generation` is `known`."""
    generation: int = -1
    usual: dict[str, Usual] = field(default_factory=dict)
    """Per pole, where its samples tell of lamp and meter alone."""

    def learn(self, state: IngestState, sample: LeanSample, mark: PoleMark) -> None:
        """After a routine sample that looks like the one before: let the next be compared with it."""
        meter = sample.meter
        if meter is None or meter.voltage_v is None or sample.cameras or sample.cabinet is not None:
            return
        rated_w = self.known.lamp_rated_w.get(sample.pole)
        rules = state.watcher.rules
        self.usual[sample.pole] = Usual(sample, mark, rules, self.commune, rated_w, meter.power_w)


def _thresholds_w(level: float, rated_w: float | None, limits: Limits) -> tuple[float, ...]:
    lit_w, rated = lit_from_w(level, rated_w), rated_w or 0.0
    if level > 0:
        return lit_w, limits.fail_share * rated * level
    return lit_w, limits.on_share * rated, IDLE_SHARE * rated
