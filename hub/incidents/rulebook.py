"""The thresholds in force: the catalogue's, changed by rows for all communes, then by a commune's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from hub.incidents.catalogue import DEFAULT_RULES, TOLD_KINDS
from hub.incidents.model import LAMP_FAILURE, LAMP_UNEXPECTED_ON, Rule, Severity


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row of `incident_rule`; `commune` empty is all, `params` only what differs, no severity: as is."""

    commune: str
    kind: str
    hold_off_s: float
    clear_after_s: float
    params: Mapping[str, float]
    severity: Severity | None = None
    enabled: bool = True


class Limits(NamedTuple):
    """What a routine sample stays within; read for every sample."""

    fail_share: float
    on_share: float
    voltage_low_v: float
    voltage_high_v: float
    voltage_dead_v: float
    temperature_c: float
    camera_clock_s: float
    recording_age_s: float


class RuleBook:
    """Looked up by kind and commune; a commune without rows of its own has those of all communes.

    It never changes: where a person changes a threshold, another takes its place.
    """

    def __init__(self, rows: Iterable[RuleRow] = ()) -> None:
        general, of_commune = dict(DEFAULT_RULES), []
        for row in rows:
            if row.kind not in DEFAULT_RULES:
                continue  # left by a newer program
            if row.commune:
                of_commune.append(row)
            else:
                general[row.kind] = _changed(general[row.kind], row)
        self._general: Mapping[str, Rule] = general
        self._own: dict[str, dict[str, Rule]] = {}
        for row in of_commune:
            self._own.setdefault(row.commune, {})[row.kind] = _changed(general[row.kind], row)
        self.known_limits: dict[str, Limits] = {}
        """Those that `limits` was asked for already."""
        self._words: dict[tuple[str, str], Rule] = {}
        self._patient: dict[tuple[str, str], Rule] = {}

    def of(self, kind: str, commune: str = "") -> Rule:
        """The thresholds of a kind in a commune; raises KeyError for an unknown kind."""
        own = self._own.get(commune)
        return own[kind] if own is not None and kind in own else self._general[kind]

    def word(self, kind: str, commune: str = "") -> Rule:
        """The same for a node's own word, which needs no hold-off: the node has watched long enough.

        What nodes do not diagnose themselves keeps its own times.
        """
        if kind not in TOLD_KINDS:
            return self.of(kind, commune)
        found = self._words.get((kind, commune))
        if found is None:
            found = replace(self.of(kind, commune), hold_off_s=0, clear_after_s=0)
            self._words[(kind, commune)] = found
        return found

    def patient(self, kind: str, commune: str = "") -> Rule:
        """The same for the hub's own judgement of what a node diagnoses itself: the node is to speak first."""
        found = self._patient.get((kind, commune))
        if found is None:
            rule = self.of(kind, commune)
            hold_off_s = max(rule.hold_off_s, rule.params.get("diagnosed_hold_off_s", 0))
            found = self._patient[(kind, commune)] = replace(rule, hold_off_s=hold_off_s)
        return found

    def limits(self, commune: str) -> Limits:
        """What a routine sample of the commune stays within."""
        found = self.known_limits.get(commune)
        if found is None:
            low = self.of("supply_voltage_too_low", commune).params
            found = self.known_limits[commune] = Limits(
                self.of(LAMP_FAILURE, commune).params["fail_share"],
                self.of(LAMP_UNEXPECTED_ON, commune).params["on_share"],
                low["voltage_low_v"],
                self.of("supply_voltage_too_high", commune).params["voltage_high_v"],
                low["voltage_dead_v"],
                self.of("high_temperature", commune).params["high_c"],
                self.of("camera_clock_drift", commune).params["clock_offset_s"],
                self.of("recording_gap", commune).params["recording_age_s"],
            )
        return found


def _changed(rule: Rule, row: RuleRow) -> Rule:
    params = {**rule.params, **row.params}
    return Rule(
        rule.kind, row.hold_off_s, row.clear_after_s, params, row.severity or rule.severity, row.enabled
    )
