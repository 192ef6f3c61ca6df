"""Webhooks as rows: where other programs are told of every step of incidents, and how they fare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.notify.model import Happening, Planned, Severity, at_least
from hub.notify.signing import new_nonce, secret
from hub.notify.tables import notify_webhook as t

OVERLAP = timedelta(hours=24)
"""How long the former secret still signs beside a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver. `failing_since` is set from the first failed try to the next that goes well."""

    id: int
    url: str
    note: str
    commune: str
    least_severity: Severity
    enabled: bool
    nonce: str
    old_nonce: str | None
    old_until: datetime | None
    failing_since: datetime | None
    disabled_why: str
    changed_at: datetime
    changed_by: str

    def secrets(self, key: bytes, *, now: datetime) -> Sequence[str]:
        """The secrets that sign at `now`, the newest first."""
        found = [secret(key, self.id, self.nonce)]
        if self.old_nonce is not None and self.old_until is not None and now < self.old_until:
            found.append(secret(key, self.id, self.old_nonce))
        return found


def webhooks(conn: Connection) -> dict[int, Webhook]:
    """All webhooks by id."""
    return {row.id: _webhook(row) for row in conn.execute(select(t).order_by(t.c.id))}


def add(
    conn: Connection,
    *,
    url: str,
    note: str,
    commune: str,
    least_severity: Severity,
    by: str,
    now: datetime,
) -> Webhook:
    """Store a new webhook; the address was checked by `transports.guard.parse`."""
    row = conn.execute(
        insert(t)
        .values(
            url=url,
            note=note,
            commune=commune,
            least_severity=least_severity,
            nonce=new_nonce(),
            changed_at=now,
            changed_by=by,
        )
        .returning(*t.c)
    ).one()
    return _webhook(row)


def rotate(conn: Connection, webhook_id: int, *, by: str, now: datetime) -> Webhook | None:
    """Give a webhook a new secret; the former one signs beside it for `OVERLAP`."""
    values = {
        "old_nonce": t.c.nonce,
        "nonce": new_nonce(),
        "old_until": now + OVERLAP,
        "changed_at": now,
        "changed_by": by,
    }
    return _changed(conn, webhook_id, values)


def enable(conn: Connection, webhook_id: int, *, enabled: bool, by: str, now: datetime) -> Webhook | None:
    """Switch a webhook off, or on again: then its failures are forgotten."""
    values = {"enabled": enabled, "disabled_why": "", "changed_at": now, "changed_by": by}
    return _changed(conn, webhook_id, values | ({"failing_since": None} if enabled else {}))


def remove(conn: Connection, webhook_id: int) -> bool:
    """Forget a webhook."""
    return conn.execute(delete(t).where(t.c.id == webhook_id)).rowcount == 1


def note_result(
    conn: Connection,
    webhook_id: int,
    *,
    well: bool,
    why: str,
    gone: bool,
    disable_after_h: int,
    now: datetime,
) -> bool:
    """Remember how a try went; True where the webhook was switched off by it: gone, or failing too long."""
    if well:
        conn.execute(
            update(t).where(t.c.id == webhook_id, t.c.failing_since.is_not(None)).values(failing_since=None)
        )
        return False
    conn.execute(
        update(t).where(t.c.id == webhook_id, t.c.failing_since.is_(None)).values(failing_since=now)
    )
    failing = update(t).where(t.c.id == webhook_id, t.c.enabled)
    if not gone:
        failing = failing.where(t.c.failing_since <= now - timedelta(hours=disable_after_h))
    return conn.execute(failing.values(enabled=False, disabled_why=why[:300])).rowcount == 1


def events(happenings: Sequence[Happening], known: Sequence[Webhook], *, now: datetime) -> list[Planned]:
    """One signed message per change and webhook that wants it. Pure."""
    return [
        _event(hook, one, now) for one in happenings for hook in known if hook.enabled and _wants(hook, one)
    ]


def test_event(hook: Webhook, *, key: str, by: str, now: datetime) -> Planned:
    """A message with which somebody tries whether a webhook arrives. Pure."""
    body = _body("webhook.test", now, {"webhook": hook.id})
    return Planned(
        key=key,
        purpose="test",
        target_type="webhook",
        target=str(hook.id),
        body=body,
        subject="webhook.test",
        due_at=now,
        created_by=by,
    )


def _wants(hook: Webhook, one: Happening) -> bool:
    commune = one.incident.commune or one.place.commune
    return (not hook.commune or not commune or hook.commune == commune) and at_least(
        one.incident.severity, hook.least_severity
    )


def _event(hook: Webhook, one: Happening, now: datetime) -> Planned:
    change, incident, place = one.change, one.incident, one.place
    data = {
        "change_id": change.id,
        "change": change.change,
        "at": _utc(change.at),
        "incident": {
            "id": incident.id,
            "kind": incident.kind,
            "severity": incident.severity,
            "originator_type": incident.originator_type,
            "originator": incident.originator,
            "pole": place.pole or None,
            "place": place.at or None,
            "hamlets": sorted(place.hamlets),
            "commune": incident.commune or place.commune or None,
            "feeder": place.feeder or None,
            "groups": sorted(place.groups),
            "since": _utc(incident.since_at or incident.opened_at),
            "opened_at": _utc(incident.opened_at),
            "closed_at": _utc(incident.closed_at),
            "closed_how": incident.closed_how,
            "acknowledged_at": _utc(incident.acknowledged_at),
            "assigned_group": incident.assigned_group,
            "parent_id": incident.parent_id,
            "quiet_reason": incident.quiet_reason,
        },
    }
    kind = f"incident.{change.change}"
    return Planned(
        key=f"event:{change.id}:{hook.id}",
        purpose="event",
        target_type="webhook",
        target=str(hook.id),
        incident_id=incident.id,
        body=_body(kind, change.at, data),
        subject=kind,
        due_at=now,
    )


def _body(kind: str, at: datetime, data: dict[str, Any]) -> str:
    message = {"type": kind, "timestamp": _utc(at), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _changed(conn: Connection, webhook_id: int, values: dict[str, Any]) -> Webhook | None:
    row = conn.execute(update(t).where(t.c.id == webhook_id).values(values).returning(*t.c)).one_or_none()
    return None if row is None else _webhook(row)


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(**row._mapping)


def as_dict(hook: Webhook) -> dict[str, Any]:
    """A webhook without what names its secrets."""
    return {name: value for name, value in asdict(hook).items() if name not in ("nonce", "old_nonce")}
