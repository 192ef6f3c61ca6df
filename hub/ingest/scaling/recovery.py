"""What a dead worker had logged and not yet written as rows of state, written for it by another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, update

from hub.ingest.committing.commit import Chores, write_batch
from hub.ingest.committing.log import messages_after
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import InMemoryDirectory
from hub.ingest.judging.fast_lane import flush, restore
from hub.ingest.judging.lean import LeanTelemetry
from hub.ingest.scope import Scope
from hub.ingest.state import checkpoint_of, load_state
from hub.ingest.tables import node_state, telemetry_outbox

_NAMES_PER_STATEMENT = 5000


def recover(conn: Connection, dead: str, *, heir: str) -> None:
    """Make the dead worker's rows of state whole, and let the heir drain what it had logged.

    The caller holds the dead one's leases, so that it cannot write any more. Afterwards whoever takes its
    communes finds everything in the rows of state. A worker may be its own heir.
    """
    checkpoint = checkpoint_of(conn, dead)
    mine = telemetry_outbox.c.worker == dead
    newest = conn.execute(select(func.max(telemetry_outbox.c.id)).where(mine)).scalar() or 0
    if newest > checkpoint:
        _write_rows(conn, dead, list(messages_after(conn, checkpoint, dead)), newest)
    if dead != heir:
        conn.execute(update(telemetry_outbox).where(mine).values(worker=heir))


def _write_rows(
    conn: Connection, dead: str, logged: Sequence[tuple[int, str, int, LeanTelemetry]], newest: int
) -> None:
    # What the log names is what counts, whoever held it when: not the leases, which may have moved since.
    communes = {commune for _, commune, _, _ in logged}
    names = sorted({told.node for _, _, _, told in logged})
    for start in range(0, len(names), _NAMES_PER_STATEMENT):
        where = node_state.c.node.in_(names[start : start + _NAMES_PER_STATEMENT])
        communes |= set(conn.execute(select(node_state.c.commune).where(where)).scalars())
    now = datetime.now(UTC)
    state = load_state(conn, now, Scope(dead, dict.fromkeys(communes, 0)))
    restore(state, logged)
    batch = Batch(state, InMemoryDirectory(), now, 0)
    flush(batch, 0.0, everything=True)
    write_batch(conn, batch, state.watcher.take(), Chores(checkpoint=newest))
