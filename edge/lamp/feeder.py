"""What is wrong on a feeder, from the meter at its head and those of its lamps. Pure, time as an argument.

What the head measures beyond the lamps' own meters, the cabinet's own need and the most that unmetered lamps
may draw went elsewhere: with lamps lit it is loss (a bad joint, a leak, or tapping), with all of them out it is
tapping. One silent board makes the bound looser, never the judgement wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from edge.config.diagnosis import DiagnosisSettings
from edge.lamp.standing import Change, Detail, Standing
from edge.lamp.verdicts import POWER_TAPPING
from protocol.messages import MeterReading

FEEDER_LOSS: Final = "feeder_loss"
PHASE_OPEN: Final = "phase_open"

BACK_SHARE = 0.7
"""Below this share of its threshold a loss is over."""
NO_CURRENT_A = 0.05
LOADED_READINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederSeen:
    """The feeder at one moment."""

    monotonic_s: float
    phases: Sequence[MeterReading | None]
    """None is a silent meter."""
    lamps_w: float
    """The sum of the lamps' meters that answered."""
    unknown_w: float
    """The most that the other lamps may draw."""
    unknown_poles: int
    all_off: bool | None
    """Whether every lamp is known to be out; None shortly after a switch."""


class SavedFeeder(Struct, frozen=True, kw_only=True):
    """What outlives a restart."""

    standing: list[str] = []
    """Kinds; an open phase with its number, such as `phase_open 2`."""
    loaded: list[bool] = []


class Feeder:
    """The faults of one feeder. Events carry no pole: they are the cabinet's."""

    def __init__(self, settings: DiagnosisSettings, phases: int) -> None:
        self._settings = settings
        clear_s = settings.clear_after_s
        self._loss = Standing(begin_after_s=settings.feeder_after_s, end_after_s=clear_s)
        self._tapping = Standing(begin_after_s=settings.feeder_after_s, end_after_s=clear_s)
        self._open = [
            Standing(begin_after_s=settings.phase_open_after_s, end_after_s=clear_s) for _ in range(phases)
        ]
        self._loaded_readings = [0] * phases

    def look(self, seen: FeederSeen) -> list[Change]:
        """Take in one moment; the changes that follow from it."""
        changes = self._look_at_power(seen)
        if len(seen.phases) > 1:
            for number, standing in enumerate(self._open):
                verdict, by = self._phase(seen, number)
                begins = standing.look(verdict, seen.monotonic_s)
                if begins is not None:
                    detail: Detail = {"phase": number + 1, "evidence": by if begins else None}
                    changes.append(Change(PHASE_OPEN, begins, detail))
        return changes

    def to_save(self) -> SavedFeeder:
        """What the next start should know."""
        named = [(FEEDER_LOSS, self._loss), (POWER_TAPPING, self._tapping)]
        named += [(f"{PHASE_OPEN} {number}", standing) for number, standing in enumerate(self._open, 1)]
        return SavedFeeder(
            standing=[name for name, standing in named if standing.active],
            loaded=[self._is_loaded(number) for number in range(len(self._open))],
        )

    def restore(self, saved: SavedFeeder) -> None:
        """Take up what stood before the restart."""
        self._loss.set(FEEDER_LOSS in saved.standing)
        self._tapping.set(POWER_TAPPING in saved.standing)
        for number, standing in enumerate(self._open):
            standing.set(f"{PHASE_OPEN} {number + 1}" in saved.standing)
            if number < len(saved.loaded) and saved.loaded[number]:
                self._loaded_readings[number] = LOADED_READINGS

    def _look_at_power(self, seen: FeederSeen) -> list[Change]:
        known = [phase.power_w for phase in seen.phases if phase is not None]
        if len(known) < len(seen.phases) or seen.all_off is None:
            return []
        head_w, s = sum(known), self._settings
        elsewhere_w = head_w - seen.lamps_w - s.feeder_own_w - seen.unknown_w
        least_w = s.feeder_loss_above_w
        if not seen.all_off:
            least_w = max(least_w, s.feeder_loss_share * head_w)
        verdict = True if elsewhere_w > least_w else False if elsewhere_w < BACK_SHARE * least_w else None
        standing, kind = (self._tapping, POWER_TAPPING) if seen.all_off else (self._loss, FEEDER_LOSS)
        begins = standing.look(verdict, seen.monotonic_s)
        if begins is None:
            return []
        detail: Detail = {
            "head_w": round(head_w, 1),
            "lamps_w": round(seen.lamps_w, 1),
            "elsewhere_w": round(elsewhere_w, 1),
            "unknown_poles": seen.unknown_poles,
        }
        return [Change(kind, begins, detail)]

    def _phase(self, seen: FeederSeen, number: int) -> tuple[bool | None, str]:
        """Whether this phase is open, and by what that is seen."""
        phase = seen.phases[number]
        others = [other for at, other in enumerate(seen.phases) if at != number and other is not None]
        if not any(_volts(other) >= self._settings.phase_dead_v for other in others):
            return None, ""
        if phase is None:
            # Meters at a feeder's head live on the phase that they measure.
            return True, "meter_silent"
        if _volts(phase) < self._settings.phase_dead_v:
            return True, "no_voltage"
        amps, loaded_a = _amps(phase), self._settings.phase_loaded_a
        if seen.all_off is not False:
            return (None if self._open[number].active and self._is_loaded(number) else False), ""
        if amps >= loaded_a:
            self._loaded_readings[number] += 1
            return False, ""
        if not self._is_loaded(number):
            return False, ""
        carries = amps >= NO_CURRENT_A or not any(_amps(other) >= loaded_a for other in others)
        return (None if carries else True), "no_current"

    def _is_loaded(self, number: int) -> bool:
        return self._loaded_readings[number] >= LOADED_READINGS


def _volts(reading: MeterReading) -> float:
    """A meter that tells no voltage answers, so it has some."""
    return 230.0 if reading.voltage_v is None else reading.voltage_v


def _amps(reading: MeterReading) -> float:
    return reading.power_w / 230.0 if reading.current_a is None else reading.current_a
