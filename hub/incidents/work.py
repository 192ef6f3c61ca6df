"""What people do with an incident: take note of it, give it to a group, write of it, end it.

Each step is one conditional update, so that of two people at once exactly one succeeds and the other is told;
a row of the incident's history goes with it, all in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from hub.incidents.reads import IncidentView, incident_of
from hub.incidents.store import note_change
from hub.incidents.tables import incident
from hub.revision import next_revision


class WorkRefusedError(ValueError):
    """The step can't be taken as the incident stands by now; `now_is` is how it stands."""

    def __init__(self, now_is: IncidentView) -> None:
        super().__init__(f"incident {now_is.id} has moved on")
        self.now_is = now_is


class ClosedError(WorkRefusedError):
    """The incident has ended."""


class AcknowledgedError(WorkRefusedError):
    """Somebody has taken note of it before."""


class AssignedError(WorkRefusedError):
    """It was given to another group meanwhile."""


class NoIncidentError(LookupError):
    """There is no incident of this id."""


def acknowledge(conn: Connection, incident_id: int, *, by: str, note: str, now: datetime) -> IncidentView:
    """Take note of an open incident, once; raises ClosedError, AcknowledgedError or NoIncidentError."""
    revision = next_revision(conn)
    taken = _update(
        conn,
        incident_id,
        incident.c.closed_at.is_(None),
        incident.c.acknowledged_at.is_(None),
        acknowledged_at=now,
        acknowledged_by=by,
        revision=revision,
    )
    if not taken:
        _refuse(conn, incident_id, AcknowledgedError)
    note_change(conn, incident_id, now, "acknowledged", revision=revision, by=by, note=note)
    return _view(conn, incident_id)


def assign(
    conn: Connection,
    incident_id: int,
    *,
    group: str,
    instead_of: str | None,
    by: str,
    note: str,
    now: datetime,
) -> IncidentView:
    """Give an open incident to a residents' group.

    `instead_of` is the group it is assigned to as the asker knows it, None for none: where another one has it
    by now, AssignedError tells so. Raises ClosedError and NoIncidentError too.
    """
    revision = next_revision(conn)
    given = _update(
        conn,
        incident_id,
        incident.c.closed_at.is_(None),
        incident.c.assigned_group.is_not_distinct_from(instead_of),
        assigned_group=group,
        revision=revision,
    )
    if not given:
        _refuse(conn, incident_id, AssignedError)
    detail = {"group": group, "instead_of": instead_of}
    note_change(conn, incident_id, now, "assigned", revision=revision, by=by, note=note, detail=detail)
    return _view(conn, incident_id)


def comment(conn: Connection, incident_id: int, *, by: str, note: str, now: datetime) -> IncidentView:
    """Write something into the history, of an ended incident too; raises NoIncidentError."""
    revision = next_revision(conn)
    if not _update(conn, incident_id, revision=revision):
        raise NoIncidentError(incident_id)
    note_change(conn, incident_id, now, "commented", revision=revision, by=by, note=note)
    return _view(conn, incident_id)


def resolve(conn: Connection, incident_id: int, *, by: str, reason: str, now: datetime) -> IncidentView:
    """End an open incident on a person's word; raises ClosedError or NoIncidentError.

    What it explained stays as it is: each part ends by its own measurement.
    """
    revision = next_revision(conn)
    ended = _update(
        conn,
        incident_id,
        incident.c.closed_at.is_(None),
        closed_at=now,
        closed_how="by_hand",
        closed_by=by,
        closed_evidence={"reason": reason},
        revision=revision,
    )
    if not ended:
        _refuse(conn, incident_id, ClosedError)
    detail = {"closed_how": "by_hand"}
    note_change(conn, incident_id, now, "closed", revision=revision, by=by, note=reason, detail=detail)
    return _view(conn, incident_id)


def _update(conn: Connection, incident_id: int, *conditions: ColumnElement[bool], **values: Any) -> bool:
    done = conn.execute(update(incident).where(incident.c.id == incident_id, *conditions).values(**values))
    return done.rowcount == 1


def _refuse(conn: Connection, incident_id: int, otherwise: type[WorkRefusedError]) -> None:
    now_is = _view(conn, incident_id)
    raise ClosedError(now_is) if now_is.closed_at is not None else otherwise(now_is)


def _view(conn: Connection, incident_id: int) -> IncidentView:
    found = incident_of(conn, incident_id)
    if found is None:
        raise NoIncidentError(incident_id)
    return found
