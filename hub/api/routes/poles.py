"""Poles: the list, one pole, its chart, and the commune at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.api.cursor import Cursor, make_cursor, read_cursor
from hub.api.deps import HubDep, Viewer
from hub.api.problems import FieldError, Problem
from hub.api.schemas import (
    CabinetOut,
    FundingOut,
    NodeStateOut,
    PoleDetail,
    PoleList,
    SeriesColumns,
    SummaryOut,
    TelemetryOut,
)
from hub.api.sight import seen_communes, seen_pole
from hub.api.views.board import Board, command_out, incident_out, pole_summary
from hub.api.views.summaries import chosen_commune, summary_of
from hub.commands.store import commands, maintenance_until
from hub.funding.reads import pole_funding
from hub.incidents.reads import incidents
from hub.ingest.lamp_status import LampStatus
from hub.ingest.reads import cabinet_of, node_state_of, pole_state_of
from hub.registry import reads as registry
from hub.telemetry.port import StoreUnavailableError

router = APIRouter(prefix="/api/v1", tags=["poles"])

DEFAULT_SPAN = timedelta(hours=24)
MAX_SPAN = timedelta(days=400)


@router.get("/poles")
def list_poles(
    hub: HubDep,
    by: Viewer,
    commune: Annotated[str | None, Query(max_length=63)] = None,
    q: Annotated[str | None, Query(max_length=100, description="words, with or without accents")] = None,
    state: LampStatus | None = None,
    limit: Annotated[int | None, Query(ge=1, le=5000, description="absent: all at once")] = None,
    cursor: Cursor = None,
) -> PoleList:
    """Poles by code with their live state; `q` also finds present and former names of places.

    With `limit` they come in pages: give `next_cursor` back as `cursor` until it is null.
    """
    after = "" if cursor is None else str(read_cursor(cursor, str)[0])
    with hub.reads.connect() as conn:
        now = hub.clock()
        board = Board.load(conn)
        chosen = seen_communes(by, commune)
        found = registry.poles(conn, communes=chosen, query=q) if chosen is not None or q else None
    codes = [one.code for one in found] if found is not None else list(board.codes())
    left = (code for code in codes if code > after and (state is None or board.state(code, now) == state))
    page = list(islice(left, limit))
    more = limit is not None and next(left, None) is not None
    return PoleList(
        items=[board.summary(code, now) for code in page],
        as_of=now,
        revision=board.revision,
        next_cursor=make_cursor(page[-1]) if more else None,
    )


@router.get("/poles/{code}")
def show_pole(code: str, hub: HubDep, by: Viewer) -> PoleDetail:
    """One pole with its node, open and recent incidents, money and last command."""
    with hub.reads.connect() as conn:
        now = hub.clock()
        info = seen_pole(conn, by, code)
        node = None if info.node is None else node_state_of(conn, info.node)
        open_ = incidents(conn, status="open", pole=code, node=info.node)
        last = commands(conn, pole=code, limit=1)
        state = pole_state_of(conn, code)
        told = {} if state is None else state.told
        return PoleDetail(
            **dict(pole_summary(info, state, node, len(open_), now)),
            commune_name=info.commune_name,
            programme=info.programme,
            group=info.group,
            node_state=None if node is None else NodeStateOut.model_validate(node),
            incidents=[
                incident_out(one)
                for one in incidents(conn, status="all", pole=code, node=info.node, limit=20)
            ],
            funding=FundingOut.model_validate(pole_funding(conn, code)),
            last_command=command_out(last[0]) if last else None,
            maintenance_until=maintenance_until(conn, code, now=now),
            due=told.get("due"),
            counters=told.get("counters"),
            battery=told.get("battery"),
            cabinet=None if info.node is None else _cabinet(cabinet_of(conn, info.node)),
        )


@router.get("/poles/{code}/telemetry")
def pole_telemetry(
    code: str,
    hub: HubDep,
    by: Viewer,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
    points: Annotated[int, Query(ge=2, le=5000)] = 600,
) -> TelemetryOut:
    """A pole's chart, averaged to at most `points`; the last 24 hours unless told otherwise."""
    with hub.reads.connect() as conn:
        seen_pole(conn, by, code)
    begin, finish = _span(start, end, hub.clock())
    try:
        series = hub.store.series(code, begin, finish, points)
    except StoreUnavailableError as error:
        raise Problem(
            503,
            "telemetry-unavailable",
            "the telemetry store does not answer; samples are kept until it does",
            "Kho số liệu đo đang không trả lời; số liệu vẫn được giữ lại.",
            headers={"retry-after": str(int(error.retry_after_s or 10))},
        ) from None
    return TelemetryOut(
        pole=code, start=series.start, end=series.end, columns=SeriesColumns.model_validate(series)
    )


@router.get("/summary")
def summary(
    hub: HubDep, by: Viewer, commune: Annotated[str | None, Query(max_length=63)] = None
) -> SummaryOut:
    """A commune at a glance: the one asked for, else the one of the settings, else the asker's first."""
    with hub.reads.connect() as conn:
        chosen = chosen_commune(conn, by, commune, hub.settings.commune)
        return summary_of(conn, Board.load(conn), chosen, hub.clock())


def _cabinet(told: Mapping[str, Any] | None) -> CabinetOut | None:
    return None if told is None else CabinetOut.model_validate(told)


def _span(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    finish = now if end is None else end
    begin = finish - DEFAULT_SPAN if start is None else start
    if not timedelta(0) < finish - begin <= MAX_SPAN:
        message = f"start must lie before end, at most {MAX_SPAN.days} days"
        raise Problem(
            422,
            "invalid-request",
            message,
            f"Thời điểm đầu phải trước thời điểm cuối, tối đa {MAX_SPAN.days} ngày.",
            errors=[FieldError(loc="query.start", msg=message)],
        )
    return begin.astimezone(UTC), finish.astimezone(UTC)
