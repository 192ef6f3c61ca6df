"""The table of who holds what, on PostgreSQL: claimed, fenced, given back.

A claim raises the commune's token. Every commit of a worker locks its rows of the table and compares the
tokens, in the same transaction as its writes; a claim must change those rows. So the order between the last
commit of the old holder and the claim of the new one is the database's, and a worker that slept through its
lease can't write. A process that starts under a worker's name takes the name over: it raises the tokens of
what an earlier one held, and the earlier one finds that out at its next word here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.ingest.lock import ADVISORY_KEY, IngestRunningError, LeaseLostError
from hub.ingest.scaling.sharing import plan
from hub.ingest.scope import Scope
from hub.ingest.state import checkpoint_of
from hub.ingest.tables import ingest_lease, ingest_stat, ingest_worker, telemetry_outbox

LEASE_S = 5.0
BEAT_S = 1.0
_LOCK = 0x6C65617365
_IDS_PER_STATEMENT = 5000

Recover = Callable[[Connection, str], None]
"""Makes whole what the named worker had logged, once nobody can write in its name any more."""


class NameTakenError(RuntimeError):
    """Another process works under this worker's name; the text says what to change."""

    def __init__(self, worker: str) -> None:
        super().__init__(
            f"another process has begun as worker {worker}: give each its own [ingest] worker, "
            "or let only one of them run"
        )


@dataclass(frozen=True, slots=True)
class Held:
    """After a beat: what this worker holds, and which of it it should give to others."""

    scope: Scope
    give: tuple[str, ...]
    inherited: bool = False
    """Whether it has taken over what a dead worker left to drain."""


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


def arrive(conn: Connection, worker: str, life: str, recover: Recover) -> None:
    """Begin as `worker`, in the caller's transaction; `life` names this process among all of that name.

    Whatever an earlier process of the name held is free afterwards, so it can write nothing more, and
    `recover` has made whole what it had logged. Raises IngestRunningError as `beat` does.
    """
    _one_at_a_time(conn)
    key = _life_key(worker)
    values = upsert(ingest_stat).values(key=key, value={"life": life})
    conn.execute(values.on_conflict_do_update(index_elements=["key"], set_={"value": {"life": life}}))
    _hand(conn, ingest_lease.c.worker == worker, None)
    recover(conn, worker)


def beat(
    conn: Connection, worker: str, communes: Iterable[str], recover: Recover, *, life: str = ""
) -> Held:
    """Show that `worker` lives, and claim what is its share, in the caller's transaction.

    `recover` is called for each dead worker once nobody can write in its name any more. Times are the
    database's own. Raises IngestRunningError while a lone ingest works on the database, and where `life` is
    given NameTakenError when a later process has arrived under the name.
    """
    _one_at_a_time(conn)
    _ensure_ours(conn, worker, life)
    known = set(conn.execute(select(ingest_lease.c.commune)).scalars())
    new = sorted(set(communes) - known)
    if new:
        conn.execute(insert(ingest_lease), [{"commune": one, "worker": None, "token": 0} for one in new])
    lives = ingest_worker.c.alive_until > func.clock_timestamp()
    alive = {worker, *conn.execute(select(ingest_worker.c.name).where(lives)).scalars()}
    holders = {row.commune: row.worker for row in conn.execute(select(ingest_lease))}
    decided = plan(worker, holders, alive)
    # What one without a share inherited, nobody would drain.
    stays = sum(holder == worker for holder in holders.values()) + len(decided.take) - len(decided.give)
    gone = sorted({*decided.dead, *_orphaned(conn, alive)}) if stays > 0 else []
    # All leases before any recovery: that locks what every commit wants behind its lease.
    _hand(conn, ingest_lease.c.worker.in_(gone), None)
    for dead in gone:
        recover(conn, dead)
    if decided.take:
        _hand(conn, ingest_lease.c.commune.in_(decided.take), worker)
    mine = select(ingest_lease.c.commune, ingest_lease.c.token).where(ingest_lease.c.worker == worker)
    tokens = {row.commune: row.token for row in conn.execute(mine)}
    # Last: it must count from when the others can see it, however long a recovery took.
    _sign(conn, worker, LEASE_S)
    return Held(Scope(worker, tokens), decided.give, bool(gone))


