"""What a dead worker had logged and not yet written as rows of state, written for it by another."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, update

from hub.ingest.committing.commit import Chores, write_batch
from hub.ingest.committing.log import messages_after
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import InMemoryDirectory
from hub.ingest.judging.fast_lane import flush, restore
from hub.ingest.scope import Scope
from hub.ingest.state import load_state
from hub.ingest.tables import telemetry_outbox


def recover(conn: Connection, dead: str, *, heir: str) -> None:
    """Make the dead worker's rows of state whole, and let the heir drain what it had logged.

    The caller holds the dead one's leases, so that it cannot write any more. Afterwards whoever takes its
    communes finds everything in the rows of state.
    """
    # Not narrowed to communes: what the log names is what counts, whoever held it when.
    state = load_state(conn, datetime.now(UTC), Scope(dead))
    restore(state, messages_after(conn, state.unflushed.checkpoint(), dead))
    batch = Batch(state, InMemoryDirectory(), datetime.now(UTC), 0)
    flush(batch, 0.0, everything=True)
    newest = conn.execute(
        select(func.max(telemetry_outbox.c.id)).where(telemetry_outbox.c.worker == dead)
    ).scalar()
    chores = Chores(checkpoint=newest) if newest is not None else Chores()
    write_batch(conn, batch, state.watcher.take(), chores)
    conn.execute(update(telemetry_outbox).where(telemetry_outbox.c.worker == dead).values(worker=heir))
