"""Lamp commands: asked for here, sent by the hub process, answered by the node."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection

from hub.api.board import command_out
from hub.api.deps import HubDep, Staff, Viewer, acting
from hub.api.problems import FieldError, Problem, unknown_pole
from hub.api.schemas import CommandList, CommandOut, OverrideIn
from hub.commands.store import command, commands, request_auto, request_override
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1", tags=["commands"])

MAX_OVERRIDE = timedelta(hours=24)
"""An override always ends: a lamp forgotten on or off is back on its schedule the next day."""


@router.post("/poles/{code}/lamp/override", status_code=202)
def override(code: str, body: OverrideIn, request: Request, hub: HubDep, by: Staff) -> CommandOut:
    """Ask for a lamp level until a moment; the receipts show what the lamp really did."""
    now, until = hub.clock(), body.until.astimezone(UTC)
    detail = {"level": body.level, "until": until.isoformat()}
    with acting(hub, request, by, **detail) as conn:
        if until <= now:
            raise _bad_until("must lie in the future", "Thời điểm kết thúc phải ở tương lai.")
        if until > now + MAX_OVERRIDE:
            raise _bad_until(
                "must lie at most 24 hours ahead", "Thời điểm kết thúc tối đa 24 giờ kể từ bây giờ."
            )
        node, commune = _addressee(conn, code)
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
        node, commune = _addressee(conn, code)
        made = request_auto(conn, pole=code, node=node, commune=commune, by=by.name, now=hub.clock())
    return command_out(made)


@router.get("/commands")
def list_commands(
    hub: HubDep,
    _: Viewer,
    pole: Annotated[str | None, Query(max_length=31)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CommandList:
    """Commands, newest first."""
    with hub.reads.connect() as conn:
        return CommandList(items=[command_out(one) for one in commands(conn, pole=pole, limit=limit)])


@router.get("/commands/{command_id}")
def show_command(command_id: UUID, hub: HubDep, _: Viewer) -> CommandOut:
    """One command with every receipt it got."""
    with hub.reads.connect() as conn:
        found = command(conn, command_id)
    if found is None:
        raise Problem(
            404, "unknown-command", f"no command {command_id}", f"Không có lệnh nào mang mã {command_id}."
        )
    return command_out(found)


def _addressee(conn: Connection, code: str) -> tuple[str, str]:
    info = registry.pole(conn, code)
    if info is None:
        raise unknown_pole(code)
    if info.node is None:
        raise Problem(
            409,
            "pole-without-node",
            f"pole {code} has no node that could switch its lamp",
            f"Cột đèn {code} chưa gắn nút điều khiển nên không bật tắt từ xa được.",
        )
    return info.node, info.commune_code


def _bad_until(message: str, message_vi: str) -> Problem:
    return Problem(
        422,
        "invalid-request",
        f"until {message}",
        message_vi,
        errors=[FieldError(loc="body.until", msg=message)],
    )
