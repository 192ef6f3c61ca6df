"""Maintenance windows: plan work, see what is planned, take it back."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.cursor import Cursor, make_cursor, read_cursor
from hub.api.deps import HubDep, Staff, Viewer, acting
from hub.api.problems import FieldError, Problem, refused
from hub.api.schemas.incidents import WindowIn, WindowList, WindowOut
from hub.api.sight import seen_commune, seen_communes
from hub.api.words import local_moment
from hub.incidents.windows import (
    WindowOverError,
    WindowOverlapsError,
    WindowRefusedError,
    cancel_window,
    create_window,
    window_of,
    windows,
)
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1/maintenance-windows", tags=["maintenance windows"])


@router.get("")
def list_windows(
    hub: HubDep,
    by: Viewer,
    commune: Annotated[str | None, Query(max_length=63)] = None,
    over: Annotated[bool, Query(description="those that have ended or were cancelled")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    cursor: Cursor = None,
) -> WindowList:
    """Windows that run or are to come, the next first; or those that are over, in pages, newest first."""
    before = None if cursor is None else int(read_cursor(cursor, int)[0])
    with hub.reads.connect() as conn:
        found = windows(
            conn,
            now=hub.clock(),
            communes=seen_communes(by, commune),
            over=over,
            before_id=before,
            limit=limit + 1,
        )
    page = found[:limit]
    return WindowList(
        items=[WindowOut.model_validate(one) for one in page],
        next_cursor=make_cursor(page[-1].id) if over and len(found) > limit else None,
    )


@router.post("", status_code=201)
def plan(body: WindowIn, request: Request, hub: HubDep, by: Staff) -> WindowOut:
    """Plan work: what happens there meanwhile is noted and alarms nobody."""
    name = body.commune if body.scope == "commune" else body.name.strip()
    detail = {"scope": body.scope, "name": name, "ends_at": body.ends_at.isoformat()}
    with acting(hub, request, by, commune=body.commune, **detail) as conn:
        _check_place(conn, by, body, name)
        try:
            made = create_window(
                conn,
                commune=body.commune,
                scope=body.scope,
                name=name,
                starts_at=body.starts_at.astimezone(UTC),
                ends_at=body.ends_at.astimezone(UTC),
                why=body.why.strip(),
                by=by.name,
                now=hub.clock(),
            )
        except WindowRefusedError as error:
            raise refused(error.field, str(error), error.detail_vi) from None
        except WindowOverlapsError as error:
            raise _overlaps(error) from None
    return WindowOut.model_validate(made)


@router.post("/{window_id}/cancel")
def cancel(window_id: int, request: Request, hub: HubDep, by: Staff) -> WindowOut:
    """Take a window back; one that runs ends now."""
    with acting(hub, request, by) as conn:
        known = window_of(conn, window_id)
        if known is None or not by.sees(known.commune):
            raise _unknown(window_id)
        try:
            done = cancel_window(conn, window_id, by=by.name, now=hub.clock())
        except WindowOverError:
            raise Problem(
                409,
                "window-over",
                f"window {window_id} has ended or was cancelled before",
                "Lịch bảo trì này đã kết thúc hoặc đã được hủy trước đó.",
            ) from None
        if done is None:
            raise _unknown(window_id)
    return WindowOut.model_validate(done)


def _check_place(conn: Connection, by: User, body: WindowIn, name: str) -> None:
    """Raises Problem 404 for a place that the registry does not have in that commune."""
    seen_commune(conn, by, body.commune)
    if body.scope == "commune":
        return
    if body.scope == "node":
        node = registry.node(conn, name)
        found = node is not None and node.commune == body.commune
    else:
        inside = registry.poles(conn, commune=body.commune)
        attribute = {"pole": "code"}.get(body.scope, body.scope)
        found = bool(name) and any(getattr(pole, attribute) == name for pole in inside)
    if not found:
        kind = _PLACES[body.scope]
        detail_vi = f"Xã/phường này không có {kind} nào tên “{name}”. Hãy chọn trong danh sách gợi ý."
        wrong = FieldError(loc="body.name", msg=f"is no {body.scope} of the commune", msg_vi=detail_vi)
        raise Problem(
            404,
            "unknown-place",
            f"the commune has no {body.scope} {name!r}",
            detail_vi,
            errors=[wrong],
        )


_PLACES = {
    "hamlet": "thôn, khu",
    "feeder": "tuyến điện",
    "group": "tổ tự quản",
    "pole": "cột đèn",
    "node": "nút điều khiển",
}


def _overlaps(error: WindowOverlapsError) -> Problem:
    other = error.other
    span = f"{local_moment(other.starts_at)} – {local_moment(other.ends_at)}"
    return Problem(
        409,
        "window-overlaps",
        f"window {other.id} ({span}, {other.why}) is planned for the same place: cancel it first",
        f"Nơi này đã có lịch bảo trì {span} ({other.why}). Hãy hủy lịch đó trước hoặc chọn giờ khác.",
    )


def _unknown(window_id: int) -> Problem:
    return Problem(
        404,
        "unknown-window",
        f"there is no maintenance window {window_id}",
        f"Không có lịch bảo trì số {window_id}.",
    )
