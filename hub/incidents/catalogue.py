"""Every kind of incident there is: its name in TALQ's catalogue, who has it, thresholds, what may explain it.

The thresholds here are what holds where `incident_rule` has no row. Names follow TALQ's events where it has
one, so that a reader of its catalogue finds them; this project does not claim conformance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.incidents.model import (
    BACKHAUL_OUTAGE,
    CLOCK_UNSYNCED,
    COMMUNICATION_FAILURE,
    DEVICE_RESET,
    FEEDER_OUTAGE,
    HUB_BLIND,
    LAMP_FAILURE,
    LAMP_UNEXPECTED_ON,
    METER_STALE,
    SUPPLY_LOSS,
    OriginatorType,
    Rule,
    Severity,
)

COMMON_PARAMS: Mapping[str, float] = {
    "flap_count": 5,
    "flap_within_s": 7200,
    "flap_clear_s": 3600,
    "reopen_after_s": 14_400,
    "grouping_wait_s": 0,
}
"""What every kind has: how often within which time is flapping, and how long it must then be well; how long
what was resolved by hand stays away while it still stands; how long a notice waits for an explanation."""

_GROUP: Mapping[str, float] = {
    "min_nodes": 3,
    "node_share": 0.6,
    "within_s": 90,
    "back_share": 0.8,
    "release_wait_s": 120,
    "release_looks": 2.2,
}
_WAITS: Mapping[str, float] = {"grouping_wait_s": 120}
_POWER = (FEEDER_OUTAGE, SUPPLY_LOSS)
_DIAGNOSED: Mapping[str, float] = {"diagnosed_hold_off_s": 5400}
"""How long the hub's own judgement waits for the word of a node that diagnoses itself: longer than the node
takes to find a lamp that comes and goes (an hour) or a meter that froze (70 minutes)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of the catalogue."""

    name: str
    talq: str
    """The name of TALQ's event; empty: ours."""
    whose: OriginatorType
    rule: Rule
    told: bool = False
    """Nodes diagnose and tell it: then it opens and closes by their word at once."""
    explained_by: tuple[str, ...] = ()
    """Kinds that, where they stand on the same camera, pole, node or feeder, make this one a part of them."""


def _kind(
    name: str,
    talq: str,
    whose: OriginatorType,
    *,
    severity: Severity = "major",
    hold_off_s: float = 0,
    clear_after_s: float = 0,
    told: bool = False,
    by: tuple[str, ...] = (),
    params: Mapping[str, float] | None = None,
) -> Kind:
    merged = {**COMMON_PARAMS, **(params or {})}
    return Kind(name, talq, whose, Rule(name, hold_off_s, clear_after_s, merged, severity), told, by)


_NETWORK = (
    # A takeover by the node's next connection sends the old will a moment before the new birth.
    _kind(
        COMMUNICATION_FAILURE,
        "communicationFailure",
        "node",
        hold_off_s=3,
        clear_after_s=5,
        by=(*_POWER, BACKHAUL_OUTAGE),
        params={"stopped_grace_s": 600, **_WAITS},
    ),
    _kind(FEEDER_OUTAGE, "", "feeder", severity="critical", clear_after_s=10, params=_GROUP),
    _kind(BACKHAUL_OUTAGE, "", "feeder", clear_after_s=10, params=_GROUP),
    _kind(HUB_BLIND, "", "hub", severity="critical", hold_off_s=60),
    _kind(
        DEVICE_RESET,
        "deviceReset",
        "node",
        severity="minor",
        clear_after_s=21_600,
        by=_POWER,
        params={"reset_count": 4, "reset_within_s": 21_600},
    ),
    _kind(CLOCK_UNSYNCED, "", "node", severity="minor", hold_off_s=21_600, clear_after_s=300),
)

