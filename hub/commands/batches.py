"""A wish for many poles at once: one row that says who, why and where, and one command per addressee.

The caller's transaction decides. The commands go out, are answered and run out of time like any other
(`hub.commands.delivery`), only more slowly than one can ask, and with more time to reach a node that is away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection, exists, insert, select, update

from hub.bulk import BulkWriter, utc_text
from hub.commands.model import NO_ANSWER, TAKEN_BACK, UNANSWERED, Action
from hub.commands.scope import Addressee, CameraChoice, Chosen, LeftOut, Scope
from hub.commands.store import CommandRefusedError, check_end, check_level
from hub.commands.tables import command, command_batch
from hub.revision import next_revision

REVERSE: dict[str, Action] = {"lamp_override": "lamp_auto", "maintenance_begin": "maintenance_end"}
"""What takes back what stands until a moment."""

AGAIN = ("rejected", "expired")
"""What a retry asks for once more."""

_COLUMNS = (
    "id",
    "node",
    "commune",
    "pole",
    "action",
    "level",
    "until",
    "issued_at",
    "expires_at",
    "requested_by",
    "status",
    "status_at",
    "reason",
    "revision",
    "camera",
    "batch",
)
_ROOM_BITS = 32
_COMMANDS = BulkWriter(command, _COLUMNS)


class KeyReusedError(ValueError):
    """The idempotency key belongs to another wish."""


class UnknownBatchError(LookupError):
    """There is no wish with that id."""


class NobodyError(CommandRefusedError):
    """There is no addressee for the wish."""

    def __init__(self) -> None:
        super().__init__(
            "nobody in this scope can take the command",
            "Không có cột hay camera nào trong phạm vi này nhận được lệnh",
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of many. `level` 0 to 1 and `until` as the action needs them; `valid_for` is how long a
    command may be on its way to its node.
    """

    idempotency_key: str
    action: Action
    scope: Scope
    why: str
    by: str
    valid_for: timedelta
    level: float | None = None
    until: datetime | None = None
    which_cameras: CameraChoice | None = None
    retry_of: str | None = None
    reverts: str | None = None


def request_many(conn: Connection, wish: Wish, chosen: Chosen, *, now: datetime) -> tuple[str, bool]:
    """Write the wish and its commands; returns the batch's id, and whether it is new.

    The same key with the same wish again returns the first one's id and writes nothing. Raises
    KeyReusedError for another wish under that key, CommandRefusedError for one that makes no sense, NobodyError
    where nobody is addressed.
    """
    revision = next_revision(conn)  # first: its lock lets two requests with one key see each other
    sha256 = _sha256(wish)
    known = conn.execute(
        select(command_batch.c.id, command_batch.c.request_sha256).where(
            command_batch.c.idempotency_key == wish.idempotency_key
        )
    ).one_or_none()
    if known is not None:
        if known.request_sha256 != sha256:
            raise KeyReusedError(wish.idempotency_key)
        return str(known.id), False
    _check(wish, now)
    if not chosen.addressees:
        raise NobodyError
    batch_id = str(uuid4())
    expires_at = now + wish.valid_for
    if wish.until is not None:
        expires_at = min(expires_at, wish.until)
    conn.execute(
        insert(command_batch).values(
            id=batch_id,
            idempotency_key=wish.idempotency_key,
            request_sha256=sha256,
            action=wish.action,
            level=wish.level,
            until=wish.until,
            cameras=wish.which_cameras,
            scope_kind=wish.scope.kind,
            scope_commune=wish.scope.commune,
            scope_name=wish.scope.name,
            scope_poles=list(wish.scope.poles),
            why=wish.why,
            requested_by=wish.by,
            issued_at=now,
            expires_at=expires_at,
            total=len(chosen.addressees),
            left_out=[asdict(one) for one in chosen.left_out],
            retry_of=wish.retry_of,
            reverts=wish.reverts,
            revision=revision,
        )
    )
    _write_commands(conn, wish, chosen.addressees, batch_id, now, expires_at, revision)
    return batch_id, True


def cancel(conn: Connection, batch_id: str, *, by: str, now: datetime, valid_for: timedelta) -> str | None:
    """Take back a wish: what was not answered yet is cancelled, and what stands until a moment is reversed.

    Returns the id of the batch that reverses it; None where nothing needs to be. Only poles whose newest wish
    is still this one are reversed. Doing it again changes nothing. Raises UnknownBatchError.
    """
    revision = next_revision(conn)
    row = conn.execute(select(command_batch).where(command_batch.c.id == batch_id)).one_or_none()
    if row is None:
        raise UnknownBatchError(batch_id)
    reversal = select(command_batch.c.id).where(command_batch.c.reverts == batch_id)
    if row.cancelled_at is not None:
        return conn.execute(reversal).scalar_one_or_none()
    touched = _to_reverse(conn, row, now)
    conn.execute(
        update(command)
        .where(command.c.batch == batch_id, command.c.status.in_(UNANSWERED))
        .values(status="cancelled", status_at=now, reason=TAKEN_BACK, revision=revision)
    )
    conn.execute(
        update(command_batch)
        .where(command_batch.c.id == batch_id)
        .values(cancelled_at=now, cancelled_by=by, revision=revision)
    )
    if not touched:
        return None
    wish = Wish(
        idempotency_key=f"cancel:{batch_id}",
        action=REVERSE[row.action],
        scope=_scope(row),
        why=row.why,
        by=by,
        valid_for=valid_for,
        reverts=batch_id,
    )
    made, _ = request_many(conn, wish, Chosen(tuple(touched), ()), now=now)
    return made


