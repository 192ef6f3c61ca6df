"""Commands for lamps, poles and cameras: asked for here, sent by the hub process, answered by the node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.deps import HubDep, Staff, Viewer, acting
from hub.api.problems import FieldError, Problem
from hub.api.schemas import CommandList, CommandOut, MaintenanceIn, OverrideIn
from hub.api.sight import seen_communes, seen_pole
from hub.api.views.board import command_out
from hub.commands.store import (
    command,
    commands,
    request_auto,
    request_camera_cycle,
    request_maintenance,
    request_maintenance_end,
    request_override,
)
from hub.ingest.reads import pole_state_of

router = APIRouter(prefix="/api/v1", tags=["commands"])

LONGEST = timedelta(hours=24)
"""What a command sets always ends: a lamp forgotten on or off, or a pole left in maintenance, is back on its
schedule the next day."""


@router.post("/poles/{code}/lamp/override", status_code=202)
def override(code: str, body: OverrideIn, request: Request, hub: HubDep, by: Staff) -> CommandOut:
    """Ask for a lamp level until a moment; the receipts show what the lamp really did."""
    now, until = hub.clock(), body.until.astimezone(UTC)
    detail = {"level": body.level, "until": until.isoformat()}
    with acting(hub, request, by, **detail) as conn:
        check_end(until, now)
        node, commune = _addressee(conn, by, code)
        made = request_override(
            conn,
            pole=code,
            node=node,
            commune=commune,
            level=body.level,
            until=until,
            by=by.name,
            now=now,
        )
    return command_out(made)


@router.post("/poles/{code}/lamp/auto", status_code=202)
def auto(code: str, request: Request, hub: HubDep, by: Staff) -> CommandOut:
    """Ask the lamp to go back to its own schedule."""
    with acting(hub, request, by) as conn:
        node, commune = _addressee(conn, by, code)
        made = request_auto(conn, pole=code, node=node, commune=commune, by=by.name, now=hub.clock())
    return command_out(made)


@router.post("/poles/{code}/maintenance", status_code=202)
def maintenance(code: str, body: MaintenanceIn, request: Request, hub: HubDep, by: Staff) -> CommandOut:
    """People work at the pole until a moment: its lamp stays lit, nothing is power-cycled, no fault is told."""
    now, until = hub.clock(), body.until.astimezone(UTC)
    with acting(hub, request, by, until=until.isoformat()) as conn:
        check_end(until, now)
        node, commune = _addressee(conn, by, code)
        made = request_maintenance(
            conn, pole=code, node=node, commune=commune, until=until, by=by.name, now=now
        )
    return command_out(made)


@router.post("/poles/{code}/maintenance/end", status_code=202)
def end_maintenance(code: str, request: Request, hub: HubDep, by: Staff) -> CommandOut:
    """The work at the pole is done."""
    with acting(hub, request, by) as conn:
        node, commune = _addressee(conn, by, code)
        made = request_maintenance_end(
            conn, pole=code, node=node, commune=commune, by=by.name, now=hub.clock()
        )
    return command_out(made)


@router.post("/poles/{code}/cameras/{camera}/cycle", status_code=202)
def cycle_camera(code: str, camera: str, request: Request, hub: HubDep, by: Staff) -> CommandOut:
    """Switch a camera's power off and on once."""
    with acting(hub, request, by) as conn:
        node, commune = _addressee(conn, by, code)
        if camera not in seen_pole(conn, by, code).cameras:
            raise Problem(
                404,
                "unknown-camera",
                f"pole {code} has no camera {camera!r}",
                f"Cột đèn {code} không có camera nào mang mã “{camera}”.",
            )
        _check_relay(conn, code, camera)
        made = request_camera_cycle(
            conn, pole=code, node=node, commune=commune, camera=camera, by=by.name, now=hub.clock()
        )
    return command_out(made)


@router.get("/commands")
def list_commands(
    hub: HubDep,
    by: Viewer,
    pole: Annotated[str | None, Query(max_length=31)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CommandList:
    """Commands, newest first."""
    with hub.reads.connect() as conn:
        found = commands(conn, pole=pole, communes=seen_communes(by), limit=limit)
    return CommandList(items=[command_out(one) for one in found])


@router.get("/commands/{command_id}")
def show_command(command_id: UUID, hub: HubDep, by: Viewer) -> CommandOut:
    """One command with every receipt it got."""
    with hub.reads.connect() as conn:
        found = command(conn, command_id)
    if found is None or not by.sees(found.commune):
        raise Problem(
            404, "unknown-command", f"no command {command_id}", f"Không có lệnh nào mang mã {command_id}."
        )
    return command_out(found)


def _addressee(conn: Connection, by: User, code: str) -> tuple[str, str]:
    info = seen_pole(conn, by, code)
    if info.node is None:
        raise Problem(
            409,
            "pole-without-node",
            f"pole {code} has no node that could take the command",
            f"Cột đèn {code} chưa gắn nút điều khiển nên không nhận lệnh từ xa được.",
        )
    return info.node, info.commune_code


def _check_relay(conn: Connection, code: str, camera: str) -> None:
    """A node that tells of the camera and of no relay would only refuse; one that never told may have one."""
    state = pole_state_of(conn, code)
    told = next((one for one in state.cameras if one.camera == camera), None) if state is not None else None
    if told is not None and told.powered is None:
        raise Problem(
            409,
            "camera-without-relay",
            f"the node does not switch the power of camera {camera}: somebody has to go there",
            f"Nút không đóng cắt được nguồn của camera {camera}: phải cử người đến tận cột.",
        )


def check_end(until: datetime, now: datetime) -> None:
    """Raises Problem 422 for an end that is past, or further than 24 hours ahead."""
    if until <= now:
        raise _bad_until("must lie in the future", "Thời điểm kết thúc phải ở tương lai.")
    if until > now + LONGEST:
        raise _bad_until(
            "must lie at most 24 hours ahead", "Thời điểm kết thúc tối đa 24 giờ kể từ bây giờ."
        )


def _bad_until(message: str, message_vi: str) -> Problem:
    return Problem(
        422,
        "invalid-request",
        f"until {message}",
        message_vi,
        errors=[FieldError(loc="body.until", msg=message)],
    )
