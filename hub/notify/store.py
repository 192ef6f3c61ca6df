"""Messages on their way as rows: noted once, claimed by one conditional update, kept with what became of them.

The caller's transaction decides. A crash before the claim loses nothing. A crash between the transport's yes
and `finish` leaves the row in `sending`: `recover` takes it up again after `LEASE`, so the receiver may get
that one message twice, and the row says so. Never is one lost, and two notifiers never send the same row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.notify.model import Delivery, Outcome, Planned, Status
from hub.notify.rules import OPENINGS, Plan, next_try
from hub.notify.tables import notify_cursor, notify_state
from hub.notify.tables import notify_delivery as t

LEASE = timedelta(minutes=3)
"""Longer than any transport may take: who still holds a message then has died with it."""

INTERRUPTED = "interrupted while sending: the receiver may get it twice"

_FINAL = ("sent", "failed", "dropped", "merged")


def cursor(conn: Connection) -> int:
    """The last incident change that was looked at."""
    return int(conn.execute(select(notify_cursor.c.change_id)).scalar_one())


def advance(conn: Connection, old: int, new: int) -> bool:
    """Claim the changes between two ids for this transaction; False where another notifier has them."""
    claimed = conn.execute(
        update(notify_cursor).where(notify_cursor.c.change_id == old).values(change_id=new)
    )
    return claimed.rowcount == 1


def told(conn: Connection, incidents: Iterable[int]) -> dict[int, list[Delivery]]:
    """The openings and escalations that were noted for incidents, oldest first."""
    found: dict[int, list[Delivery]] = defaultdict(list)
    query = select(t).where(t.c.incident_id.in_(set(incidents)), t.c.purpose.in_(OPENINGS)).order_by(t.c.id)
    for row in conn.execute(query):
        found[row.incident_id].append(_delivery(row))
    return found


def apply(conn: Connection, plan: Plan, *, now: datetime) -> None:
    """Store what a plan says; what was noted before stays as it is."""
    ids: dict[str, int | None] = {}
    for planned in plan.new:
        ids[planned.key] = note(conn, planned, now=now, after_id=ids.get(planned.after_key or ""))
    for opening, closing in plan.closings:
        # Not begun yet: then nobody knows of it, and nobody needs to hear that it is over.
        if not drop(conn, opening.id, "over before it was told", now=now, untried=True):
            note(conn, closing, now=now)
    for delivery, why in plan.unneeded:
        drop(conn, delivery.id, why, now=now)


def note(conn: Connection, planned: Planned, *, now: datetime, after_id: int | None = None) -> int | None:
    """Store one message; None where the same was noted before."""
    values = {name: value for name, value in asdict(planned).items() if name != "after_key"}
    values |= {
        "after_id": planned.after_id or after_id,
        "status": "waiting",
        "created_at": now,
        "subject": planned.subject[:300],
    }
    dialect = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = dialect(t).values(**values).on_conflict_do_nothing(index_elements=["key"]).returning(t.c.id)
    found = conn.execute(statement).scalar()
    return None if found is None else int(found)


def drop(conn: Connection, delivery_id: int, why: str, *, now: datetime, untried: bool = False) -> bool:
    """Give up a message that waits; False where it is on its way or done (`untried`: or was tried)."""
    statement = update(t).where(t.c.id == delivery_id, t.c.status == "waiting")
    if untried:
        statement = statement.where(t.c.tries == 0)
    done = conn.execute(statement.values(status="dropped", finished_at=now, last_error=why[:300]))
    return done.rowcount == 1


def due(conn: Connection, now: datetime, *, limit: int = 10_000) -> list[Delivery]:
    """Messages whose moment has come, the longest waiting first."""
    query = (
        select(t)
        .where(t.c.status == "waiting", t.c.due_at <= now)
        .order_by(t.c.due_at, t.c.id)
        .limit(limit)
    )
    return [_delivery(row) for row in conn.execute(query)]


def statuses(conn: Connection, ids: Iterable[int]) -> dict[int, Status]:
    """What became of messages; one that a summary tells has its summary's status."""
    summary = t.alias()
    query = select(t.c.id, func.coalesce(summary.c.status, t.c.status)).outerjoin(
        summary, summary.c.id == t.c.merged_into
    )
    wanted = sorted(set(ids))
    found: dict[int, Status] = {}
    for start in range(0, len(wanted), 500):  # a statement takes only so many parameters
        part = query.where(t.c.id.in_(wanted[start : start + 500]))
        found.update((row[0], row[1]) for row in conn.execute(part))
    return found


def members(conn: Connection, summary_id: int) -> list[Delivery]:
    """The messages that a summary tells."""
    query = select(t).where(t.c.merged_into == summary_id).order_by(t.c.id)
    return [_delivery(row) for row in conn.execute(query)]


def postpone(conn: Connection, delivery_id: int, until: datetime) -> None:
    """Look at a waiting message again later."""
    conn.execute(update(t).where(t.c.id == delivery_id, t.c.status == "waiting").values(due_at=until))


def claim(conn: Connection, delivery_id: int, *, now: datetime) -> Delivery | None:
    """Take a waiting message for sending; None where somebody else has it."""
    row = conn.execute(
        update(t)
        .where(t.c.id == delivery_id, t.c.status == "waiting")
        .values(status="sending", claimed_at=now, tries=t.c.tries + 1)
        .returning(*t.c)
    ).one_or_none()
    return None if row is None else _delivery(row)


