"""What uptime asks of incidents: when nobody is to blame, and what failed.

Times are aware UTC; nothing here is changed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from hub.incidents.tables import incident, maintenance_window

HUB_BLIND = "hub_blind"

Scope = Literal["hub", "commune", "hamlet", "feeder", "group", "pole", "node"]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A time that counts for nobody, and where. `blind`: the hub was deaf; else maintenance by appointment."""

    blind: bool
    scope: Scope
    commune: str
    """Empty: everywhere."""
    name: str
    """Code or name within the scope."""
    starts_at: datetime
    ends_at: datetime | None
    """None: it goes on."""
    cancelled: bool = False
    """Called off before it began: it sets nothing aside, but what was reckoned with it is to be done again."""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """One incident of a kind that was asked for, as it stands now."""

    id: int
    kind: str
    commune: str
    """Empty on incidents from before communes were noted."""
    pole: str | None
    feeder: str | None
    originator: str
    began_at: datetime
    """When its trouble began, as far as is known."""
    ended_at: datetime | None
    is_part: bool
    """A part of a group: what it is a part of is counted in its stead."""
    revision: int


def set_aside(conn: Connection, since: datetime, until: datetime) -> list[SetAside]:
    """All that touches the time from `since` to `until`, without what was called off."""
    incidents = select(incident).where(
        incident.c.kind == HUB_BLIND,
        _begun() < until,
        or_(incident.c.closed_at.is_(None), incident.c.closed_at > since),
    )
    windows = select(maintenance_window).where(
        maintenance_window.c.starts_at < until, maintenance_window.c.ends_at > since
    )
    return [one for one in _read(conn, incidents, windows) if not one.cancelled]


def set_aside_after(conn: Connection, revision: int) -> list[SetAside]:
    """All that was made, changed, ended or called off after a revision."""
    incidents = select(incident).where(incident.c.kind == HUB_BLIND, incident.c.revision > revision)
    windows = select(maintenance_window).where(maintenance_window.c.revision > revision)
    return _read(conn, incidents, windows)


def failures_after(
    conn: Connection, revision: int, *, kinds: Collection[str], limit: int
) -> tuple[list[Failure], int]:
    """Incidents of these kinds that were opened or changed after a revision, those changed first at the front.

    Also the revision up to which they are told whole: a commit's come together, so there may be more than
    `limit`.
    """
    columns = (
        *(incident.c[name] for name in ("id", "kind", "commune", "pole", "feeder", "originator")),
        _begun().label("began_at"),
        incident.c.closed_at,
        incident.c.parent_id.is_not(None).label("is_part"),
        incident.c.revision,
    )
    query = select(*columns).where(incident.c.kind.in_(kinds)).order_by(incident.c.revision)
    rows = conn.execute(query.where(incident.c.revision > revision).limit(limit)).all()
    if len(rows) == limit:
        last = rows[-1].revision
        whole = [row for row in rows if row.revision < last]
        rows = whole or list(conn.execute(query.where(incident.c.revision == last)).all())
    return [Failure(*row) for row in rows], rows[-1].revision if rows else revision


def _begun() -> ColumnElement[datetime]:
    return func.coalesce(incident.c.since_at, incident.c.opened_at, type_=incident.c.opened_at.type)


def _read(conn: Connection, incidents: Select[Any], windows: Select[Any]) -> list[SetAside]:
    found = [
        SetAside(
            blind=True,
            scope="commune" if row.commune else "hub",
            commune=row.commune,
            name=row.commune,
            starts_at=row.since_at or row.opened_at,
            ends_at=row.closed_at,
            revision=row.revision,
        )
        for row in conn.execute(incidents)
    ]
    for row in conn.execute(windows):
        cut = row.cancelled_at
        found.append(
            SetAside(
                blind=False,
                scope=row.scope,
                commune=row.commune,
                name=row.name,
                starts_at=row.starts_at,
                ends_at=row.ends_at if cut is None or cut <= row.starts_at else min(cut, row.ends_at),
                cancelled=cut is not None and cut <= row.starts_at,
                revision=row.revision,
            )
        )
    return found
