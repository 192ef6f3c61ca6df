"""Commands for many poles at once: whom it reaches, asking, how far it is, taking it back, once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.deps import HubDep, Staff, Viewer, acting
from hub.api.problems import FieldError, Problem
from hub.api.routes.commands import check_end
from hub.api.schemas.batches import (
    BatchDetail,
    BatchIn,
    BatchList,
    BatchOut,
    CancelOut,
    LeftOutOut,
    PreviewIn,
    PreviewOut,
    ResultOut,
    RetryIn,
)
from hub.api.sight import seen_communes
from hub.api.views.board import batch_out
from hub.commands.batch_reads import batch, batches, results
from hub.commands.batches import (
    KeyReusedError,
    NobodyError,
    UnknownBatchError,
    Wish,
    cancel,
    request_many,
    retry,
)
from hub.commands.model import CommandStatus
from hub.commands.scope import CameraState, Chosen, Scope, choose
from hub.commands.store import CommandRefusedError
from hub.ingest.reads import latest_revision, node_states, pole_states
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1", tags=["commands"])

OFFLINE_SHOWN = 50
CANCEL_VALID_FOR = timedelta(minutes=15)


@router.post("/command-batches/preview")
def preview(body: PreviewIn, hub: HubDep, by: Staff) -> PreviewOut:
    """Whom a wish would reach now, without asking anything of anybody."""
    with hub.reads.connect() as conn:
        chosen = _chosen(conn, by, body)
        online = {node.node for node in node_states(conn) if node.status == "online"}
    away = list(dict.fromkeys(one.pole for one in chosen.addressees if one.node not in online))
    return PreviewOut(
        total=len(chosen.addressees),
        online=sum(one.node in online for one in chosen.addressees),
        left_out=[LeftOutOut.model_validate(one) for one in chosen.left_out],
        offline_poles=away[:OFFLINE_SHOWN],
    )


@router.post(
    "/command-batches", status_code=202, responses={200: {"description": "The same wish was taken before"}}
)
def ask_many(body: BatchIn, request: Request, response: Response, hub: HubDep, by: Staff) -> BatchOut:
    """Ask it of every pole or camera in a scope: one command each, sent a few hundred a second at most."""
    now = hub.clock()
    until = None if body.until is None else body.until.astimezone(UTC)
    with hub.reads.connect() as conn:  # before the transaction: choosing among a province takes its time
        chosen = _chosen(conn, by, body)
    wish = Wish(
        idempotency_key=body.idempotency_key,
        action=body.action,
        scope=_scope(by, body),
        why=body.why.strip(),
        by=by.name,
        valid_for=timedelta(seconds=body.valid_for_s),
        level=body.level,
        until=until,
        which_cameras=body.cameras if body.action == "camera_cycle" else None,
    )
    detail = {
        "action": body.action,
        "scope": body.scope.model_dump(exclude={"poles"}),
        "level": body.level,
        "until": None if until is None else until.isoformat(),
        "why": wish.why,
        "commands": len(chosen.addressees),
        "key": body.idempotency_key,
    }
    with acting(hub, request, by, **detail) as conn, _refusals():
        if until is not None:
            check_end(until, now)
        made, new = request_many(conn, wish, chosen, now=now)
        response.status_code = 202 if new else 200
        return _shown(conn, made)


@router.get("/command-batches")
def list_batches(
    hub: HubDep,
    by: Viewer,
    commune: Annotated[str | None, Query(max_length=63)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BatchList:
    """Wishes for many, newest first, each with how far it has come."""
    with hub.reads.connect() as conn:
        revision = latest_revision(conn)
        found = [batch_out(one) for one in batches(conn, communes=seen_communes(by, commune), limit=limit)]
    return BatchList(items=found, revision=revision)


@router.get("/command-batches/{batch_id}")
def show_batch(
    batch_id: UUID,
    hub: HubDep,
    by: Viewer,
    status: Annotated[list[CommandStatus] | None, Query()] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> BatchDetail:
    """One wish with its results by pole; `status` (as often as wanted) keeps only those."""
    with hub.reads.connect() as conn:
        shown = _shown(conn, _seen(conn, by, batch_id))
        page = results(conn, str(batch_id), statuses=status or (), offset=offset, limit=limit + 1)
    return BatchDetail(
        **dict(shown),
        results=[ResultOut.model_validate(one) for one in page[:limit]],
        next_offset=offset + limit if len(page) > limit else None,
    )


@router.delete("/command-batches/{batch_id}")
def cancel_batch(batch_id: UUID, request: Request, hub: HubDep, by: Staff) -> CancelOut:
    """Take a wish back: what is unanswered is cancelled, an override or maintenance that stands is ended."""
    with acting(hub, request, by) as conn, _refusals():
        _seen(conn, by, batch_id)
        reverting = cancel(conn, str(batch_id), by=by.name, now=hub.clock(), valid_for=CANCEL_VALID_FOR)
        return CancelOut(
            cancelled=_shown(conn, str(batch_id)),
            reverting=None if reverting is None else _shown(conn, reverting),
        )


@router.post(
    "/command-batches/{batch_id}/retry",
    status_code=202,
    responses={200: {"description": "Retried before by the same request"}},
)
def retry_batch(
    batch_id: UUID, body: RetryIn, request: Request, response: Response, hub: HubDep, by: Staff
) -> BatchOut:
    """A new wish for those who refused or never answered, at the nodes their poles have now."""
    with hub.reads.connect() as conn:
        _seen(conn, by, batch_id)
        nodes = {pole.code: (pole.node, pole.commune_code) for pole in registry.poles(conn)}

    def node_of(pole: str) -> tuple[str, str] | None:
        node, commune = nodes.get(pole, (None, ""))
        return None if node is None else (node, commune)

    with acting(hub, request, by, key=body.idempotency_key) as conn, _refusals():
        made, new = retry(
            conn,
            str(batch_id),
            idempotency_key=body.idempotency_key,
            node_of=node_of,
            by=by.name,
            now=hub.clock(),
            valid_for=timedelta(seconds=body.valid_for_s),
        )
        response.status_code = 202 if new else 200
        return _shown(conn, made)


def _scope(by: User, body: PreviewIn) -> Scope:
    """What was asked for, within what the asker sees; raises Problem 404 for another's commune."""
    given = body.scope
    commune = given.commune
    if commune is None and by.communes:
        if len(by.communes) > 1:
            raise Problem(
                422,
                "invalid-request",
                "scope needs one of your communes",
                "Hãy chọn một xã trong các xã được giao.",
                errors=[FieldError(loc="body.scope.commune", msg="say which commune")],
            )
        commune = by.communes[0]
    seen_communes(by, commune)
    return Scope(given.kind, commune, given.name, tuple(dict.fromkeys(given.poles)))


