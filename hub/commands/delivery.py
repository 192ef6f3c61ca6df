"""The hub process's side of commands: what to send, what came back, what ran out of time.

All inside the caller's transaction, which also holds the revision.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, insert, or_, select, update

from hub.commands.model import UNANSWERED, advances
from hub.commands.tables import command, command_receipt
from protocol import Command, Kind, Receipt, encode, topic

LATE_RECEIPT_GRACE = timedelta(seconds=5)
"""A receipt may still be on its way when the command's time is up."""

NO_ANSWER = "no_answer"
"""The reason of an expiry that the hub assumed because it heard nothing."""


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


def to_send(conn: Connection, now: datetime, *, reborn: Collection[str] = ()) -> list[Outgoing]:
    """Commands never sent, and for nodes that were just born also those without any receipt."""
    query: Select[Any] = select(command).where(command.c.expires_at > now)
    unsent = command.c.status == "requested"
    if reborn:
        unsent = or_(unsent, (command.c.status == "sent") & command.c.node.in_(reborn))
    return [Outgoing(row) for row in conn.execute(query.where(unsent).order_by(command.c.issued_at))]


def overdue(conn: Connection, now: datetime) -> list[str]:
    """Ids of commands whose time passed without a word from the node."""
    query = select(command.c.id).where(
        command.c.status.in_(UNANSWERED), command.c.expires_at <= now - LATE_RECEIPT_GRACE
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
    """Nobody answered in time."""
    conn.execute(
        update(command)
        .where(command.c.id.in_(ids), command.c.status.in_(UNANSWERED))
        .values(status="expired", status_at=now, reason=NO_ANSWER, revision=revision)
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
    if advances(row.status, receipt.status, expired_by_hub=row.reason == NO_ANSWER):
        moved |= {
            "status": receipt.status,
            "status_at": at,
            "reason": receipt.reason,
            "power_w": receipt.power_w,
            "receipt_level": receipt.level,
        }
    conn.execute(update(command).where(command.c.id == row.id).values(**moved))
    return None