def retry(
    conn: Connection,
    batch_id: str,
    *,
    idempotency_key: str,
    node_of: Callable[[str], tuple[str, str] | None],
    by: str,
    now: datetime,
    valid_for: timedelta,
) -> tuple[str, bool]:
    """Ask once more those who refused or never answered; returns the new batch's id, and whether it is new.

    `node_of` tells a pole's node and commune as they are now; None for a pole that has none any more. Raises
    UnknownBatchError, CommandRefusedError when the wish's end has passed, NobodyError if
    none failed.
    """
    row = conn.execute(select(command_batch).where(command_batch.c.id == batch_id)).one_or_none()
    if row is None:
        raise UnknownBatchError(batch_id)
    failed = conn.execute(
        select(command.c.pole, command.c.camera)
        .where(command.c.batch == batch_id, command.c.status.in_(AGAIN))
        .order_by(command.c.pole, command.c.id)
    ).all()
    addressees, left_out = [], []
    for one in failed:
        found = node_of(one.pole)
        if found is None:
            left_out.append(LeftOut(one.pole, "no_node", one.camera))
        else:
            addressees.append(Addressee(one.pole, *found, one.camera))
    wish = Wish(
        idempotency_key=idempotency_key,
        action=row.action,
        scope=_scope(row),
        why=row.why,
        by=by,
        valid_for=valid_for,
        level=row.level,
        until=row.until,
        which_cameras=row.cameras,
        retry_of=batch_id,
    )
    return request_many(conn, wish, Chosen(tuple(addressees), tuple(left_out)), now=now)


def _to_reverse(conn: Connection, row: Any, now: datetime) -> list[Addressee]:
    if row.action not in REVERSE or row.until <= now:
        return []
    later = command.alias("later")
    topic = (row.action, REVERSE[row.action])
    query = (
        select(command.c.pole, command.c.node, command.c.commune)
        .where(
            command.c.batch == row.id,
            command.c.status.in_(("sent", "accepted", "applied"))
            | ((command.c.status == "expired") & (command.c.reason == NO_ANSWER)),
            ~exists().where(
                later.c.pole == command.c.pole,
                later.c.action.in_(topic),
                later.c.issued_at > command.c.issued_at,
                later.c.status.not_in(("rejected", "expired", "cancelled")),
            ),
        )
        .order_by(command.c.pole)
    )
    return [Addressee(one.pole, one.node, one.commune) for one in conn.execute(query)]


def _write_commands(
    conn: Connection,
    wish: Wish,
    addressees: Sequence[Addressee],
    batch_id: str,
    now: datetime,
    expires_at: datetime,
    revision: int,
) -> None:
    at, expires = utc_text(now), utc_text(expires_at)
    until = None if wish.until is None else utc_text(wish.until)
    head, tail = (
        (wish.action, wish.level, until, at, expires, wish.by, "requested", at, "", revision),
        batch_id,
    )
    # One after the other, not at random: an index takes 49,000 neighbours far faster.
    first = (uuid4().int >> _ROOM_BITS) << _ROOM_BITS
    _COMMANDS.write(
        conn,
        [
            (str(UUID(int=first + n)), one.node, one.commune, one.pole, *head, one.camera, tail)
            for n, one in enumerate(addressees)
        ],
    )


def _check(wish: Wish, now: datetime) -> None:
    if wish.action == "lamp_override":
        if wish.level is None:
            raise CommandRefusedError("level is needed for lamp_override", "cần chọn mức sáng")
        check_level(wish.level)
    if wish.action in REVERSE:
        if wish.until is None:
            raise CommandRefusedError(f"until is needed for {wish.action}", "cần chọn giờ kết thúc")
        check_end(wish.until, now)


def _scope(row: Any) -> Scope:
    return Scope(row.scope_kind, row.scope_commune, row.scope_name, tuple(row.scope_poles))


def _sha256(wish: Wish) -> str:
    """What makes two wishes the same: everything but who asks and how often."""
    return hashlib.sha256(msgspec.json.encode(replace(wish, by="", idempotency_key=""))).hexdigest()
