"""Incidents, what nodes told of themselves, and what the ingest counted and kept aside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from hub.api.board import incident_out
from hub.api.deps import HubDep, Viewer
from hub.api.problems import unknown_pole
from hub.api.schemas import IncidentList, NodeEventList, NodeEventOut, RejectList, RejectOut
from hub.api.words import incident_title
from hub.incidents.reads import Status, incidents
from hub.ingest.reads import EventView, events, rejects, stats
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1", tags=["incidents"])

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/incidents")
def list_incidents(
    hub: HubDep,
    _: Viewer,
    status: Status = "open",
    pole: Annotated[str | None, Query(max_length=31)] = None,
    limit: Limit = 200,
) -> IncidentList:
    """Incidents, newest first; those of one pole include its node's."""
    with hub.reads.connect() as conn:
        node = None
        if pole is not None:
            info = registry.pole(conn, pole)
            if info is None:
                raise unknown_pole(pole)
            node = info.node
        found = incidents(conn, status=status, pole=pole, node=node, limit=limit)
    return IncidentList(items=[incident_out(one) for one in found])


@router.get("/node-events")
def list_node_events(
    hub: HubDep,
    _: Viewer,
    pole: Annotated[str | None, Query(max_length=31)] = None,
    node: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 50,
) -> NodeEventList:
    """What nodes told beside their samples, newest first; of one pole, with what its node told as a whole."""
    with hub.reads.connect() as conn:
        if pole is not None:
            info = registry.pole(conn, pole)
            if info is None:
                raise unknown_pole(pole)
            node = info.node
        found = events(conn, pole=pole, node=node, limit=limit)
    return NodeEventList(items=[_event_out(one) for one in found])


@router.get("/stats")
def show_stats(hub: HubDep, _: Viewer) -> dict[str, Any]:
    """What the ingest has counted since the database was made: stored, refused, latency, what waits."""
    with hub.reads.connect() as conn:
        return stats(conn)


@router.get("/rejects")
def list_rejects(
    hub: HubDep,
    _: Viewer,
    node: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 100,
) -> RejectList:
    """Messages that were refused, newest first, with the reason; their payload stays in the database."""
    with hub.reads.connect() as conn:
        found = rejects(conn, node=node, limit=limit)
    return RejectList(items=[RejectOut.model_validate(one) for one in found])


def _event_out(one: EventView) -> NodeEventOut:
    title_vi, title_en = incident_title(one.kind)
    return NodeEventOut(
        id=one.id,
        node=one.node,
        pole=one.pole,
        camera=one.camera,
        kind=one.kind,
        title_vi=title_vi,
        title_en=title_en,
        active=one.active,
        at=one.at,
        received_at=one.received_at,
        historical=one.historical,
        detail=dict(one.detail),
    )