def _seen(conn: Connection, by: User, batch_id: UUID) -> str:
    """The id of a wish that is the asker's to see; raises Problem 404."""
    found = batch(conn, str(batch_id))
    if found is None or not by.sees(found.scope.commune or ""):
        raise _unknown()
    return found.id


def _chosen(conn: Connection, by: User, body: PreviewIn) -> Chosen:
    scope = _scope(by, body)
    cameras: dict[str, CameraState] = {}
    if body.action == "camera_cycle":
        for pole in pole_states(conn):
            for one in pole.cameras:
                cameras[one.camera] = CameraState(one.reachable, one.stream, one.powered)
    return choose(
        scope,
        body.action,
        registry.poles(conn, commune=scope.commune),
        cameras,
        which=body.cameras,
    )


def _shown(conn: Connection, batch_id: str) -> BatchOut:
    found = batch(conn, batch_id)
    if found is None:
        raise _unknown()
    return batch_out(found)


def _unknown() -> Problem:
    return Problem(
        404,
        "unknown-command-batch",
        "there is no such command for many",
        "Không có lệnh chung nào như vậy.",
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except UnknownBatchError:
        raise _unknown() from None
    except KeyReusedError as error:
        raise Problem(
            409,
            "idempotency-conflict",
            f"the key {error} was used for another wish",
            "Yêu cầu này trùng mã với một yêu cầu khác: hãy tải lại trang rồi làm lại.",
        ) from None
    except NobodyError as error:
        raise Problem(409, "nobody-to-command", str(error), f"{error.detail_vi}.") from None
    except CommandRefusedError as error:
        raise Problem(
            422,
            "invalid-request",
            str(error),
            f"{error.detail_vi[:1].upper()}{error.detail_vi[1:]}.",
            errors=[FieldError(loc="body", msg=str(error))],
        ) from None