def show_life(conn: Connection, worker: str, life: str = "") -> None:
    """Show that `worker` lives, and nothing else: it is busy with a share that changes.

    Raises NameTakenError as `beat` does.
    """
    _ensure_ours(conn, worker, life)
    conn.execute(
        update(ingest_worker).where(ingest_worker.c.name == worker).values(alive_until=_from_now(LEASE_S))
    )


def give_back(
    conn: Connection, worker: str, communes: Iterable[str], recover: Recover, *, life: str = ""
) -> None:
    """Let others take these. `recover` writes what this worker's ingest could not write as it ended."""
    _one_at_a_time(conn)
    _ensure_ours(conn, worker, life)
    _hand(conn, (ingest_lease.c.worker == worker) & ingest_lease.c.commune.in_(list(communes)), None)
    recover(conn, worker)


def leave(conn: Connection, worker: str, recover: Recover, *, life: str = "") -> None:
    """Give everything back and be counted no more."""
    _one_at_a_time(conn)
    _ensure_ours(conn, worker, life)
    _hand(conn, ingest_lease.c.worker == worker, None)
    recover(conn, worker)
    _sign(conn, worker, 0.0)


def forget_drained(conn: Connection, worker: str, ids: Collection[int]) -> None:
    """Delete what the telemetry store has taken, where no ingest of the worker runs that would do it."""
    until = checkpoint_of(conn, worker)
    done = sorted(number for number in ids if number <= until)
    for start in range(0, len(done), _IDS_PER_STATEMENT):
        some = done[start : start + _IDS_PER_STATEMENT]
        outbox = telemetry_outbox.c
        conn.execute(delete(telemetry_outbox).where(outbox.worker == worker, outbox.id.in_(some)))


def _one_at_a_time(conn: Connection) -> None:
    if not conn.execute(
        text("SELECT pg_try_advisory_xact_lock_shared(:key)"), {"key": ADVISORY_KEY}
    ).scalar():
        raise IngestRunningError("this database, alone")
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _ensure_ours(conn: Connection, worker: str, life: str) -> None:
    if not life:
        return
    found = conn.execute(select(ingest_stat.c.value).where(ingest_stat.c.key == _life_key(worker))).scalar()
    if found is not None and found["life"] != life:
        raise NameTakenError(worker)


def _life_key(worker: str) -> str:
    return f"life@{worker}"


def _from_now(seconds: float) -> ColumnElement[object]:
    # Not now(), which is when the transaction began: it may have waited for its turn since.
    return func.clock_timestamp() + text(f"interval '{seconds} seconds'")


def _sign(conn: Connection, worker: str, seconds: float) -> None:
    sign = upsert(ingest_worker).values(name=worker, alive_until=_from_now(seconds))
    conn.execute(
        sign.on_conflict_do_update(index_elements=["name"], set_={"alive_until": _from_now(seconds)})
    )


def _orphaned(conn: Connection, alive: set[str]) -> set[str]:
    """Who has left something to drain; the empty name is a lone ingest that ran here before."""
    names = set(conn.execute(select(ingest_worker.c.name)).scalars()) | {""}
    outbox = telemetry_outbox.c.worker
    return {
        name
        for name in names - alive
        if conn.execute(select(outbox).where(outbox == name).limit(1)).first() is not None
    }


def _hand(conn: Connection, which: ColumnElement[bool], worker: str | None) -> None:
    conn.execute(update(ingest_lease).where(which).values(worker=worker, token=ingest_lease.c.token + 1))
