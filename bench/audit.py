"""The count that decides: what the agents made against what the hub and the store hold, to the last seq."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, func, select

from edge.outbox.outbox_file import OutboxFile
from hub.commands.tables import command, command_receipt
from hub.db import open_database, reading
from hub.ingest.tables import node_event, received
from hub.telemetry.factory import open_store
from hub.telemetry.port import TelemetryStore


@dataclass(frozen=True, slots=True)
class Made:
    """What one agent's outbox says: it made seqs 1 to `high`, and `waiting` of them are not yet confirmed."""

    node: str
    epoch: str
    high: int
    waiting: int


@dataclass(slots=True)
class Audit:
    """Totals over all agents. `lost`: made, and in no store. `twice`: points beyond one per seq."""

    made: int = 0
    samples_stored: int = 0
    others_stored: int = 0
    """Events and receipts, which share the numbering."""
    waiting: int = 0
    lost: int = 0
    unconfirmed_loss: int = 0
    """Of `lost`, how many the outbox still holds: they would come at the next connection."""
    twice: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything made is stored exactly once and the outboxes are empty."""
        return self.lost == self.twice == self.waiting == 0 and not self.complaints


def made_by(outboxes: Iterable[tuple[str, Path]]) -> list[Made]:
    """Read stopped agents' outbox files, given as (node, file)."""
    found = []
    for node, path in outboxes:
        file = OutboxFile(path)
        found.append(Made(node, str(file.epoch), file.high_seq, file.count))
        file.close()
    return found


def audit(made: Iterable[Made], *, database_url: str, telemetry_url: str) -> Audit:
    """Compare what was made with what is stored; the hub need not run, InfluxDB must."""
    result = Audit()
    store = open_store(telemetry_url)
    engine = open_database(database_url)
    try:
        with reading(engine).connect() as connection:
            for one in made:
                _audit_one(one, connection, store, result)
    finally:
        store.close()
        engine.dispose()
    return result


def received_count(connection: Connection) -> int:
    """How many seqs the hub has committed over all nodes and epochs."""
    rows = connection.execute(select(received.c.ranges)).scalars()
    return sum(last - first + 1 for ranges in rows for first, last in ranges)


def _audit_one(one: Made, connection: Connection, store: TelemetryStore, result: Audit) -> None:
    tally = store.count(one.node, one.epoch)
    events = connection.execute(
        select(func.count())
        .select_from(node_event)
        .where(node_event.c.node == one.node, node_event.c.epoch == one.epoch)
    ).scalar_one()
    receipts = connection.execute(
        select(func.count())
        .select_from(command_receipt.join(command, command.c.id == command_receipt.c.command))
        .where(command.c.node == one.node, command_receipt.c.epoch == one.epoch)
    ).scalar_one()
    others = events + receipts
    ranges = connection.execute(
        select(received.c.ranges).where(received.c.node == one.node, received.c.epoch == one.epoch)
    ).scalar_one_or_none()
    stored = tally.distinct + others
    result.made += one.high
    result.waiting += one.waiting
    result.samples_stored += tally.distinct
    result.others_stored += others
    result.twice += tally.points - tally.distinct
    if stored > one.high:
        result.twice += stored - one.high
    missing = max(0, one.high - stored)
    result.lost += missing
    result.unconfirmed_loss += min(missing, one.waiting)
    expected = [[1, one.high]] if one.high else None
    if ranges != expected and not one.waiting:
        result.complaints.append(f"{one.node}: the hub received {ranges}, the agent made 1 to {one.high}")
