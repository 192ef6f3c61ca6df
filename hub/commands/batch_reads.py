"""What became of wishes for many: counts by status, and each addressee with its result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from hub.commands.model import OPEN, Action, CommandStatus
from hub.commands.scope import CameraChoice, LeftOut, Scope
from hub.commands.tables import command, command_batch


@dataclass(frozen=True, slots=True)
class BatchView:
    """A wish for many and how far it has come. `counts` adds up to `total`; a status nobody has is absent."""

    id: str
    action: Action
    level: float | None
    until: datetime | None
    cameras: CameraChoice | None
    scope: Scope
    why: str
    requested_by: str
    issued_at: datetime
    expires_at: datetime
    total: int
    left_out: tuple[LeftOut, ...]
    retry_of: str | None
    reverts: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None
    counts: dict[CommandStatus, int]

    @property
    def finished(self) -> bool:
        """Whether nothing more will come of it."""
        return not any(self.counts.get(status) for status in OPEN)


@dataclass(frozen=True, slots=True)
class ResultView:
    """One addressee's command. `power_w` is what the meter showed after it, in watts."""

    id: str
    pole: str
    camera: str | None
    node: str
    status: CommandStatus
    status_at: datetime
    reason: str
    power_w: float | None
    level: float | None


def batches(
    conn: Connection, *, communes: Collection[str] | None = None, limit: int = 50
) -> list[BatchView]:
    """The newest first; with communes, only those that are for one of them alone."""
    query = (
        select(command_batch).order_by(command_batch.c.issued_at.desc(), command_batch.c.id).limit(limit)
    )
    if communes is not None:
        query = query.where(command_batch.c.scope_commune.in_(communes))
    return _views(conn, conn.execute(query).all())


def batch(conn: Connection, batch_id: str) -> BatchView | None:
    """One wish; None when there is no such one."""
    rows = conn.execute(select(command_batch).where(command_batch.c.id == batch_id)).all()
    return _views(conn, rows)[0] if rows else None


def moved(conn: Connection, since_revision: int, *, limit: int = 20) -> list[BatchView]:
    """Wishes that were made, or of which a command moved, after a revision; the newest first."""
    of_commands = select(command.c.batch).where(
        command.c.revision > since_revision, command.c.batch.is_not(None)
    )
    query = (
        select(command_batch)
        .where(command_batch.c.id.in_(of_commands) | (command_batch.c.revision > since_revision))
        .order_by(command_batch.c.issued_at.desc())
        .limit(limit)
    )
    return _views(conn, conn.execute(query).all())


def results(
    conn: Connection,
    batch_id: str,
    *,
    statuses: Sequence[CommandStatus] = (),
    offset: int = 0,
    limit: int = 200,
) -> list[ResultView]:
    """Each addressee's result, by pole; with `statuses` only those."""
    query = select(command).where(command.c.batch == batch_id)
    if statuses:
        query = query.where(command.c.status.in_(statuses))
    rows = conn.execute(
        query.order_by(command.c.pole, command.c.camera, command.c.id).offset(offset).limit(limit)
    )
    return [
        ResultView(
            id=row.id,
            pole=row.pole,
            camera=row.camera,
            node=row.node,
            status=row.status,
            status_at=row.status_at,
            reason=row.reason,
            power_w=row.power_w,
            level=row.receipt_level,
        )
        for row in rows
    ]


def _views(conn: Connection, rows: Sequence[Row[Any]]) -> list[BatchView]:
    counts: dict[str, dict[CommandStatus, int]] = {row.id: {} for row in rows}
    query = (
        select(command.c.batch, command.c.status, func.count().label("poles"))
        .where(command.c.batch.in_(list(counts)))
        .group_by(command.c.batch, command.c.status)
    )
    for one in conn.execute(query):
        counts[one.batch][one.status] = one.poles
    return [_view(row, counts[row.id]) for row in rows]


def _view(row: Row[Any], counts: dict[CommandStatus, int]) -> BatchView:
    return BatchView(
        id=row.id,
        action=row.action,
        level=row.level,
        until=row.until,
        cameras=row.cameras,
        scope=Scope(row.scope_kind, row.scope_commune, row.scope_name, tuple(row.scope_poles)),
        why=row.why,
        requested_by=row.requested_by,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        total=row.total,
        left_out=tuple(LeftOut(**one) for one in row.left_out),
        retry_of=row.retry_of,
        reverts=row.reverts,
        cancelled_at=row.cancelled_at,
        cancelled_by=row.cancelled_by,
        counts=counts,
    )
