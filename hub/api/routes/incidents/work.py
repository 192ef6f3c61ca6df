"""What people do with an incident: acknowledge, assign, comment, resolve. Of two at once, one gets a 409."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import Connection

from hub.api.deps import HubDep, Staff, acting
from hub.api.problems import FieldError, Problem
from hub.api.routes.incidents.listing import default_group, incident_detail
from hub.api.schemas.incidents import AcknowledgeIn, AssignIn, CommentIn, IncidentDetail, ResolveIn
from hub.api.sight import seen_incident
from hub.incidents import work
from hub.incidents.reads import IncidentView
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1/incidents/{incident_id}", tags=["incidents"])


@router.post("/acknowledge")
def acknowledge(
    incident_id: int, body: AcknowledgeIn, request: Request, hub: HubDep, by: Staff
) -> IncidentDetail:
    """Take note of an open incident: others see that somebody looks after it, and nobody is called again."""
    with acting(hub, request, by, note=body.note) as conn:
        seen_incident(conn, by, incident_id)
        try:
            done = work.acknowledge(conn, incident_id, by=by.name, note=body.note.strip(), now=hub.clock())
        except work.WorkRefusedError as error:
            raise _moved_on(error) from None
        return incident_detail(conn, done)


@router.post("/assign")
def assign(incident_id: int, body: AssignIn, request: Request, hub: HubDep, by: Staff) -> IncidentDetail:
    """Give an open incident to a residents' group, by default to the one that looks after its pole."""
    with acting(hub, request, by, group=body.group, instead_of=body.instead_of) as conn:
        one = seen_incident(conn, by, incident_id)
        group = body.group or default_group(conn, one)
        _check_group(conn, one, group)
        try:
            done = work.assign(
                conn,
                incident_id,
                group=group,
                instead_of=body.instead_of,
                by=by.name,
                note=body.note.strip(),
                now=hub.clock(),
            )
        except work.WorkRefusedError as error:
            raise _moved_on(error) from None
        return incident_detail(conn, done)


@router.post("/comments", status_code=201)
def comment(incident_id: int, body: CommentIn, request: Request, hub: HubDep, by: Staff) -> IncidentDetail:
    """Write a word into the history, of an ended incident too."""
    with acting(hub, request, by) as conn:
        seen_incident(conn, by, incident_id)
        done = work.comment(conn, incident_id, by=by.name, note=body.note.strip(), now=hub.clock())
        return incident_detail(conn, done)


@router.post("/resolve")
def resolve(incident_id: int, body: ResolveIn, request: Request, hub: HubDep, by: Staff) -> IncidentDetail:
    """End an open incident on a person's word, with the reason; the history keeps that nobody measured it."""
    with acting(hub, request, by, reason=body.reason) as conn:
        seen_incident(conn, by, incident_id)
        try:
            done = work.resolve(conn, incident_id, by=by.name, reason=body.reason.strip(), now=hub.clock())
        except work.WorkRefusedError as error:
            raise _moved_on(error) from None
        return incident_detail(conn, done)


def _check_group(conn: Connection, one: IncidentView, group: str) -> None:
    if not group:
        message = "no group looks after this place: name one"
        raise Problem(
            422,
            "invalid-request",
            message,
            "Chưa có tổ tự quản nào chăm sóc nơi này: hãy chọn một tổ.",
            errors=[FieldError(loc="body.group", msg=message)],
        )
    info = None if one.pole is None else registry.pole(conn, one.pole)
    if group not in registry.groups(conn, one.commune if info is None else info.commune_code):
        raise Problem(
            404,
            "unknown-group",
            f"the commune has no group {group!r}",
            f"Xã/phường này không có tổ nào tên “{group}”.",
        )


def _moved_on(error: work.WorkRefusedError) -> Problem:
    one = error.now_is
    if isinstance(error, work.ClosedError):
        return Problem(
            409,
            "incident-closed",
            f"incident {one.id} has ended{f', resolved by {one.closed_by}' if one.closed_by else ''}",
            f"Sự cố số {one.id} đã kết thúc{f', do {one.closed_by} xử lý' if one.closed_by else ''}.",
        )
    if isinstance(error, work.AcknowledgedError):
        return Problem(
            409,
            "already-acknowledged",
            f"{one.acknowledged_by} has taken note of incident {one.id} before",
            f"{one.acknowledged_by} đã tiếp nhận sự cố số {one.id} trước đó.",
        )
    has = one.assigned_group
    return Problem(
        409,
        "already-assigned",
        f"incident {one.id} is assigned to {has!r} by now" if has else f"incident {one.id} is not assigned",
        f"Sự cố số {one.id} vừa được giao cho “{has}”."
        if has
        else f"Sự cố số {one.id} chưa giao cho tổ nào.",
    )
