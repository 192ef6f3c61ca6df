"""What is wrong with one lamp, from its output's state and its meter. Pure, time as an argument.

Every fault has a hold-off before and a hysteresis after (`standing.py`); what one reading says stands in
`verdicts.py`. Three things need memory of their own: a lamp that comes and goes, a meter that repeats itself,
and a relay, which is told apart from lamp and contactor by contradicting its command in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from edge.config.diagnosis import DiagnosisSettings
from edge.lamp.expectation import Expectation, SavedExpectation, band_of
from edge.lamp.standing import Change, Detail, Standing
from edge.lamp.verdicts import (
    LAMP_FAILURE,
    LAMP_UNEXPECTED_ON,
    POWER_FACTOR_TOO_LOW,
    POWER_TAPPING,
    POWER_TOO_HIGH,
    POWER_TOO_LOW,
    VOLTAGE_TOO_HIGH,
    VOLTAGE_TOO_LOW,
    Observation,
    Verdicts,
    bounds,
    evidence,
    judge_dark,
    judge_lit,
    judge_voltage,
)
from protocol.messages import MeterReading

CYCLING_FAILURE: Final = "cycling_failure"
RELAY_FAILURE: Final = "relay_failure"
METER_STALE: Final = "meter_stale"
READBACK: Final = "readback"

LEARN_AFTER_S = 1200.0
"""A lamp is learned only when it has burned at one level for so long."""
STALE_CLEAR_S = 60.0
_LEARNED_FROM: Final = (LAMP_FAILURE, POWER_TOO_LOW, POWER_TOO_HIGH)
REPEATS_S = 120.0
"""Readings may be the same by chance for so long."""


class SavedDiagnosis(Struct, frozen=True, kw_only=True):
    """What outlives a restart: faults that stand, and what was learned of the lamp."""

    standing: list[str] = []
    expectation: SavedExpectation | None = None
    ill_bands: list[int] = []
    """Level bands in which the lamp was last seen ill."""


class Cycling:
    """Counts how often a lit lamp came back by itself."""

    def __init__(self, settings: DiagnosisSettings) -> None:
        self._within_s = settings.cycling_within_s
        self._returns_needed = settings.cycling_returns
        self._was_dark = False
        self._returned_at_s: list[float] = []

    def look(self, burning: bool | None, monotonic_s: float, *, is_told: bool) -> bool | None:
        """One more reading of a lit lamp; None is one that can't tell, or a lamp that is not to burn."""
        if burning is None:
            self._was_dark = False
            return None
        if burning and self._was_dark:
            self._returned_at_s.append(monotonic_s)
        self._was_dark = not burning
        self._returned_at_s = [s for s in self._returned_at_s if monotonic_s - s <= self._within_s]
        if is_told:
            return bool(self._returned_at_s)
        return len(self._returned_at_s) >= self._returns_needed

    @property
    def suspected(self) -> bool:
        """Whether the lamp has come back by itself lately."""
        return bool(self._returned_at_s)


class MeterWatch:
    """Tells a meter that answers from one that is silent or repeats itself."""

    def __init__(self, settings: DiagnosisSettings) -> None:
        self._frozen_after_s = settings.frozen_after_s
        self._last: MeterReading | None = None
        self._same_since_s = 0.0

    def alive(self, reading: MeterReading | None, monotonic_s: float) -> bool:
        """Whether this reading is one. The mains' voltage is never the same for an hour."""
        if reading is None:
            return False
        if reading != self._last:
            self._last, self._same_since_s = reading, monotonic_s
        return reading.voltage_v is None or monotonic_s - self._same_since_s < self._frozen_after_s

    def speaks(self, reading: MeterReading, monotonic_s: float) -> bool:
        """Whether it may be judged by: one that has begun to repeat itself says nothing of a lamp that was
        switched since.
        """
        return reading.voltage_v is None or monotonic_s - self._same_since_s < REPEATS_S