def claim_summary(conn: Connection, parts: Sequence[Delivery], *, now: datetime) -> Delivery | None:
    """Take many messages of one target as one; None where others have taken them all."""
    first = parts[0]
    key = f"summary:{first.target_type}:{first.id}:{now.isoformat()}"
    row = conn.execute(
        insert(t)
        .values(
            key=key[:160],
            purpose="summary",
            target_type=first.target_type,
            target=first.target,
            language=first.language,
            status="sending",
            tries=1,
            created_at=now,
            due_at=now,
            claimed_at=now,
        )
        .returning(*t.c)
    ).one()
    merge = update(t).values(status="merged", merged_into=row.id, finished_at=now)
    taken = 0
    for start in range(0, len(parts), 500):  # a statement takes only so many parameters
        ids = [one.id for one in parts[start : start + 500]]
        taken += conn.execute(merge.where(t.c.id.in_(ids), t.c.status == "waiting")).rowcount
    if taken == 0:
        conn.execute(delete(t).where(t.c.id == row.id))
        return None
    return _delivery(row)


def finish(
    conn: Connection,
    delivery: Delivery,
    outcome: Outcome,
    *,
    now: datetime,
    tries_max: int,
    subject: str = "",
) -> Status | None:
    """Store how a claimed message's try ended; None where the claim was lost meanwhile.

    What failed for good brings its escalations forward: nobody has heard of the incident yet.
    """
    values: dict[str, Any] = {
        "last_error": outcome.reason[:300],
        "unsure": delivery.unsure or outcome.unsure,
    }
    if subject:
        values["subject"] = subject[:300]
    status: Status
    if outcome.kind == "sent":
        status = "sent"
        values |= {"last_error": "", "finished_at": now}
    elif outcome.kind == "needless":
        status = "dropped"
        values |= {"finished_at": now}
    else:
        again = (
            next_try(delivery.tries, tries_max=tries_max, retry_after_s=outcome.retry_after_s, now=now)
            if outcome.kind == "passing"
            else None
        )
        status = "failed" if again is None else "waiting"
        values |= {"finished_at": now} if again is None else {"due_at": again}
    done = conn.execute(
        update(t)
        .where(t.c.id == delivery.id, t.c.status == "sending", t.c.claimed_at == delivery.claimed_at)
        .values(status=status, **values)
    )
    if done.rowcount != 1:
        return None
    if status == "failed":
        _escalate_now(conn, delivery, now)
    return status


def _escalate_now(conn: Connection, delivery: Delivery, now: datetime) -> None:
    openings = select(t.c.id).where(or_(t.c.id == delivery.id, t.c.merged_into == delivery.id))
    conn.execute(
        update(t)
        .where(
            t.c.after_id.in_(openings),
            t.c.purpose == "escalated",
            t.c.status == "waiting",
            t.c.due_at > now,
        )
        .values(due_at=now)
    )


def recover(conn: Connection, *, now: datetime) -> int:
    """Take up again what a notifier held when it died; returns how many messages."""
    done = conn.execute(
        update(t)
        .where(t.c.status == "sending", t.c.claimed_at < now - LEASE)
        .values(status="waiting", due_at=now, unsure=True, last_error=INTERRUPTED)
    )
    return done.rowcount


def tried_since(conn: Connection, since: datetime) -> Mapping[str, int]:
    """How many messages each channel was given since a moment."""
    query = (
        select(t.c.target, func.count())
        .where(t.c.target_type == "channel", t.c.claimed_at > since)
        .group_by(t.c.target)
    )
    return {target: int(count) for target, count in conn.execute(query)}


def retry(conn: Connection, delivery_id: int, *, now: datetime) -> Delivery | None:
    """Try a failed message again from the beginning; None where it has not failed."""
    row = conn.execute(
        update(t)
        .where(t.c.id == delivery_id, t.c.status == "failed")
        .values(status="waiting", tries=0, due_at=now, finished_at=None)
        .returning(*t.c)
    ).one_or_none()
    return None if row is None else _delivery(row)


def sign_of_life(conn: Connection, value: Mapping[str, Any]) -> None:
    """Say that the notifier runs and what it works with; see `reads.notifier`."""
    done = conn.execute(update(notify_state).where(notify_state.c.key == "alive").values(value=dict(value)))
    if done.rowcount == 0:
        dialect = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        statement = dialect(notify_state).values(key="alive", value=dict(value))
        conn.execute(statement.on_conflict_do_nothing(index_elements=["key"]))


def hold(conn: Connection, tried: Delivery) -> None:
    """Let all that waits for a receiver wait as long as the message that it did not take just now."""
    until = select(t.c.due_at).where(t.c.id == tried.id, t.c.status == "waiting").scalar_subquery()
    conn.execute(
        update(t)
        .where(
            t.c.target_type == tried.target_type,
            t.c.target == tried.target,
            t.c.status == "waiting",
            t.c.due_at < until,
        )
        .values(due_at=until)
    )


def purge(conn: Connection, *, before: datetime, keep_incidents: Callable[[], Iterable[int]]) -> int:
    """Forget finished messages made before a moment, except of incidents that still need their closing.

    `keep_incidents` is asked only where there are such messages.
    """
    finished = (
        select(t.c.id, t.c.incident_id).where(t.c.status.in_(_FINAL), t.c.created_at < before).limit(1000)
    )
    old = conn.execute(finished).all()
    keep = set(keep_incidents()) if old else set()
    gone = [row.id for row in old if row.incident_id not in keep]
    if not gone:
        return 0
    return conn.execute(delete(t).where(t.c.id.in_(gone))).rowcount


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
