"""Commands as rows: asked for here, sent and answered through `hub.commands.delivery`.

The caller's transaction decides: nothing is committed here. The hub process notices a new row within its
poll interval, so the web server needs no connection to the broker.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, insert, select

from hub.commands.model import Action, CommandStatus
from hub.commands.tables import command as command_table
from hub.commands.tables import command_receipt
from hub.revision import next_revision

ANSWER_WITHIN = timedelta(seconds=60)
"""How long a command may travel; a node that was away longer gets nothing stale."""


class CommandRefusedError(ValueError):
    """The command makes no sense; the text says which field, `detail_vi` the same in Vietnamese."""

    def __init__(self, detail: str, detail_vi: str) -> None:
        super().__init__(detail)
        self.detail_vi = detail_vi


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One word of the node about a command, in the order the hub received them."""

    status: CommandStatus
    at: datetime
    power_w: float | None
    level: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command with what became of it. `power_w` is what the meter showed after it, in watts."""

    id: str
    node: str
    commune: str
    pole: str
    action: Action
    level: float | None
    until: datetime | None
    issued_at: datetime
    expires_at: datetime
    requested_by: str
    sent_at: datetime | None
    status: CommandStatus
    status_at: datetime
    reason: str
    power_w: float | None
    receipt_level: float | None
    revision: int
    camera: str | None
    batch: str | None
    """The wish for many that this is a part of."""
    receipts: tuple[ReceiptView, ...]


def request_override(
    conn: Connection,
    *,
    pole: str,
    node: str,
    commune: str,
    level: float,
    until: datetime,
    by: str,
    now: datetime,
) -> CommandView:
    """Ask for a lamp level (0 off to 1 full) until a moment; an override always ends.

    Raises CommandRefusedError for a level outside 0 to 1 or an end that is not after `now`.
    """
    check_level(level)
    check_end(until, now)
    return _request(conn, "lamp_override", pole, node, commune, by, now, level=level, until=until)


def request_auto(
    conn: Connection, *, pole: str, node: str, commune: str, by: str, now: datetime
) -> CommandView:
    """Ask the lamp to go back to its own schedule."""
    return _request(conn, "lamp_auto", pole, node, commune, by, now)


def request_maintenance(
    conn: Connection, *, pole: str, node: str, commune: str, until: datetime, by: str, now: datetime
) -> CommandView:
    """Tell the node that people work at the pole until a moment; raises CommandRefusedError for one past."""
    check_end(until, now)
    return _request(conn, "maintenance_begin", pole, node, commune, by, now, until=until)


def request_maintenance_end(
    conn: Connection, *, pole: str, node: str, commune: str, by: str, now: datetime
) -> CommandView:
    """Tell the node that the work at the pole is done."""
    return _request(conn, "maintenance_end", pole, node, commune, by, now)


def request_camera_cycle(
    conn: Connection, *, pole: str, node: str, commune: str, camera: str, by: str, now: datetime
) -> CommandView:
    """Ask for a camera's power to be switched off and on once."""
    return _request(conn, "camera_cycle", pole, node, commune, by, now, camera=camera)


def maintenance_until(conn: Connection, pole: str, *, now: datetime) -> datetime | None:
    """Until when the pole is in maintenance by the last command its node has taken; None when it is not."""
    query = (
        select(command_table.c.action, command_table.c.until)
        .where(
            command_table.c.pole == pole,
            command_table.c.action.in_(("maintenance_begin", "maintenance_end")),
            command_table.c.status.in_(("accepted", "applied")),
        )
        .order_by(command_table.c.issued_at.desc())
        .limit(1)
    )
    last = conn.execute(query).one_or_none()
    return last.until if last is not None and last.until is not None and last.until > now else None


def commands(
    conn: Connection,
    *,
    pole: str | None = None,
    communes: Collection[str] | None = None,
    since_revision: int = 0,
    limit: int = 50,
) -> list[CommandView]:
    """The newest first; with `since_revision`, only those that moved after that revision and were asked one by
    one: what moved of a wish for many is told by `hub.commands.batch_reads.moved`.
    """
    query = (
        select(command_table).order_by(command_table.c.issued_at.desc(), command_table.c.id).limit(limit)
    )
    if pole is not None:
        query = query.where(command_table.c.pole == pole)
    if communes is not None:
        query = query.where(command_table.c.commune.in_(communes))
    if since_revision:
        query = query.where(command_table.c.revision > since_revision, command_table.c.batch.is_(None))
    rows = conn.execute(query).all()
    receipts = _receipts(conn, [row.id for row in rows])
    return [_view(row, receipts.get(row.id, [])) for row in rows]


def command(conn: Connection, command_id: str | UUID) -> CommandView | None:
    """One command by its id; None when there is no such one."""
    row = conn.execute(select(command_table).where(command_table.c.id == str(command_id))).one_or_none()
    return _view(row, _receipts(conn, [row.id]).get(row.id, [])) if row is not None else None


def check_level(level: float) -> None:
    """Raises CommandRefusedError for a level outside 0 to 1."""
    if not 0 <= level <= 1:
        raise CommandRefusedError(
            f"level {level} must lie between 0 and 1", f"mức sáng {level} phải nằm trong khoảng từ 0 đến 1"
        )


def check_end(until: datetime, now: datetime) -> None:
    """Raises CommandRefusedError for an end that is not after `now`."""
    if until <= now:
        raise CommandRefusedError(
            f"until {until.isoformat()} must lie in the future",
            f"thời điểm kết thúc {until.isoformat()} phải ở tương lai",
        )


def _request(
    conn: Connection,
    action: Action,
    pole: str,
    node: str,
    commune: str,
    by: str,
    now: datetime,
    *,
    level: float | None = None,
    until: datetime | None = None,
    camera: str | None = None,
) -> CommandView:
    values: dict[str, Any] = {
        "id": str(uuid4()),
        "node": node,
        "commune": commune,
        "pole": pole,
        "action": action,
        "level": level,
        "until": until,
        "issued_at": now,
        "expires_at": now + ANSWER_WITHIN,
        "requested_by": by,
        "sent_at": None,
        "status": "requested",
        "status_at": now,
        "reason": "",
        "power_w": None,
        "receipt_level": None,
        "revision": next_revision(conn),
        "camera": camera,
        "batch": None,
    }
    conn.execute(insert(command_table).values(**values))
    return CommandView(**values, receipts=())


def _receipts(conn: Connection, ids: list[str]) -> dict[str, list[ReceiptView]]:
    found: dict[str, list[ReceiptView]] = {}
    query = select(command_receipt).where(command_receipt.c.command.in_(ids)).order_by(command_receipt.c.id)
    for row in conn.execute(query):
        found.setdefault(row.command, []).append(
            ReceiptView(row.status, row.at, row.power_w, row.level, row.reason)
        )
    return found


def _view(row: Row[Any], receipts: list[ReceiptView]) -> CommandView:
    return CommandView(**row._mapping, receipts=tuple(receipts))
