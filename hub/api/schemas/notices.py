"""What the API answers and takes about notices, routes and webhooks; see `hub.api.schemas`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from hub.api.schemas import In, Out
from hub.notify.model import Language, Purpose, Severity, Status, TargetType

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=160)]


class ChannelOut(Out):
    """A channel as the notifier opened it; `address` has its secrets masked."""

    name: str
    service: str
    address: str
    rate_per_min: int
    problem: str


class NotifierOut(Out):
    """The notifier and its channels. `seen_at` null: none ever ran on this database."""

    seen_at: datetime | None
    up: bool
    webhook_key: bool
    """Whether it can sign webhooks."""
    channels: list[ChannelOut]


class RouteIn(In):
    """Who is told of what and when. Empty texts and lists mean all; hours are Vietnam's."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    enabled: bool = True
    commune: Annotated[str, Field(max_length=63)] = ""
    hamlet: Text = ""
    group: Text = ""
    kinds: Annotated[
        list[Annotated[str, Field(max_length=40)]], Field(max_length=100, default_factory=list)
    ]
    least_severity: Severity = "minor"
    channels: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=50)]
    language: Language = "vi"
    at_once: bool = True
    digest_at: Clock | None = None
    quiet_from: Clock | None = None
    quiet_until: Clock | None = None
    quiet_passes: Severity = "critical"
    escalate_after_min: Annotated[int | None, Field(ge=1, le=10_080)] = None
    escalate_to: int | None = None
    for_escalation: bool = False


class RouteOut(Out):
    """A route as stored."""

    id: int
    name: str
    enabled: bool
    commune: str
    hamlet: str
    group: str
    kinds: list[str]
    least_severity: Severity
    channels: list[str]
    language: Language
    at_once: bool
    digest_at: str | None
    quiet_from: str | None
    quiet_until: str | None
    quiet_passes: Severity
    escalate_after_min: int | None
    escalate_to: int | None
    for_escalation: bool
    changed_at: datetime
    changed_by: str


class RouteList(Out):
    """In the order they were made."""

    items: list[RouteOut]


class NoticeOut(Out):
    """One message with what became of it; `last_error` also says why one was not needed."""

    id: int
    purpose: Purpose
    target_type: TargetType
    target: str
    language: Language
    incident_id: int | None
    subject: str
    status: Status
    tries: int
    created_at: datetime
    created_by: str
    due_at: datetime
    finished_at: datetime | None
    unsure: bool
    last_error: str


class NoticeList(Out):
    """The newest first."""

    items: list[NoticeOut]


class WebhookIn(In):
    """A receiver for other programs; https and a public address, unless the hub's settings say otherwise."""

    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=500)]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    commune: Annotated[str, Field(max_length=63)] = ""
    least_severity: Severity = "minor"


class WebhookSwitch(In):
    """On or off."""

    enabled: bool


class WebhookOut(Out):
    """A webhook; `old_until` is set while its former secret still signs."""

    id: int
    url: str
    note: str
    commune: str
    least_severity: Severity
    enabled: bool
    old_until: datetime | None
    failing_since: datetime | None
    disabled_why: str
    changed_at: datetime
    changed_by: str


class WebhookList(Out):
    """In the order they were made."""

    items: list[WebhookOut]


class NewSecretOut(Out):
    """The one time a secret is shown."""

    webhook: WebhookOut
    secret: str
    algorithm: Literal["HMAC-SHA256"] = "HMAC-SHA256"
