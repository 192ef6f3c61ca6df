"""One batch into SQL: state, incidents, receipts, rejects and the telemetry outbox in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from hub.bulk import BulkWriter, utc_text
from hub.commands.delivery import apply_receipt, mark_expired, mark_sent
from hub.incidents import store as incidents
from hub.incidents.standing import Outcome
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.node_words import EVENT_COLUMNS
from hub.ingest.judging.samples import POLE_COLUMNS
from hub.ingest.link.arrival import Reject
from hub.ingest.state import NodeLive
from hub.ingest.tables import (
    ingest_stat,
    node_event,
    node_state,
    pole_state,
    received,
    reject,
    telemetry_outbox,
)
from hub.nodeconfig.delivery import write_adapted
from hub.nodeconfig.store import Desired
from hub.revision import next_revision

POINTS_PER_ROW = 5000
"""A row of the telemetry outbox holds at most so many points."""

_IDS_PER_STATEMENT = 500
_NODE_COLUMNS = tuple(column.name for column in node_state.c)
_NODES = BulkWriter(node_state, _NODE_COLUMNS, key=("node",))
_POLES = BulkWriter(pole_state, POLE_COLUMNS, key=("pole",))
_RANGES = BulkWriter(received, ("node", "epoch", "ranges"), key=("node", "epoch"))
_EVENTS = BulkWriter(node_event, EVENT_COLUMNS, key=("node", "epoch", "seq"))
_STATS = BulkWriter(ingest_stat, ("key", "value"), key=("key",))
_MSGPACK = msgspec.msgpack.Encoder()
_JSON = msgspec.json.Encoder()


@dataclass(slots=True)
class Chores:
    """What rides along with a batch: word from the drainer and from the commands, and statistics."""

    drained: Sequence[int] = ()
    refused_points: Sequence[Reject] = ()
    sent_commands: Sequence[str] = ()
    expired_commands: Sequence[str] = ()
    adapted_configs: Sequence[Desired] = ()
    stats: dict[str, Any] = field(default_factory=dict)
    reject_keep_rows: int | None = None
    """Set when it is time to let the oldest rejects go."""

    def __bool__(self) -> bool:
        return bool(
            self.drained
            or self.refused_points
            or self.sent_commands
            or self.expired_commands
            or self.adapted_configs
            or self.stats
            or self.reject_keep_rows is not None
        )


def needs_commit(batch: Batch, outcome: Outcome, chores: Chores) -> bool:
    """Whether there is anything to write."""
    return bool(
        batch.points
        or batch.pole_rows
        or batch.event_rows
        or batch.receipts
        or batch.rejects
        or batch.changed_nodes
        or batch.changed_ranges
        or outcome.changes
        or outcome.parents
        or outcome.watches
        or chores
    )


def write_batch(conn: Connection, batch: Batch, outcome: Outcome, chores: Chores) -> None:
    """Write everything. The caller's transaction makes it one, or none."""
    revision = next_revision(conn)
    _write_receipts(conn, batch, revision)
    _write_rejects(conn, batch, chores.refused_points)
    _POLES.write(conn, [(*row, revision) for row in batch.pole_rows.values()])
    nodes = batch.state.nodes
    _NODES.write(conn, [_node_row(nodes[name], revision) for name in batch.changed_nodes])
    _RANGES.write(
        conn,
        [
            (node, epoch, _JSON.encode(batch.state.ranges[(node, epoch)].pairs()).decode())
            for node, epoch in batch.changed_ranges
        ],
    )
    _EVENTS.write(conn, [(*row, revision) for row in batch.event_rows])
    _write_outbox(conn, batch)
    incidents.write(conn, outcome, revision)
    _write_chores(conn, chores, batch.now, revision)
    stats = {"counters": batch.state.counters.to_json(), **chores.stats}
    _STATS.write(conn, [(key, _JSON.encode(value).decode()) for key, value in stats.items()])


def _write_receipts(conn: Connection, batch: Batch, revision: int) -> None:
    for row in batch.receipts:
        fault = apply_receipt(conn, row.receipt, at=row.at, received_at=row.received_at, revision=revision)
        epoch, seq = str(row.receipt.epoch), row.receipt.seq
        if fault is None:
            batch.state.counters.receipts_stored += 1
            batch.confirmation(row.known, epoch).stored.append(seq)
            continue
        detail = f"command {row.receipt.command}"
        batch.refuse(row.came, row.received_at, fault, detail, known=row.known, epoch=epoch, seq=seq)


def _write_rejects(conn: Connection, batch: Batch, refused_points: Sequence[Reject]) -> None:
    kept = [one for one in batch.rejects if not (one.maybe_again and _is_kept(conn, one))]
    kept.extend(refused_points)
    if not kept:
        return
    for one in kept:
        batch.state.counters.rejects[one.reason] += 1
    columns = [column.name for column in reject.c if column.name != "id"]
    conn.execute(insert(reject), [{name: getattr(one, name) for name in columns} for one in kept])


def _is_kept(conn: Connection, candidate: Reject) -> bool:
    query = select(reject.c.id).where(
        reject.c.sha256 == candidate.sha256, reject.c.topic == candidate.topic
    )
    return conn.execute(query.limit(1)).scalar() is not None


def _write_outbox(conn: Connection, batch: Batch) -> None:
    for start in range(0, len(batch.points), POINTS_PER_ROW):
        points = batch.points[start : start + POINTS_PER_ROW]
        conn.execute(
            insert(telemetry_outbox).values(
                created_at=batch.now, points=len(points), payload=_MSGPACK.encode(points)
            )
        )


def _write_chores(conn: Connection, chores: Chores, now: datetime, revision: int) -> None:
    for start in range(0, len(chores.drained), _IDS_PER_STATEMENT):
        ids = chores.drained[start : start + _IDS_PER_STATEMENT]
        conn.execute(delete(telemetry_outbox).where(telemetry_outbox.c.id.in_(ids)))
    if chores.sent_commands:
        mark_sent(conn, chores.sent_commands, now, revision)
    if chores.expired_commands:
        mark_expired(conn, chores.expired_commands, now, revision)
    write_adapted(conn, chores.adapted_configs, revision)
    if chores.reject_keep_rows is not None:
        newest = conn.execute(select(func.max(reject.c.id))).scalar()
        if newest is not None:
            conn.execute(delete(reject).where(reject.c.id <= newest - chores.reject_keep_rows))


def _node_row(live: NodeLive, revision: int) -> tuple[str | int | None, ...]:
    return (
        live.node,
        live.commune,
        live.session,
        live.status,
        utc_text(live.last_seen_at),
        live.heartbeat_s,
        utc_text(live.connected_at) if live.connected_at is not None else None,
        live.epoch,
        live.queued,
        live.agent_version,
        live.config_version,
        live.clock,
        revision,
    )
