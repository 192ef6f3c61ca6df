"""Looks over every lamp of a node at each tick: diagnoses, counters, the feeder, and what is kept of them.

It reads no device and writes no file: it gets the tick's meter readings, and gives back what the samples say,
which events are due and which notes should be stored with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from msgspec import Struct

from edge.config import NodeConfig, PoleSettings
from edge.lamp.believed_time import Anchor
from edge.lamp.counters import SavedCount
from edge.lamp.diagnosis import Diagnosis, SavedDiagnosis
from edge.lamp.expectation import Expectation
from edge.lamp.feeder import Feeder, FeederSeen, SavedFeeder
from edge.lamp.lighting import Lighting, PoleLight
from edge.lamp.standing import Change
from edge.lamp.verdicts import STANDBY_W, Observation
from protocol.messages import LampCounters, MeterReading

T = TypeVar("T")

NOTES = "lamp/"
COUNTERS_NOTE = "counters"
DIAGNOSIS_NOTE = "diagnosis"
CLOCK_NOTE = "clock"

COUNTERS_EVERY_S = 3600.0
SAVE_EVERY_S = 600.0
"""Counters are worth ten minutes; an SD card wears by writes."""
SURGE_W = 1000.0
"""What others may draw on a lamp's line besides; more than that over the time is a meter's glitch."""


class SavedInspection(Struct, frozen=True, kw_only=True):
    """All diagnoses of a node."""

    poles: dict[str, SavedDiagnosis] = {}
    feeder: SavedFeeder = SavedFeeder()


@dataclass(slots=True)
class PoleFindings:
    """What a pole's sample says beside its readings."""

    faults: list[str] = field(default_factory=list)
    counters: LampCounters | None = None


@dataclass(slots=True)
class Findings:
    """What one tick has shown. `changes` carry their pole, or None for the cabinet."""

    poles: dict[str, PoleFindings] = field(default_factory=dict)
    changes: list[tuple[str | None, Change]] = field(default_factory=list)
    lamps_w: float | None = None
    unknown_poles: int = 0
    notes: dict[str, bytes | None] = field(default_factory=dict)


