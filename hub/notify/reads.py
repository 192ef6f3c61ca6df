"""What others may know of notices: deliveries, the notifier's sign of life, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from hub.notify.model import Delivery
from hub.notify.tables import notify_delivery, notify_state, notify_webhook


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as the notifier opened it; `address` has its secrets masked."""

    name: str
    service: str
    address: str
    rate_per_min: int
    problem: str


@dataclass(frozen=True, slots=True)
class NotifierView:
    """The notifier's last sign of life and what it works with."""

    seen_at: datetime
    channels: tuple[ChannelView, ...]
    webhook_key: bool
    """Whether it can sign webhooks."""
    allow_private: bool


def notifier(conn: Connection) -> NotifierView | None:
    """None where no notifier ever ran on this database."""
    value: Mapping[str, Any] | None = conn.execute(
        select(notify_state.c.value).where(notify_state.c.key == "alive")
    ).scalar()
    if value is None:
        return None
    return NotifierView(
        datetime.fromisoformat(value["at"]).astimezone(UTC),
        tuple(ChannelView(**one) for one in value["channels"]),
        bool(value["webhook_key"]),
        bool(value["allow_private"]),
    )


def deliveries(
    conn: Connection,
    *,
    status: str | None = None,
    target: str | None = None,
    incident: int | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Messages, the newest first; those of one status, channel, or incident."""
    t = notify_delivery
    query = select(t).order_by(t.c.id.desc()).limit(limit)
    if status is not None:
        query = query.where(t.c.status == status)
    if target is not None:
        query = query.where(t.c.target == target)
    if incident is not None:
        query = query.where(t.c.incident_id == incident)
    if before_id is not None:
        query = query.where(t.c.id < before_id)
    return [Delivery(**row._mapping) for row in conn.execute(query)]


def delivery(conn: Connection, delivery_id: int) -> Delivery | None:
    """One message by its id."""
    row = conn.execute(select(notify_delivery).where(notify_delivery.c.id == delivery_id)).one_or_none()
    return None if row is None else Delivery(**row._mapping)


def delivery_counts(conn: Connection) -> dict[tuple[str, str], int]:
    """How many messages there are by (target type, status)."""
    t = notify_delivery
    query = select(t.c.target_type, t.c.status, func.count()).group_by(t.c.target_type, t.c.status)
    return {(target_type, status): int(count) for target_type, status, count in conn.execute(query)}


def webhooks_disabled(conn: Connection) -> int:
    """How many webhooks were switched off because they failed too long."""
    t = notify_webhook
    query = select(func.count()).select_from(t).where(t.c.enabled.is_(False), t.c.disabled_why != "")
    return int(conn.execute(query).scalar_one())
