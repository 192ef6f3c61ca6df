"""Poles: the list, one pole, its chart, and the commune at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.api.board import Board, command_out, incident_out, pole_summary
from hub.api.deps import HubDep, Viewer
from hub.api.problems import FieldError, Problem, unknown_pole
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
from hub.api.summaries import chosen_commune, summary_of
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
    _: Viewer,
    commune: Annotated[str | None, Query(max_length=63)] = None,
    q: Annotated[str | None, Query(max_length=100, description="words, with or without accents")] = None,
    state: LampStatus | None = None,
) -> PoleList:
    """Poles by code with their live state; `q` also finds present and former names of places."""
    with hub.reads.connect() as conn:
        now = hub.clock()
        board = Board.load(conn)
        found = registry.poles(conn, commune=commune, query=q) if commune or q else None
    codes = [one.code for one in found] if found is not None else list(board.codes())
    items = [board.summary(code, now) for code in codes]
    return PoleList(
        items=[one for one in items if state is None or one.state == state],
        as_of=now,
        revision=board.revision,
    )


@router.get("/poles/{code}")
def show_pole(code: str, hub: HubDep, _: Viewer) -> PoleDetail:
    """One pole with its node, open and recent incidents, money and last command."""
    with hub.reads.connect() as conn:
        now = hub.clock()
        info = registry.pole(conn, code)
        if info is None:
            raise unknown_pole(code)
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
    _: Viewer,
    start: AwareDatetime | None = None,
    end: AwareDatetime | None = None,
    points: Annotated[int, Query(ge=2, le=5000)] = 600,
) -> TelemetryOut:
    """A pole's chart, averaged to at most `points`; the last 24 hours unless told otherwise."""
    with hub.reads.connect() as conn:
        if registry.pole(conn, code) is None:
            raise unknown_pole(code)
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
    hub: HubDep, _: Viewer, commune: Annotated[str | None, Query(max_length=63)] = None
) -> SummaryOut:
    """A commune at a glance: the one asked for, else the one of the settings, else the first."""
    with hub.reads.connect() as conn:
        chosen = chosen_commune(conn, commune or hub.settings.commune)
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
