"""When a condition becomes a fault and when it has passed: hold-off before, hysteresis after. Pure."""

from __future__ import annotations

from dataclasses import dataclass

Detail = dict[str, str | int | float | bool | None]

FEWEST_READINGS = 3
"""One odd reading, or two, is no fault, however seldom is sampled."""


@dataclass(frozen=True, slots=True)
class Change:
    """A diagnosis that begins (`active`) or has ended, with what it was seen by."""

    kind: str
    active: bool
    detail: Detail


class Standing:
    """One fault of one pole. A verdict is True (seen), False (seen not to be), None (can't be told now).

    What can't be told neither shortens nor prolongs a hold-off: only time between two readings that agree
    counts, and of a long gap at most half a hold-off.
    """

    def __init__(self, *, begin_after_s: float, end_after_s: float) -> None:
        self.active = False
        self._begin_after_s = begin_after_s
        self._end_after_s = end_after_s
        self._held_s = 0.0
        self._readings = 0
        self._seen_at_s: float | None = None

    def look(self, verdict: bool | None, monotonic_s: float) -> bool | None:
        """True when it begins with this verdict, False when it ends with it, else None."""
        if verdict is None:
            self._seen_at_s = None
            return None
        if verdict == self.active:
            self._forget()
            return None
        must_hold_s = self._end_after_s if self.active else self._begin_after_s
        if self._seen_at_s is not None:
            self._held_s += min(monotonic_s - self._seen_at_s, must_hold_s / 2)
        self._seen_at_s = monotonic_s
        self._readings += 1
        if self._held_s < must_hold_s or self._readings < FEWEST_READINGS:
            return None
        self.set(not self.active)
        return self.active

    @property
    def on_trial(self) -> bool:
        """Whether something speaks for the other word, though not for long enough."""
        return self._readings > 0

    def set(self, active: bool) -> None:
        """Make it stand or not, without a hold-off."""
        self.active = active
        self._forget()

    def _forget(self) -> None:
        self._held_s, self._readings, self._seen_at_s = 0.0, 0, None
