"""Finding incidents, and one with all that belongs to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.cursor import Cursor, bad_cursor, make_cursor, read_cursor
from hub.api.deps import HubDep, Viewer
from hub.api.schemas.incidents import (
    ChangeOut,
    IncidentCount,
    IncidentDetail,
    IncidentPage,
    IncidentRow,
    PlaceOut,
)
from hub.api.sight import seen_communes, seen_incident, seen_pole
from hub.api.views.board import incident_out
from hub.incidents.reads import IncidentView, Severity, Status, history, incident_of
from hub.incidents.search import Position, Wanted, count_open, part_counts, parts, search
from hub.ingest.reads import latest_revision
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1", tags=["incidents"])

Text = Annotated[str | None, Query(max_length=160)]


@router.get("/incidents")
def list_incidents(
    hub: HubDep,
    by: Viewer,
    status: Status = "open",
    commune: Annotated[str | None, Query(max_length=63)] = None,
    pole: Annotated[str | None, Query(max_length=31)] = None,
    feeder: Text = None,
    group: Text = None,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    severity: Severity | None = None,
    acknowledged: bool | None = None,
    quiet: Annotated[bool | None, Query(description="true: of which nobody is notified")] = None,
    start: Annotated[AwareDatetime | None, Query(description="lasted then or began later")] = None,
    end: Annotated[AwareDatetime | None, Query(description="began before")] = None,
    folded: Annotated[bool, Query(description="leave out what an open incident explains")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = None,
) -> IncidentPage:
    """Incidents, newest first; those of one pole include its node's, those of a group what it looks after."""
    with hub.reads.connect() as conn:
        seen = seen_communes(by, commune)
        poles, nodes = _of_pole(conn, by, pole)
        wanted = Wanted(
            status=status,
            communes=seen,
            kind=kind,
            severity=severity,
            poles=poles,
            nodes=nodes,
            feeder=feeder,
            group=group,
            group_poles=() if group is None else registry.poles_of_group(conn, group, communes=seen),
            acknowledged=acknowledged,
            quiet=quiet,
            start=start,
            end=end,
            folded=folded,
        )
        return incident_page(conn, wanted, cursor=cursor, limit=limit)


def incident_page(conn: Connection, wanted: Wanted, *, cursor: str | None, limit: int) -> IncidentPage:
    """One page of a search; raises Problem 422 for a cursor that is none."""
    found = search(conn, wanted, after=_position(cursor), limit=limit + 1)
    page = found[:limit]
    counts = part_counts(conn, [one.id for one in page])
    places = registry.places(conn, {one.pole for one in page if one.pole is not None})
    last = page[-1] if len(found) > limit else None
    return IncidentPage(
        items=[
            IncidentRow(
                **dict(incident_out(one)),
                parts=counts.get(one.id, 0),
                place=places.get(one.pole or "", ""),
            )
            for one in page
        ],
        next_cursor=None if last is None else make_cursor(last.opened_at.isoformat(), last.id),
    )


@router.get("/incidents/count")
def count_incidents(
    hub: HubDep, by: Viewer, commune: Annotated[str | None, Query(max_length=63)] = None
) -> IncidentCount:
    """How many are open; what another open one explains is not counted again."""
    with hub.reads.connect() as conn:
        return IncidentCount(open=count_open(conn, seen_communes(by, commune)))


@router.get("/incidents/{incident_id}")
def show_incident(incident_id: int, hub: HubDep, by: Viewer) -> IncidentDetail:
    """One incident with its place, its history, what it explains and what explains it."""
    with hub.reads.connect() as conn:
        return incident_detail(conn, seen_incident(conn, by, incident_id))


def incident_detail(conn: Connection, one: IncidentView) -> IncidentDetail:
    """All that belongs to an incident, as of one moment."""
    info = None if one.pole is None else registry.pole(conn, one.pole)
    parent = None if one.parent_id is None else incident_of(conn, one.parent_id)
    return IncidentDetail(
        **dict(incident_out(one)),
        place=PlaceOut(
            pole=one.pole,
            place="" if info is None else info.place,
            hamlet="" if info is None else info.hamlet,
            commune_name=_commune_name(conn, one.commune) if info is None else info.commune_name,
            latitude=None if info is None else info.latitude,
            longitude=None if info is None else info.longitude,
        ),
        default_group=default_group(conn, one),
        groups=registry.groups(conn, one.commune if info is None else info.commune_code),
        parent=None if parent is None else incident_out(parent),
        parts=[incident_out(part) for part in parts(conn, one.id)],
        history=[ChangeOut.model_validate(change) for change in history(conn, one.id)],
        as_of_revision=latest_revision(conn),
    )


def default_group(conn: Connection, one: IncidentView) -> str:
    """Who looks after the place of an incident: its pole's group, or that of all poles of its node or feeder.

    Empty where nobody does, or where several groups share it.
    """
    if one.pole is not None:
        info = registry.pole(conn, one.pole)
        return "" if info is None else info.group
    if one.originator_type == "node":
        concerned = registry.poles(conn, node=one.originator)
    elif one.feeder is not None:
        concerned = [
            pole for pole in registry.poles(conn, commune=one.commune) if pole.feeder == one.feeder
        ]
    else:
        return ""
    found = {pole.group for pole in concerned}
    return found.pop() if len(found) == 1 else ""


def _of_pole(conn: Connection, by: User, code: str | None) -> tuple[list[str] | None, list[str]]:
    if code is None:
        return None, []
    info = seen_pole(conn, by, code)
    return [code], [] if info.node is None else [info.node]


def _position(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    opened_at, incident_id = read_cursor(cursor, str, int)
    try:
        at = datetime.fromisoformat(str(opened_at))
    except ValueError:
        raise bad_cursor() from None
    if at.tzinfo is None:
        raise bad_cursor()
    return Position(at, int(incident_id))


def _commune_name(conn: Connection, code: str) -> str:
    return next((one.name for one in registry.communes(conn) if one.code == code), "")
