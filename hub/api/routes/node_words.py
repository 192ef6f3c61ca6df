"""What nodes told of themselves, and what the ingest counted and kept aside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from hub.api.deps import HubDep, Viewer
from hub.api.schemas.node_words import NodeEventList, NodeEventOut, RejectCountOut, RejectList, RejectOut
from hub.api.sight import seen_nodes, seen_pole
from hub.api.words import incident_title
from hub.ingest.reads import EventView, events, reject_counts, rejects, stats

router = APIRouter(prefix="/api/v1", tags=["nodes"])

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/node-events")
def list_node_events(
    hub: HubDep,
    by: Viewer,
    pole: Annotated[str | None, Query(max_length=31)] = None,
    node: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 50,
) -> NodeEventList:
    """What nodes told beside their samples, newest first; of one pole, with what its node told as a whole."""
    with hub.reads.connect() as conn:
        if pole is not None:
            node = seen_pole(conn, by, pole).node
        found = events(conn, pole=pole, node=node, nodes=seen_nodes(conn, by), limit=limit)
    return NodeEventList(items=[_event_out(one) for one in found])


@router.get("/stats")
def show_stats(hub: HubDep, _: Viewer) -> dict[str, Any]:
    """What the ingest has counted since the database was made: stored, refused, latency, what waits."""
    with hub.reads.connect() as conn:
        return stats(conn)


@router.get("/rejects")
def list_rejects(
    hub: HubDep,
    by: Viewer,
    node: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 100,
) -> RejectList:
    """Messages that were refused, newest first, with the reason, and how many each node sent.

    Their payload stays in the database. What no registered node sent is shown to those who see the whole hub.
    """
    with hub.reads.connect() as conn:
        nodes = seen_nodes(conn, by)
        found = rejects(conn, node=node, nodes=nodes, limit=limit)
        counts = reject_counts(conn, nodes=nodes)
    return RejectList(
        items=[RejectOut.model_validate(one) for one in found],
        counts=[RejectCountOut.model_validate(one) for one in counts],
    )


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
