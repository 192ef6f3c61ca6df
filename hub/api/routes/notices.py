"""Notices: the notifier's channels, routes, and every message with what became of it. For administrators."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Query, Request

from hub.api.deps import Admin, Hub, HubDep, acting
from hub.api.problems import Problem, refused
from hub.api.schemas.notices import (
    ChannelOut,
    NoticeList,
    NoticeOut,
    NotifierOut,
    RouteIn,
    RouteList,
    RouteOut,
)
from hub.notify import reads, routing, store
from hub.notify.hours import parse_time
from hub.notify.model import Planned, Route, Status

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])

_CLOCKS = ("digest_at", "quiet_from", "quiet_until")


@router.get("/notifier")
def show_notifier(hub: HubDep, _: Admin) -> NotifierOut:
    """Whether the notifier runs, and the channels it has; addresses have their secrets masked."""
    with hub.reads.connect() as conn:
        found = reads.notifier(conn)
    if found is None:
        return NotifierOut(seen_at=None, up=False, webhook_key=False, channels=[])
    return NotifierOut(
        seen_at=found.seen_at,
        up=notifier_up(hub, found),
        webhook_key=found.webhook_key,
        channels=[ChannelOut.model_validate(one) for one in found.channels],
    )


@router.post("/channels/{name}/test", status_code=202)
def test_channel(name: str, request: Request, hub: HubDep, by: Admin) -> NoticeOut:
    """Have the notifier send a test through a channel; how it went is found under its id."""
    with acting(hub, request, by, channel=name) as conn:
        found = reads.notifier(conn)
        if found is None or name not in {one.name for one in found.channels}:
            raise Problem(
                404, "unknown-channel", f"no channel {name!r}", f"Không có kênh nào tên “{name}”."
            )
        planned = Planned(
            key=f"test:{uuid4()}",
            purpose="test",
            target=name,
            due_at=hub.clock(),
            created_by=by.name,
        )
        made = store.note(conn, planned, now=hub.clock())
        assert made is not None
        noted = reads.delivery(conn, made)
    return NoticeOut.model_validate(noted)


@router.get("/routes")
def list_routes(hub: HubDep, _: Admin) -> RouteList:
    """Who is told of what."""
    with hub.reads.connect() as conn:
        return RouteList(items=[_out(one) for one in routing.routes(conn).values()])


@router.post("/routes", status_code=201)
def create_route(body: RouteIn, request: Request, hub: HubDep, by: Admin) -> RouteOut:
    """Make a route; it holds for what happens from now on."""
    with acting(hub, request, by, name=body.name) as conn:
        try:
            return _out(routing.add(conn, _route(body, 0, hub, by.name)))
        except routing.RouteRefusedError as error:
            raise _refused(error) from None


@router.put("/routes/{route_id}")
def change_route(route_id: int, body: RouteIn, request: Request, hub: HubDep, by: Admin) -> RouteOut:
    """Change a route. Who has heard of an incident through it still hears that it is over."""
    with acting(hub, request, by, name=body.name) as conn:
        try:
            changed = routing.change(conn, _route(body, route_id, hub, by.name))
        except routing.RouteRefusedError as error:
            raise _refused(error) from None
        if changed is None:
            raise _unknown_route(route_id)
    return _out(changed)


@router.delete("/routes/{route_id}", status_code=204)
def remove_route(route_id: int, request: Request, hub: HubDep, by: Admin) -> None:
    """Forget a route. Who has heard of an incident through it still hears that it is over."""
    with acting(hub, request, by) as conn:
        if not routing.remove(conn, route_id):
            raise _unknown_route(route_id)


@router.get("")
def list_notices(
    hub: HubDep,
    _: Admin,
    status: Status | None = None,
    target: Annotated[str | None, Query(max_length=64)] = None,
    incident: int | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> NoticeList:
    """Messages with what became of them, newest first; `before` an id goes further back."""
    with hub.reads.connect() as conn:
        found = reads.deliveries(
            conn, status=status, target=target, incident=incident, before_id=before, limit=limit
        )
    return NoticeList(items=[NoticeOut.model_validate(one) for one in found])


@router.post("/{notice_id}/retry")
def retry_notice(notice_id: int, request: Request, hub: HubDep, by: Admin) -> NoticeOut:
    """Try a message again that was given up."""
    with acting(hub, request, by) as conn:
        if reads.delivery(conn, notice_id) is None:
            raise Problem(404, "unknown-notice", f"no notice {notice_id}", f"Không có tin số {notice_id}.")
        again = store.retry(conn, notice_id, now=hub.clock())
        if again is None:
            raise Problem(
                409,
                "notice-not-failed",
                "only what was given up can be tried again",
                "Chỉ gửi lại được tin không gửi được.",
            )
    return NoticeOut.model_validate(again)


def notifier_up(hub: Hub, found: reads.NotifierView | None) -> bool:
    """Whether the notifier was heard of lately, by the same measure as the hub process."""
    if found is None:
        return False
    return (hub.clock() - found.seen_at).total_seconds() <= hub.settings.ingest_silent_s


def _route(body: RouteIn, route_id: int, hub: Hub, by: str) -> Route:
    values = body.model_dump()
    values |= {name: parse_time(values[name]) for name in _CLOCKS}
    values |= {"kinds": frozenset(body.kinds), "channels": tuple(dict.fromkeys(body.channels))}
    return Route(id=route_id, changed_at=hub.clock(), changed_by=by, **values)


def _out(route: Route) -> RouteOut:
    values = {name: getattr(route, name) for name in RouteOut.model_fields}
    for name in _CLOCKS:
        values[name] = None if values[name] is None else f"{values[name]:%H:%M}"
    return RouteOut(**values | {"kinds": sorted(route.kinds), "channels": list(route.channels)})


def _refused(error: routing.RouteRefusedError) -> Problem:
    return refused(error.field, str(error), error.detail_vi)


def _unknown_route(route_id: int) -> Problem:
    return Problem(404, "unknown-route", f"no route {route_id}", f"Không có tuyến thông báo số {route_id}.")