class Diagnosis:
    """The faults of one pole's lamp circuit."""

    def __init__(self, settings: DiagnosisSettings, expectation: Expectation, *, camera_w: float) -> None:
        self.expectation = expectation
        self._settings = settings
        self._camera_w = camera_w
        self._was_in_maintenance = False
        self._told: list[str] = []
        self._ill_bands: set[int] = set()
        self._begin_anew()

    @property
    def faults(self) -> list[str]:
        """The kinds that stand now, in the order in which they began."""
        return list(self._told)

    def look(self, observation: Observation) -> list[Change]:
        """Take in one observation; the changes that follow from it."""
        if observation.maintenance:
            return self._in_maintenance()
        if self._was_in_maintenance:
            self._was_in_maintenance = False
            self.expectation.forget()
            self._ill_bands.clear()
        if observation.supply_present is False:
            return []
        verdicts = self._verdicts(observation)
        for kind, standing in self._standing.items():
            standing.look(verdicts.get(kind), observation.monotonic_s)
        self._note_band(observation.level, verdicts)
        if not any(verdicts.values()) and not self._told and not self._ill_bands:
            self._learn(observation)
        return self._tell(evidence(verdicts, observation, self.expectation))

    def to_save(self) -> SavedDiagnosis:
        """What the next start should know."""
        return SavedDiagnosis(
            standing=list(self._told),
            expectation=self.expectation.to_save(),
            ill_bands=sorted(self._ill_bands),
        )

    def restore(self, saved: SavedDiagnosis) -> None:
        """Take up what stood before the restart; the hub has been told of it."""
        if saved.expectation is not None:
            self.expectation.restore(saved.expectation)
        self._ill_bands.update(saved.ill_bands)
        for kind in saved.standing:
            for part in (LAMP_FAILURE, LAMP_UNEXPECTED_ON) if kind == RELAY_FAILURE else (kind,):
                if part in self._standing:
                    self._standing[part].set(True)
        self._relay_latched = RELAY_FAILURE in saved.standing
        self._told = self._to_tell()

    def _begin_anew(self) -> None:
        s = self._settings
        clear_s = s.clear_after_s
        after_s = {
            LAMP_FAILURE: s.failure_after_s,
            LAMP_UNEXPECTED_ON: s.unexpected_on_after_s,
            POWER_TOO_LOW: s.power_after_s,
            POWER_TOO_HIGH: s.power_after_s,
            POWER_FACTOR_TOO_LOW: s.power_factor_after_s,
            VOLTAGE_TOO_LOW: s.voltage_after_s,
            VOLTAGE_TOO_HIGH: s.voltage_after_s,
            POWER_TAPPING: s.tapping_after_s,
            METER_STALE: s.stale_after_s,
            CYCLING_FAILURE: 0.0,
            READBACK: s.relay_after_s,
        }
        longer_s = {POWER_TAPPING: s.tapping_after_s, VOLTAGE_TOO_LOW: s.voltage_after_s}
        longer_s |= {VOLTAGE_TOO_HIGH: s.voltage_after_s, METER_STALE: STALE_CLEAR_S}
        self._standing = {
            kind: Standing(begin_after_s=begin_s, end_after_s=longer_s.get(kind, clear_s))
            for kind, begin_s in after_s.items()
        }
        self._relay_latched = False
        self._cycling = Cycling(s)
        self._meter = MeterWatch(s)

    def _in_maintenance(self) -> list[Change]:
        if self._was_in_maintenance:
            return []
        self._was_in_maintenance = True
        self._begin_anew()
        return self._tell({"ended_by": "maintenance"})

    def _verdicts(self, seen: Observation) -> Verdicts:
        verdicts: Verdicts = {READBACK: None if seen.follows is None else not seen.follows}
        if not seen.has_meter:
            return verdicts
        alive = self._meter.alive(seen.meter, seen.monotonic_s)
        verdicts[METER_STALE] = not alive
        meter = seen.meter
        if not alive or meter is None or not self._meter.speaks(meter, seen.monotonic_s):
            self._cycling.look(None, seen.monotonic_s, is_told=False)
            return verdicts
        verdicts |= judge_voltage(meter.voltage_v, self._settings)
        # Without voltage on the lamp's circuit nothing can be said of the lamp.
        dead = meter.voltage_v is not None and meter.voltage_v < self._settings.phase_dead_v
        level = None if dead else seen.level
        settled_s = seen.monotonic_s - seen.level_since_s
        verdicts[CYCLING_FAILURE] = self._cycling.look(
            self._burning(level, meter, settled_s),
            seen.monotonic_s,
            is_told=self._standing[CYCLING_FAILURE].active,
        )
        if level is None or settled_s < self._settings.settle_s:
            return verdicts
        if level > 0:
            verdicts |= judge_lit(
                level,
                meter,
                expectation=self.expectation,
                settings=self._settings,
                camera_w=self._camera_w,
                warm=settled_s >= self._settings.warm_up_s,
                too_high=self._standing[POWER_TOO_HIGH].active,
            )
        else:
            verdicts |= judge_dark(
                meter,
                expectation=self.expectation,
                settings=self._settings,
                camera_w=self._camera_w,
                tapped=self._standing[POWER_TAPPING].active,
            )
        if self._cycling.suspected:
            # It comes and goes: neither its dark minutes nor its run-up are faults of their own.
            for kind in (LAMP_FAILURE, POWER_TOO_LOW, POWER_TOO_HIGH):
                verdicts[kind] = verdicts.get(kind) and None
        return verdicts

    def _burning(self, level: float | None, meter: MeterReading, settled_s: float) -> bool | None:
        if level is None or level <= 0 or settled_s < self._settings.settle_s:
            return None
        at = bounds(self.expectation.at(level), self._settings, self._camera_w)
        if not at.tells_failure:
            return None
        if meter.power_w < at.failed_w:
            return False
        return True if meter.power_w >= (at.failed_w + at.expected.low_w) / 2 else None

    def _note_band(self, level: float | None, verdicts: Verdicts) -> None:
        """Remember in which bands it was last seen ill.

        A lamp may draw too much at full light only: the fault ends as it is dimmed, and is not gone. What it
        draws dimmed is then no measure of a lamp that is well.
        """
        if not level:
            return
        told = [verdicts.get(kind) for kind in _LEARNED_FROM]
        if any(told):
            self._ill_bands.add(band_of(level))
        elif False in told:
            self._ill_bands.discard(band_of(level))

    def _learn(self, seen: Observation) -> None:
        if any(standing.on_trial for standing in self._standing.values()):
            return
        burned_s = seen.monotonic_s - seen.level_since_s
        if seen.level and seen.meter is not None and burned_s >= LEARN_AFTER_S:
            self.expectation.learn(seen.level, seen.meter.power_w)

    def _to_tell(self) -> list[str]:
        active = [kind for kind, standing in self._standing.items() if standing.active]
        both = {LAMP_FAILURE, LAMP_UNEXPECTED_ON}
        if both <= set(active):
            self._relay_latched = True
        elif not both & set(active):
            self._relay_latched = False
        relay = self._relay_latched or READBACK in active
        hidden = {READBACK} | (both if self._relay_latched else set())
        now = [kind for kind in active if kind not in hidden] + ([RELAY_FAILURE] if relay else [])
        return sorted(now, key=lambda kind: self._told.index(kind) if kind in self._told else len(now))

    def _tell(self, detail: Detail) -> list[Change]:
        before, self._told = self._told, self._to_tell()
        return _changes(before, self._told, detail)


def _changes(before: Sequence[str], now: Sequence[str], detail: Detail) -> list[Change]:
    ended = [Change(kind, False, detail) for kind in before if kind not in now]
    return ended + [Change(kind, True, detail) for kind in now if kind not in before]
