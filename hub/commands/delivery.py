"""The hub process's side of commands: what to send, what came back, what ran out of time.

All inside the caller's transaction, which also holds the revision.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnClause, Connection, Row, Select, case, insert, literal_column, select, update

from hub.commands.model import ASSUMED, NO_ANSWER, NOT_SENT, UNANSWERED, advances
from hub.commands.tables import command, command_receipt
from protocol import Command, Kind, Receipt, encode, topic

LATE_RECEIPT_GRACE = timedelta(seconds=5)
"""A receipt may still be on its way when the command's time is up."""

_OVERDUE_AT_MOST = 2000
"""How many expiries one round writes: a storm's worth is spread over a few seconds."""

_IDS_PER_STATEMENT = 500

# Written out, not bound: only then do SQLite and PostgreSQL know that a partial index answers the question.
_REQUESTED: ColumnClause[str] = literal_column("'requested'")
_PENDING: list[ColumnClause[str]] = [literal_column(f"'{status}'") for status in UNANSWERED]


class Outgoing:
    """A command ready for the broker; `expires_at` becomes the message's own expiry."""

    __slots__ = ("expires_at", "id", "payload", "topic")

    def __init__(self, row: Row[Any]) -> None:
        self.id: str = row.id
        self.expires_at: datetime = row.expires_at
        self.topic = topic(row.commune, row.node, Kind.COMMAND)
        self.payload = encode(
            Command(
                v=1,
                id=UUID(row.id),
                node=row.node,
                pole=row.pole,
                action=row.action,
                level=row.level,
                until=row.until,
                camera=row.camera,
                issued_at=row.issued_at,
                expires_at=row.expires_at,
            )
        )


def to_send(
    conn: Connection,
    now: datetime,
    *,
    at_most: int,
    reborn: Collection[str] = (),
    communes: Collection[str] | None = None,
) -> list[Outgoing]:
    """Commands never sent, and for nodes that were just born also those without any receipt.

    With `communes`, only theirs: each ingest sends to its own nodes.

    At most `at_most` of the first: those asked one by one before those asked for many, each oldest first.
    """
    waiting = select(command).where(command.c.status == _REQUESTED, command.c.expires_at > now)
    if communes is not None:
        waiting = waiting.where(command.c.commune.in_(list(communes)))
    singles = waiting.where(command.c.batch.is_(None)).order_by(command.c.issued_at).limit(at_most)
    found = list(conn.execute(singles))
    if len(found) < at_most:
        of_many = waiting.where(command.c.batch.is_not(None)).order_by(command.c.issued_at, command.c.id)
        found += conn.execute(of_many.limit(at_most - len(found)))
    if reborn:
        again: Select[Any] = select(command).where(
            command.c.status == "sent", command.c.node.in_(reborn), command.c.expires_at > now
        )
        found += conn.execute(again.order_by(command.c.issued_at))
    return [Outgoing(row) for row in found]


def overdue(conn: Connection, now: datetime) -> list[str]:
    """Ids of commands whose time passed without a word from the node; at most 2,000 of them."""
    query = (
        select(command.c.id)
        .where(command.c.status.in_(_PENDING), command.c.expires_at <= now - LATE_RECEIPT_GRACE)
        .order_by(command.c.expires_at)
        .limit(_OVERDUE_AT_MOST)
    )
    return list(conn.execute(query).scalars())


def mark_sent(conn: Connection, ids: Sequence[str], now: datetime, revision: int) -> None:
    """The broker client has them now."""
    conn.execute(
        update(command)
        .where(command.c.id.in_(ids), command.c.status == "requested")
        .values(status="sent", status_at=now, sent_at=now, revision=revision)
    )


def mark_expired(conn: Connection, ids: Sequence[str], now: datetime, revision: int) -> None:
    """Nobody answered in time, or the hub never came to send it."""
    reason = case((command.c.status == "requested", NOT_SENT), else_=NO_ANSWER)
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        conn.execute(
            update(command)
            .where(
                command.c.id.in_(ids[start : start + _IDS_PER_STATEMENT]), command.c.status.in_(UNANSWERED)
            )
            .values(status="expired", status_at=now, reason=reason, revision=revision)
        )


def apply_receipt(
    conn: Connection, receipt: Receipt, *, at: datetime, received_at: datetime, revision: int
) -> str | None:
    """Keep a receipt and move its command on where it advances it.

    `at` is the time the receipt is filed under. Returns None, or why the receipt fits no command:
    `unknown_command`, `foreign_command` (it is another node's or pole's).
    """
    row = conn.execute(select(command).where(command.c.id == str(receipt.command))).one_or_none()
    if row is None:
        return "unknown_command"
    if row.node != receipt.node or row.pole != receipt.pole:
        return "foreign_command"
    conn.execute(
        insert(command_receipt).values(
            command=row.id,
            epoch=str(receipt.epoch),
            seq=receipt.seq,
            status=receipt.status,
            at=at,
            received_at=received_at,
            level=receipt.level,
            power_w=receipt.power_w,
            reason=receipt.reason,
        )
    )
    moved: dict[str, Any] = {"revision": revision}
    if advances(row.status, receipt.status, assumed_by_hub=row.reason in ASSUMED):
        moved |= {
            "status": receipt.status,
            "status_at": at,
            "reason": receipt.reason,
            "power_w": receipt.power_w,
            "receipt_level": receipt.level,
        }
    conn.execute(update(command).where(command.c.id == row.id).values(**moved))
    return None
