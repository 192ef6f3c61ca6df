"""What anyone at a pole may know of it: the lamp, the money, an open fault. No personal names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from sqlalchemy import Connection

from hub.api.words import incident_title
from hub.funding.model import ContributorKind, EntryKind
from hub.funding.reads import EntryView, PoleFunding, entries, pole_funding
from hub.incidents.reads import incidents
from hub.ingest.lamp_status import LampStatus, is_measured, lamp_status
from hub.ingest.reads import node_state_of, pole_state_of
from hub.registry.reads import pole
from hub.uptime.coverage.states import LOCAL_OFFSET_S
from hub.uptime.model import Line
from hub.uptime.reads import last_days

LAST_LINES = 12
_LOCAL = timezone(timedelta(seconds=LOCAL_OFFSET_S))


@dataclass(frozen=True, slots=True)
class PublicLine:
    """One movement of money. `contributor_name` only where its owner agreed to be named."""

    happened_on: date
    kind: EntryKind
    amount_vnd: int
    contributor_kind: ContributorKind | None
    contributor_name: str | None
    description: str
    is_reversed: bool
    """Undone later by a reversal, which is a line of its own."""


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An open fault, since when."""

    kind: str
    title_vi: str
    title_en: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class PublicPole:
    """A pole as `/p/<code>` shows it. `lines` newest first."""

    code: str
    place: str
    hamlet: str
    commune_name: str
    programme: str
    group: str
    state: LampStatus
    measured: bool
    last_seen_at: datetime | None
    funding: PoleFunding
    lines: tuple[PublicLine, ...]
    open_incident: PublicIncident | None
    last_nights: Line | None
    """The last thirty whole days; None where nothing was reckoned yet."""


def public_pole(conn: Connection, code: str, now: datetime) -> PublicPole | None:
    """What residents may see of one pole; None where there is no such pole."""
    info = pole(conn, code)
    if info is None:
        return None
    status = pole_state_of(conn, code)
    node = None if info.node is None else node_state_of(conn, info.node)
    found = incidents(conn, status="open", pole=code, node=info.node, limit=1)
    return PublicPole(
        code=info.code,
        place=info.place,
        hamlet=info.hamlet,
        commune_name=info.commune_name,
        programme=info.programme,
        group=info.group,
        state=lamp_status(status, node, info.lamp_rated_w, now),
        measured=is_measured(status),
        last_seen_at=None if node is None else node.last_seen_at,
        funding=pole_funding(conn, code),
        lines=tuple(_line(one) for one in entries(conn, code, limit=LAST_LINES)),
        last_nights=last_days(conn, code, today=now.astimezone(_LOCAL).date()),
        open_incident=None
        if not found
        else PublicIncident(found[0].kind, *incident_title(found[0].kind), found[0].opened_at),
    )


def _line(one: EntryView) -> PublicLine:
    return PublicLine(
        happened_on=one.happened_on,
        kind=one.kind,
        amount_vnd=one.amount_vnd,
        contributor_kind=one.contributor_kind,
        contributor_name=one.contributor_name,
        description=one.description,
        is_reversed=one.reversed_by_id is not None,
    )
