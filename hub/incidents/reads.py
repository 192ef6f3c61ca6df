"""Incidents for pages and API: plain dataclasses read by true SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Integer, bindparam, func, or_, select

from hub.incidents.model import OriginatorType
from hub.incidents.tables import incident, incident_change

Status = Literal["open", "closed", "all"]
PLACED = ("node", "pole", "camera", "feeder")
"""Originators that stand somewhere: where their commune is not known, only who sees the whole hub sees them."""

Severity = Literal["critical", "major", "minor"]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident from its opening to its end; `closed_at` is None while it lasts."""

    id: int
    kind: str
    originator_type: OriginatorType
    originator: str
    pole: str | None
    """None when the originator is a node that serves several poles."""
    opened_at: datetime
    """When the hub opened it; `opened_evidence["since"]` says since when the trouble lasted."""
    closed_at: datetime | None
    opened_evidence: Mapping[str, Any]
    closed_evidence: Mapping[str, Any] | None
    revision: int
    commune: str
    """Empty on incidents from before communes were noted."""
    feeder: str | None
    severity: Severity
    since_at: datetime | None
    """Since when the trouble lasts, as far as is known; history may correct it."""
    parent_id: int | None
    """The incident that explains this one, e.g. its feeder's."""
    quiet_reason: str | None
    """Why nobody is notified: `group`, `maintenance`, `flapping`, `history`; None: notices go out."""
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assigned_group: str | None
    closed_how: Literal["measured", "by_hand", "corrected"] | None
    closed_by: str | None
    notify_after: datetime | None
    """No notice before this moment: it may yet turn out to be a part of something larger."""

    @property
    def is_of_hub(self) -> bool:
        """Whether it is the hub's own and belongs to no place: everybody may know of it."""
        return self.commune == "" and self.originator_type not in PLACED


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One step in an incident's history: `opened`, `closed`, `acknowledged`, `commented` …"""

    id: int
    incident_id: int
    at: datetime
    change: str
    by: str
    """A user, or empty: the hub itself."""
    note: str
    detail: Mapping[str, Any]
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


def history(conn: Connection, incident_id: int) -> list[ChangeView]:
    """All that happened to one incident, oldest first."""
    query = (
        select(incident_change)
        .where(incident_change.c.incident_id == incident_id)
        .order_by(incident_change.c.id)
    )
    return [ChangeView(*row) for row in conn.execute(query)]


_CHANGES = (
    select(*incident_change.c, *incident.c)
    .join(incident, incident.c.id == incident_change.c.incident_id)
    .where(incident_change.c.id > bindparam("seen"))
    .order_by(incident_change.c.id)
    .limit(bindparam("most", type_=Integer))
)
"""Put together once: it is asked every second, and putting it together took longer than the answer."""


def changes_after(
    conn: Connection, change_id: int, *, limit: int = 500
) -> list[tuple[ChangeView, IncidentView]]:
    """Steps after one that was seen, oldest first, each with its incident as it stands now.

    Rows become visible in the order of their ids: every writer holds the revision's lock until it commits.
    """
    width = len(incident_change.c)
    rows = conn.execute(_CHANGES, {"seen": change_id, "most": limit})
    return [(ChangeView(*row[:width]), IncidentView(*row[width:])) for row in rows]


def incidents_of(conn: Connection, ids: Iterable[int]) -> dict[int, IncidentView]:
    """Incidents by their ids; one that does not exist is absent."""
    wanted = sorted(set(ids))
    found: dict[int, IncidentView] = {}
    for start in range(0, len(wanted), 500):  # a statement takes only so many parameters
        query = select(incident).where(incident.c.id.in_(wanted[start : start + 500]))
        found.update((row.id, IncidentView(*row)) for row in conn.execute(query))
    return found


def open_by_kind(conn: Connection) -> dict[tuple[str, str], int]:
    """How many incidents are open by (kind, severity)."""
    query = (
        select(incident.c.kind, incident.c.severity, func.count())
        .where(incident.c.closed_at.is_(None))
        .group_by(incident.c.kind, incident.c.severity)
    )
    return {(kind, severity): int(count) for kind, severity, count in conn.execute(query)}
