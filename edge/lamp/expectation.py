"""What a lamp should draw at a level: its rated power, or what it drew while it was well. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

READINGS_TO_LEARN = 60
"""Half an hour at 30 s."""
UNLEARNED_DIM_SLACK = 0.10
"""Dimmed drivers don't draw in proportion: this share of the rated power more or less, until it is learned."""


class SavedExpectation(Struct, frozen=True, kw_only=True):
    """What was learned of a lamp, for the next start; void once its rated power is another."""

    rated_w: float
    learned_w: dict[str, float] = {}
    """Mean power by level band: "10" is full light, "5" is half."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the circuit should draw, watts: between `low_w` and `high_w` the lamp is well."""

    power_w: float
    low_w: float
    high_w: float
    learned: bool


class Expectation:
    """The expectation of one lamp. Learned once per level band, and never outside the set tolerance: a lamp
    that fades is not got used to.
    """

    def __init__(self, rated_w: float, *, tolerance_share: float, camera_w: float) -> None:
        self._rated_w = rated_w
        self._tolerance = tolerance_share
        self._camera_w = camera_w
        self._learned: dict[int, float] = {}
        self._learning: dict[int, list[float]] = {}

    def at(self, level: float) -> Expected:
        """What is expected at a level above 0. The cameras' share may be drawn or not."""
        learned_w = self._learned.get(band_of(level))
        if learned_w is None:
            return self._set(level)
        slack_w = learned_w * self._tolerance
        # The cameras' share is in what was learned.
        return Expected(learned_w, learned_w - slack_w, learned_w + slack_w, True)

    def learn(self, level: float, power_w: float) -> bool:
        """Take in a reading of a lamp that is well; True when its band is now known."""
        band = band_of(level)
        allowed = self._set(level)
        if band in self._learned or not allowed.low_w <= power_w <= allowed.high_w:
            return False
        readings = self._learning.setdefault(band, [])
        readings.append(power_w)
        if len(readings) < READINGS_TO_LEARN:
            return False
        self._learned[band] = sum(readings) / len(readings)
        del self._learning[band]
        return True

    def revise(self, rated_w: float, tolerance_share: float) -> None:
        """Another rated power is another lamp: what was learned is void."""
        if rated_w != self._rated_w:
            self.forget()
        self._rated_w, self._tolerance = rated_w, tolerance_share

    def forget(self) -> None:
        """Learn anew: people have worked at the pole."""
        self._learned.clear()
        self._learning.clear()

    def to_save(self) -> SavedExpectation:
        """What is known, for the next start."""
        learned_w = {str(band): round(power_w, 2) for band, power_w in self._learned.items()}
        return SavedExpectation(rated_w=self._rated_w, learned_w=learned_w)

    def restore(self, saved: SavedExpectation) -> None:
        """Take up what an earlier run learned of the same lamp."""
        if saved.rated_w == self._rated_w:
            self._learned.update({int(band): power_w for band, power_w in saved.learned_w.items()})

    def _set(self, level: float) -> Expected:
        power_w = self._rated_w * level
        slack_w = power_w * self._tolerance
        if band_of(level) < band_of(1.0):
            slack_w += self._rated_w * UNLEARNED_DIM_SLACK
        return Expected(power_w, power_w - slack_w, power_w + slack_w + self._camera_w, False)


def band_of(level: float) -> int:
    """The band of a level: tenths, so that 10 is full light."""
    return round(level * 10)
