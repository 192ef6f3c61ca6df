"""What notices are made of, in plain data: routes, places, messages on their way, and how a try ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from hub.incidents.reads import ChangeView, IncidentView

Severity = Literal["critical", "major", "minor"]
Language = Literal["vi", "en"]
TargetType = Literal["channel", "webhook"]
Purpose = Literal["opened", "escalated", "closed", "summary", "digest", "test", "event"]
Status = Literal["waiting", "sending", "sent", "failed", "dropped", "merged"]

SEVERITIES: tuple[Severity, ...] = ("minor", "major", "critical")
"""From the least to the worst."""


def at_least(severity: Severity, least: Severity) -> bool:
    """Whether `severity` is as bad as `least` or worse."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who is told of what and when. Empty texts and sets mean all; times of day are Vietnam's."""

    id: int
    name: str
    enabled: bool = True
    commune: str = ""
    hamlet: str = ""
    group: str = ""
    kinds: frozenset[str] = frozenset()
    least_severity: Severity = "minor"
    channels: tuple[str, ...]
    language: Language = "vi"
    at_once: bool = True
    """Each incident is told as it comes; without it only the digest goes out."""
    digest_at: time | None = None
    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_passes: Severity = "critical"
    """In quiet hours this severity and above is told all the same."""
    escalate_after_min: int | None = None
    escalate_to: int | None = None
    for_escalation: bool = False
    """Is told only what another route escalates to it."""
    changed_at: datetime
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an incident is, as people say it. Several hamlets or groups where it touches many poles."""

    commune: str
    commune_name: str = ""
    hamlets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    pole: str = ""
    """The pole people go to; empty where there is none in particular."""
    at: str = ""
    feeder: str = ""
    poles: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """One step of an incident, with the incident as it stands now and where it is."""

    change: ChangeView
    incident: IncidentView
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A message that is to go out, not before `due_at`."""

    key: str
    purpose: Purpose
    target_type: TargetType = "channel"
    target: str
    language: Language = "vi"
    route_id: int | None = None
    incident_id: int | None = None
    after_key: str | None = None
    """The opening that this one follows, planned in the same turn."""
    after_id: int | None = None
    """The same, where the opening is stored already."""
    body: str | None = None
    subject: str = ""
    due_at: datetime
    created_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as stored; `last_error` says how the last try ended, empty where it went well."""

    id: int
    key: str
    purpose: Purpose
    target_type: TargetType
    target: str
    language: Language
    route_id: int | None
    incident_id: int | None
    after_id: int | None
    merged_into: int | None
    body: str | None
    subject: str
    status: Status
    tries: int
    created_at: datetime
    created_by: str
    due_at: datetime
    claimed_at: datetime | None
    finished_at: datetime | None
    unsure: bool
    """A try ended without an answer: it may have arrived all the same."""
    last_error: str


@dataclass(frozen=True, slots=True)
class Message:
    """A text for a person: `fields` are its parts by name, for channels whose template is kept elsewhere."""

    subject: str
    body: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended. A `passing` failure is tried again, a `permanent` one is not."""

    kind: Literal["sent", "passing", "permanent", "gone", "needless"]
    """`gone`: the receiver wants no more of it, ever (HTTP 410); `needless`: there was nothing to say."""
    reason: str = ""
    """Short, for people; never holds a secret."""
    retry_after_s: float | None = None
    unsure: bool = False
    """No answer came: the message may have arrived all the same."""


SENT = Outcome("sent")