class Inspection:
    """The diagnoses and counters of one node."""

    def __init__(
        self,
        config: NodeConfig,
        lighting: Lighting,
        *,
        metered: set[str],
        phases: int,
        monotonic_s: float,
    ) -> None:
        """`metered`: the poles that have a meter; `phases`: how many meters stand at the feeder's head."""
        self._lighting = lighting
        self._metered = metered
        self._settings = config.diagnosis
        self._poles = {pole.code: pole for pole in config.poles}
        self._diagnoses = {pole.code: _diagnosis(config, pole) for pole in config.poles}
        self._feeder = Feeder(config.diagnosis, phases) if phases else None
        self._counted: dict[str, tuple[float, bool]] = {}
        self._saved_at_s = monotonic_s
        self._saved_diagnosis = b""

    def revise(self, pole: str, rated_w: float, tolerance_share: float) -> None:
        """What the hub says of a lamp."""
        self._diagnoses[pole].expectation.revise(rated_w, tolerance_share)

    def tell_counters(self) -> None:
        """Let the next tick carry every lamp's counters."""
        self._counted.clear()

    def supply_lost(self) -> None:
        """The mains went away: one more on every lamp's count."""
        for light in self._lighting.lights.values():
            light.count.supply_lost()

    def look(
        self,
        meters: Mapping[str, MeterReading | None],
        phases: Sequence[MeterReading | None],
        *,
        supply_present: bool | None,
        monotonic_s: float,
    ) -> Findings:
        """One tick. One pole's trouble is its own: the next pole is judged all the same."""
        found = Findings()
        for code, light in self._lighting.lights.items():
            meter = meters.get(code)
            if meter is not None and meter.energy_wh is not None:
                at_most_w = 4 * self._poles[code].lamp_rated_w + SURGE_W
                light.count.meter(meter.energy_wh, monotonic_s, at_most_w=at_most_w)
            seen = self._observation(light, meter, supply_present, monotonic_s)
            changes = self._diagnoses[code].look(seen)
            found.changes += [(code, change) for change in changes]
            found.poles[code] = PoleFindings(
                self._diagnoses[code].faults, self._due_counters(light, monotonic_s)
            )
        self._look_at_feeder(found, meters, phases, monotonic_s, supply_present)
        if monotonic_s - self._saved_at_s >= SAVE_EVERY_S:
            self._saved_at_s = monotonic_s
            found.notes |= self.to_save()
        elif found.changes:
            found.notes |= self._diagnosis_note()
        return found

    def to_save(self) -> dict[str, bytes | None]:
        """Everything that should outlive a restart, as notes; what has not changed is left out."""
        counts = {code: light.count.to_save() for code, light in self._lighting.lights.items()}
        notes: dict[str, bytes | None] = {NOTES + COUNTERS_NOTE: msgspec.json.encode(counts)}
        anchor = self._lighting.time.anchor
        if anchor is not None:
            notes[NOTES + CLOCK_NOTE] = msgspec.json.encode(anchor)
        return notes | self._diagnosis_note()

    def restore(self, notes: Mapping[str, bytes]) -> None:
        """Take up what an earlier run left under `NOTES`; a note in another shape is left alone."""
        anchor = _read(notes.get(CLOCK_NOTE), Anchor)
        if anchor is not None:
            self._lighting.time.restore(anchor)
        counts = _read(notes.get(COUNTERS_NOTE), dict[str, SavedCount]) or {}
        for code, light in self._lighting.lights.items():
            light.count.restore(counts.get(code, SavedCount()))
        saved = _read(notes.get(DIAGNOSIS_NOTE), SavedInspection)
        if saved is None:
            return
        for code, diagnosis in self._diagnoses.items():
            if code in saved.poles:
                diagnosis.restore(saved.poles[code])
        if self._feeder is not None:
            self._feeder.restore(saved.feeder)

    def _observation(
        self, light: PoleLight, meter: MeterReading | None, supply_present: bool | None, monotonic_s: float
    ) -> Observation:
        told, does = light.wanted_level, light.effect_level
        return Observation(
            monotonic_s=monotonic_s,
            level=does,
            level_since_s=light.effect_since_s,
            follows=None if told is None or does is None else (told > 0) == (does > 0),
            has_meter=light.code in self._metered,
            meter=meter,
            supply_present=supply_present,
            maintenance=light.in_maintenance,
        )

    def _due_counters(self, light: PoleLight, monotonic_s: float) -> LampCounters | None:
        lit = bool(light.effect_level)
        told = self._counted.get(light.code)
        if told is not None and told[1] == lit and monotonic_s - told[0] < COUNTERS_EVERY_S:
            return None
        self._counted[light.code] = (monotonic_s, lit)
        return light.count.totals()

    def _look_at_feeder(
        self,
        found: Findings,
        meters: Mapping[str, MeterReading | None],
        phases: Sequence[MeterReading | None],
        monotonic_s: float,
        supply_present: bool | None,
    ) -> None:
        lights = self._lighting.lights
        known = {code: reading for code, reading in meters.items() if reading is not None}
        lamps_w = sum(reading.power_w for reading in known.values())
        found.unknown_poles = len(lights) - len(known)
        found.lamps_w = round(lamps_w, 1) if found.unknown_poles == 0 else None
        working = any(light.in_maintenance for light in lights.values())
        if self._feeder is None or working or supply_present is False:
            return
        seen = FeederSeen(
            monotonic_s=monotonic_s,
            phases=phases,
            lamps_w=lamps_w,
            unknown_w=sum(self._at_most_w(light) for code, light in lights.items() if code not in known),
            unknown_poles=found.unknown_poles,
            all_off=self._all_off(monotonic_s),
        )
        found.changes += [(None, change) for change in self._feeder.look(seen)]

    def _at_most_w(self, light: PoleLight) -> float:
        """What an unmeasured lamp may draw. One whose meter is silent may be stuck as well."""
        if light.effect_level == 0 and light.code not in self._metered:
            return self._poles[light.code].camera_w + STANDBY_W
        return self._diagnoses[light.code].expectation.at(1.0).high_w

    def _all_off(self, monotonic_s: float) -> bool | None:
        lights = self._lighting.lights.values()
        if any(monotonic_s - light.effect_since_s < self._settings.settle_s for light in lights):
            return None
        return all(light.effect_level == 0 for light in lights)

    def _diagnosis_note(self) -> dict[str, bytes | None]:
        saved = msgspec.json.encode(
            SavedInspection(
                poles={code: diagnosis.to_save() for code, diagnosis in self._diagnoses.items()},
                feeder=SavedFeeder() if self._feeder is None else self._feeder.to_save(),
            )
        )
        if saved == self._saved_diagnosis:
            return {}
        self._saved_diagnosis = saved
        return {NOTES + DIAGNOSIS_NOTE: saved}


def _diagnosis(config: NodeConfig, pole: PoleSettings) -> Diagnosis:
    expectation = Expectation(
        pole.lamp_rated_w, tolerance_share=pole.power_tolerance_share, camera_w=pole.camera_w
    )
    return Diagnosis(config.diagnosis, expectation, camera_w=pole.camera_w)


def _read(note: bytes | None, type_: type[T]) -> T | None:
    if note is None:
        return None
    try:
        return msgspec.json.decode(note, type=type_)
    except msgspec.DecodeError:
        return None
