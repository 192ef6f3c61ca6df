"""What an incident is, in plain data: whose it is, its rule, what is watched, what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal, NamedTuple

OriginatorType = Literal["node", "pole", "camera", "feeder", "hub"]
Severity = Literal["critical", "major", "minor"]
QuietReason = Literal["group", "maintenance", "flapping", "history"]
Evidence = Mapping[str, str | int | float | bool | None]

COMMUNICATION_FAILURE = "communication_failure"
LAMP_FAILURE = "lamp_failure"
LAMP_UNEXPECTED_ON = "lamp_unexpected_on"
SUPPLY_LOSS = "supply_loss"
FEEDER_OUTAGE = "feeder_outage"
BACKHAUL_OUTAGE = "backhaul_outage"
HUB_BLIND = "hub_blind"
DEVICE_RESET = "device_reset"
METER_STALE = "meter_stale"
CLOCK_UNSYNCED = "clock_unsynced"
CYCLING_FAILURE = "cycling_failure"

HUB = "hub"
"""The originator of what concerns the hub itself."""

_LONGEST_NAME = 63


class Verdict(Enum):
    """What one observation says about one kind of incident."""

    BAD = "bad"
    GOOD = "good"
    NO_EVIDENCE = "no_evidence"
    """Says nothing either way, e.g. a silent meter: what was pending stays pending."""
    NOT_DUE = "not_due"
    """Could not show the trouble, e.g. a lamp off by day: what was pending starts anew."""


class Place(NamedTuple):
    """Where something stands, by the registry's words; empty where nothing is known."""

    commune: str = ""
    hamlet: str = ""
    feeder: str = ""
    group: str = ""
    """The residents' group that looks after it."""


class Subject(NamedTuple):
    """Whose trouble it is; `pole` is where people look for it, where there is one."""

    type: OriginatorType
    name: str
    pole: str | None
    node: str
    """The node that speaks for it; empty for a feeder and for the hub."""
    place: Place


class Key(NamedTuple):
    """What there is at most one open incident of."""

    originator: str
    kind: str


def feeder_name(commune: str, feeder: str) -> str:
    """A feeder as originator: its code is its commune's own, so both, in at most 63 characters."""
    name = f"{commune}/{feeder}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:50]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def feeder_subject(place: Place) -> Subject:
    """The feeder of a place as the one whose trouble it is."""
    where = Place(commune=place.commune, feeder=place.feeder)
    return Subject("feeder", feeder_name(place.commune, place.feeder), None, "", where)


@dataclass(frozen=True, slots=True)
class Rule:
    """Thresholds of one kind, in seconds; `params` are the kind's own."""

    kind: str
    hold_off_s: float
    """How long the trouble must last before an incident opens."""
    clear_after_s: float
    """How long all must be well before it closes."""
    params: Mapping[str, float] = field(default_factory=dict)
    severity: Severity = "major"
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Watch:
    """Where one (originator, kind) stands between observations."""

    is_open: bool = False
    bad_since: datetime | None = None
    good_since: datetime | None = None
    by_word: bool = False
    """Told by the node and not repeated: what was said last holds until something else is said."""

    @property
    def idle(self) -> bool:
        """Nothing open and nothing pending: need not be remembered."""
        return not self.is_open and self.bad_since is None


class Change(Enum):
    """What a step did."""

    OPENED = "opened"
    CLOSED = "closed"