_LAMP = (
    _kind(
        LAMP_FAILURE,
        "lampFailure",
        "pole",
        hold_off_s=60,
        clear_after_s=30,
        told=True,
        by=(*_POWER, "serial_line_lost", "board_silent", "cycling_failure"),
        params={"fail_share": 0.2, "clear_share": 0.3, **_DIAGNOSED},
    ),
    _kind(
        LAMP_UNEXPECTED_ON,
        "lampUnexpectedOn",
        "pole",
        hold_off_s=900,
        clear_after_s=120,
        told=True,
        params={"on_share": 0.5, **_DIAGNOSED},
    ),
    _kind("cycling_failure", "cyclingFailure", "pole", told=True, by=_POWER),
    _kind("lamp_power_too_low", "lampPowerTooLow", "pole", severity="minor", told=True, by=_POWER),
    _kind("lamp_power_too_high", "lampPowerTooHigh", "pole", severity="minor", told=True, by=_POWER),
    _kind("relay_failure", "", "pole", told=True, by=_POWER),
    _kind("power_factor_too_low", "powerFactorTooLow", "pole", severity="minor", told=True),
    _kind(
        "supply_voltage_too_low",
        "supplyVoltageTooLow",
        "pole",
        severity="minor",
        hold_off_s=900,
        clear_after_s=300,
        told=True,
        by=_POWER,
        params={"voltage_low_v": 198, "voltage_hysteresis_v": 2, "voltage_dead_v": 110},
    ),
    _kind(
        "supply_voltage_too_high",
        "supplyVoltageTooHigh",
        "pole",
        severity="minor",
        hold_off_s=900,
        clear_after_s=300,
        told=True,
        params={"voltage_high_v": 242, "voltage_hysteresis_v": 2},
    ),
    _kind("power_tapping", "", "pole", told=True),
    _kind(
        METER_STALE,
        "",
        "pole",
        severity="minor",
        hold_off_s=1800,
        clear_after_s=60,
        told=True,
        by=(*_POWER, "serial_line_lost", "board_silent"),
        params=_DIAGNOSED,
    ),
    _kind("board_silent", "", "pole", told=True, by=(*_POWER, "serial_line_lost")),
    _kind("board_fault", "", "pole", told=True),
    _kind("motion_sensor_stuck", "", "pole", severity="minor", told=True),
)

_CABINET = (
    _kind("feeder_loss", "", "node", told=True),
    _kind("phase_open", "", "node", severity="critical", told=True, by=_POWER),
    _kind(
        SUPPLY_LOSS,
        "supplyLoss",
        "node",
        hold_off_s=30,
        clear_after_s=30,
        told=True,
        by=(FEEDER_OUTAGE,),
        params=_WAITS,
    ),
    _kind("cabinet_door_open", "cabinetDoorOpen", "node", hold_off_s=900, clear_after_s=60, told=True),
    _kind(
        "high_temperature",
        "highTemperature",
        "node",
        hold_off_s=600,
        clear_after_s=300,
        told=True,
        params={"high_c": 75, "hysteresis_c": 5},
    ),
    _kind("serial_line_lost", "", "node", told=True, by=_POWER),
)


def _picture(name: str, *, severity: Severity = "major", by: tuple[str, ...] = ()) -> Kind:
    return _kind(
        name, "", "camera", severity=severity, hold_off_s=3600, clear_after_s=900, told=True, by=by
    )


_CAMERA_GONE = (*_POWER, "camera_offline")
_CAMERA = (
    _kind(
        "camera_offline",
        "",
        "camera",
        hold_off_s=900,
        clear_after_s=120,
        told=True,
        by=(*_POWER, COMMUNICATION_FAILURE),
        params={"grouping_wait_s": 60},
    ),
    _kind(
        "camera_stream_lost",
        "",
        "camera",
        hold_off_s=1800,
        clear_after_s=300,
        told=True,
        by=_CAMERA_GONE,
        params={"grouping_wait_s": 60},
    ),
    _picture("camera_frozen", by=_CAMERA_GONE),
    _picture("camera_dark", by=(*_POWER, LAMP_FAILURE, "relay_failure", "cycling_failure")),
    _picture("camera_covered"),
    _picture("camera_moved"),
    _picture("camera_defocused", severity="minor"),
    _kind(
        "camera_clock_drift",
        "",
        "camera",
        severity="minor",
        hold_off_s=7200,
        clear_after_s=600,
        told=True,
        params={"clock_offset_s": 60},
    ),
    _kind(
        "recording_gap",
        "",
        "camera",
        hold_off_s=1800,
        clear_after_s=300,
        told=True,
        by=_CAMERA_GONE,
        params={"recording_age_s": 3600},
    ),
)

CATALOGUE: Mapping[str, Kind] = {kind.name: kind for kind in (*_NETWORK, *_LAMP, *_CABINET, *_CAMERA)}
"""All kinds by name."""

DEFAULT_RULES: Mapping[str, Rule] = {name: kind.rule for name, kind in CATALOGUE.items()}
"""The thresholds of each kind where the database has no row of its own."""

TOLD_KINDS = frozenset(name for name, kind in CATALOGUE.items() if kind.told)
"""What nodes diagnose themselves and tell."""

GROUP_KINDS = (FEEDER_OUTAGE, BACKHAUL_OUTAGE)
"""What stands for many nodes at once; a feeder has at most one of them open."""


def known_kinds() -> tuple[str, ...]:
    """The names of all kinds, sorted."""
    return tuple(sorted(CATALOGUE))
