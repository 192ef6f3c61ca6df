"""What the API answers and takes about work on incidents; see `hub.api.schemas`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from hub.api.schemas import In, IncidentOut, Out
from hub.incidents.reads import Severity
from hub.incidents.rule_edit import LONGEST_S, Source
from hub.incidents.windows import Scope

Note = Annotated[str, Field(max_length=1000)]
Words = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]


class IncidentRow(IncidentOut):
    """An incident in a list; `parts` counts what it explains, `place` says where its pole stands."""

    parts: int
    place: str


class IncidentPage(Out):
    """Newest first."""

    items: list[IncidentRow]
    next_cursor: str | None
    """Give it back as `cursor` for the next page; null: these are the last."""


class IncidentCount(Out):
    """How many are open, over the communes that the asker sees or the one asked for."""

    open: int


class ChangeOut(Out):
    """One step of an incident's history; `by` is empty where the hub itself took it."""

    id: int
    at: datetime
    change: str
    by: str
    note: str
    detail: dict[str, Any]


class PlaceOut(Out):
    """Where people find it; empty texts where the registry says nothing."""

    pole: str | None
    place: str
    hamlet: str
    commune_name: str
    latitude: float | None
    longitude: float | None


class IncidentDetail(IncidentOut):
    """An incident with all that belongs to it."""

    place: PlaceOut
    default_group: str
    """The residents' group of its pole: who it goes to unless somebody says otherwise; empty for none."""
    groups: list[str]
    """The groups of its commune, to choose from."""
    parent: IncidentOut | None
    parts: list[IncidentOut]
    history: list[ChangeOut]
    as_of_revision: int
    """Give it to `/api/v1/events?since=` and no change in between is missed."""


class AcknowledgeIn(In):
    """Take note, with a word if there is one to say."""

    note: Note = ""


class AssignIn(In):
    """Give it to a group; without `group`, to the one that looks after the pole.

    `instead_of` is the group that has it as the asker knows it; null for none.
    """

    group: Annotated[str, Field(min_length=1, max_length=160)] | None = None
    instead_of: Annotated[str, Field(max_length=160)] | None = None
    note: Note = ""


class CommentIn(In):
    """A word for the history."""

    note: Words


class ResolveIn(In):
    """Why somebody takes it as ended without a measurement."""

    reason: Words


class WindowIn(In):
    """Planned work: where (a code or name within `scope`) and when, at most 31 days."""

    commune: Annotated[str, Field(min_length=1, max_length=63)]
    scope: Scope
    name: Annotated[str, Field(max_length=160)] = ""
    """Left out where the scope is the commune itself."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    why: Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]


class WindowOut(Out):
    """A maintenance window."""

    id: int
    commune: str
    scope: Scope
    name: str
    starts_at: datetime
    ends_at: datetime
    why: str
    created_at: datetime
    created_by: str
    cancelled_at: datetime | None
    cancelled_by: str | None


class WindowList(Out):
    """Those that run or are to come, the next first; those that are over, the newest first."""

    items: list[WindowOut]
    next_cursor: str | None
    """Give it back as `cursor` for the next page; null: these are the last."""


class ThresholdsBoth(In):
    """One kind's thresholds. `params` are the kind's own, all of them, units in their names."""

    hold_off_s: Seconds
    clear_after_s: Seconds
    params: dict[Annotated[str, Field(max_length=60)], Annotated[float, Field(allow_inf_nan=False)]] = (
        Field(default_factory=dict, max_length=40)
    )
    severity: Severity
    enabled: bool


class RuleOut(Out):
    """One kind as it holds here, where that comes from, and what a reset goes back to."""

    kind: str
    title_vi: str
    title_en: str
    now: ThresholdsBoth
    source: Source
    inherited: ThresholdsBoth
    bounds: dict[str, tuple[float, float]]
    """Least and largest value of each parameter."""


class RuleList(Out):
    """By kind."""

    commune: str
    """Empty: for all communes without thresholds of their own."""
    items: list[RuleOut]
