"""Incidents for pages and API: plain dataclasses read by true SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, or_, select

from hub.incidents.tables import incident

Status = Literal["open", "closed", "all"]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident from its opening to its end; `closed_at` is None while it lasts."""

    id: int
    kind: str
    originator_type: Literal["node", "pole", "camera"]
    originator: str
    pole: str | None
    """None when the originator is a node that serves several poles."""
    opened_at: datetime
    """When the hub opened it; `opened_evidence["since"]` says since when the trouble lasted."""
    closed_at: datetime | None
    opened_evidence: Mapping[str, Any]
    closed_evidence: Mapping[str, Any] | None
    revision: int


def incidents(
    conn: Connection,
    *,
    status: Status = "open",
    pole: str | None = None,
    node: str | None = None,
    since_revision: int = 0,
    limit: int = 200,
) -> list[IncidentView]:
    """The newest first; with `since_revision`, only those opened or closed after that revision.

    `pole` and `node` select what concerns either: a pole is also touched by its node's incidents.
    """
    query = select(incident).order_by(incident.c.opened_at.desc(), incident.c.id.desc()).limit(limit)
    if status != "all":
        is_open = incident.c.closed_at.is_(None)
        query = query.where(is_open if status == "open" else ~is_open)
    concerning = []
    if pole is not None:
        concerning.append(incident.c.pole == pole)
    if node is not None:
        concerning.append((incident.c.originator_type == "node") & (incident.c.originator == node))
    if concerning:
        query = query.where(or_(*concerning))
    if since_revision:
        query = query.where(incident.c.revision > since_revision)
    return [IncidentView(*row) for row in conn.execute(query)]


def incident_of(conn: Connection, incident_id: int) -> IncidentView | None:
    """One incident by its id."""
    row = conn.execute(select(incident).where(incident.c.id == incident_id)).one_or_none()
    return IncidentView(*row) if row is not None else None


def open_counts(conn: Connection) -> dict[str, int]:
    """How many incidents are open per pole; poles without any are absent."""
    query = (
        select(incident.c.pole, func.count())
        .where(incident.c.closed_at.is_(None), incident.c.pole.is_not(None))
        .group_by(incident.c.pole)
    )
    return {pole: int(count) for pole, count in conn.execute(query)}
