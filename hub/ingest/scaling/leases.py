"""The table of who holds what, on PostgreSQL: claimed, fenced, given back.

A claim raises the commune's token. Every commit of a worker locks its rows of the table and compares the
tokens, in the same transaction as its writes; a claim must change those rows. So the order between the last
commit of the old holder and the claim of the new one is the database's, and a worker that slept through its
lease can't write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.ingest.lock import ADVISORY_KEY, IngestRunningError, LeaseLostError
from hub.ingest.scaling.sharing import plan
from hub.ingest.scope import Scope
from hub.ingest.tables import ingest_lease, ingest_worker, telemetry_outbox

LEASE_S = 5.0
BEAT_S = 1.0
_LOCK = 0x6C65617365


@dataclass(frozen=True, slots=True)
class Held:
    """After a beat: what this worker holds, and which of it it should give to others."""

    scope: Scope
    give: tuple[str, ...]


class LeaseLock:
    """Stands where a lone ingest has its IngestLock: the fence of a worker's commits."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def ensure(self) -> None:
        """Nothing to take: the fence is asked with every commit."""

    def fence(self, conn: Connection) -> None:
        """Hold the leases until this transaction ends; raises LeaseLostError when one is another's."""
        query = select(ingest_lease.c.commune, ingest_lease.c.token).where(
            ingest_lease.c.worker == self._scope.worker
        )
        found = {row.commune: row.token for row in conn.execute(query.with_for_update(read=True))}
        for commune, token in (self._scope.tokens or {}).items():
            if found.get(commune) != token:
                raise LeaseLostError(f"{commune} is no longer held by worker {self._scope.worker}")

    def release(self) -> None:
        """Leases end by `give_back`, or by themselves."""


def beat(
    conn: Connection, worker: str, communes: Iterable[str], recover: Callable[[Connection, str], None]
) -> Held:
    """Show that `worker` lives, and claim what is its share, in the caller's transaction.

    `recover` is called for each dead worker once nobody can write in its name any more. Times are the
    database's own. Raises IngestRunningError while a lone ingest works on the database.
    """
    if not conn.execute(
        text("SELECT pg_try_advisory_xact_lock_shared(:key)"), {"key": ADVISORY_KEY}
    ).scalar():
        raise IngestRunningError("this database, alone")
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    until = func.now() + text(f"interval '{LEASE_S} seconds'")
    sign = upsert(ingest_worker).values(name=worker, alive_until=until)
    conn.execute(sign.on_conflict_do_update(index_elements=["name"], set_={"alive_until": until}))
    known = set(conn.execute(select(ingest_lease.c.commune)).scalars())
    new = sorted(set(communes) - known)
    if new:
        conn.execute(insert(ingest_lease), [{"commune": one, "worker": None, "token": 0} for one in new])
    alive = set(
        conn.execute(select(ingest_worker.c.name).where(ingest_worker.c.alive_until > func.now())).scalars()
    )
    holders = {row.commune: row.worker for row in conn.execute(select(ingest_lease))}
    decided = plan(worker, holders, alive)
    for dead in sorted({*decided.dead, *_orphaned(conn, alive)}):
        _hand(conn, ingest_lease.c.worker == dead, None)
        recover(conn, dead)
    if decided.take:
        _hand(conn, ingest_lease.c.commune.in_(decided.take), worker)
    mine = select(ingest_lease.c.commune, ingest_lease.c.token).where(ingest_lease.c.worker == worker)
    tokens = {row.commune: row.token for row in conn.execute(mine)}
    return Held(Scope(worker, tokens), decided.give)


def _orphaned(conn: Connection, alive: set[str]) -> set[str]:
    """Who has left something to drain; the empty name is a lone ingest that ran here before."""
    names = set(conn.execute(select(ingest_worker.c.name)).scalars()) | {""}
    outbox = telemetry_outbox.c.worker
    return {
        name
        for name in names - alive
        if conn.execute(select(outbox).where(outbox == name).limit(1)).first() is not None
    }


def show_life(conn: Connection, worker: str) -> None:
    """Show that `worker` lives, and nothing else: it is busy with a share that changes."""
    until = func.now() + text(f"interval '{LEASE_S} seconds'")
    conn.execute(update(ingest_worker).where(ingest_worker.c.name == worker).values(alive_until=until))


def give_back(conn: Connection, worker: str, communes: Iterable[str]) -> None:
    """Let others take these; the worker must have written all state of theirs before."""
    _hand(conn, (ingest_lease.c.worker == worker) & ingest_lease.c.commune.in_(list(communes)), None)


def leave(conn: Connection, worker: str) -> None:
    """Give everything back and be counted no more."""
    _hand(conn, ingest_lease.c.worker == worker, None)
    conn.execute(update(ingest_worker).where(ingest_worker.c.name == worker).values(alive_until=func.now()))


def _hand(conn: Connection, which: object, worker: str | None) -> None:
    conn.execute(
        update(ingest_lease)
        .where(which)  # type: ignore[arg-type]
        .values(worker=worker, token=ingest_lease.c.token + 1)
    )
