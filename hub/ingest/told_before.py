"""What nodes had told of their faults before this ingest began, so that an older word stays the older one.

A restart, or a worker that takes communes over, finds neither in an incident's row: a node sends again what
nobody confirmed, and its words may then come behind newer ones that another process has heard.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, func, select

from hub.incidents.catalogue import TOLD_KINDS
from hub.incidents.model import Key
from hub.incidents.told import Word
from hub.ingest.state import IngestState
from hub.ingest.tables import node_event

EVENTS_BACK = 20_000
"""So many of the newest events are read: words overtake each other by minutes, not by days."""


def remember_told(conn: Connection, state: IngestState, live_max_age_s: float) -> None:
    """Teach a loaded state the order of what its nodes have told, and what history said has begun.

    `live_max_age_s`: an event that took longer to come was history, whatever it called itself.
    """
    columns = ("node", "epoch", "seq", "pole", "camera", "kind", "active", "at", "received_at")
    newest = select(func.coalesce(func.max(node_event.c.id), 0)).scalar_subquery()
    query = select(*(node_event.c[name] for name in columns), node_event.c.historical, node_event.c.detail)
    query = query.where(node_event.c.id > newest - EVENTS_BACK, node_event.c.active.is_not(None))
    oldest_live = timedelta(seconds=live_max_age_s)
    for row in conn.execute(query.order_by(node_event.c.id)):
        if row.kind not in TOLD_KINDS or row.node not in state.nodes:
            continue
        key = Key(row.camera or row.pole or row.node, row.kind)
        is_live = not row.historical and row.received_at - row.at <= oldest_live
        word = Word(row.epoch, row.seq, row.at, live=is_live)
        evidence = {**row.detail, "told_by": row.node, "told_at": row.at.isoformat()}
        is_open = state.watcher.is_open(*key)
        state.told.remember(key, word, stands=row.active, is_open=is_open, evidence=evidence)
    for pole, mark in state.poles.items():
        for kind in mark.faults:
            if kind in TOLD_KINDS:
                word = Word(mark.epoch, mark.seq, mark.sample_at, live=True)
                is_open = state.watcher.is_open(pole, kind)
                state.told.remember(Key(pole, kind), word, stands=True, is_open=is_open, evidence={})
