"""The audit trail: who changed what, from where, with which outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from hub.access.tables import audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One action. `by` is empty where nobody was signed in; `status` is the HTTP status answered."""

    at: datetime
    by: str
    address: str
    action: str
    target: str
    status: int
    detail: Mapping[str, Any]


def record(conn: Connection, row: AuditRow) -> None:
    """Write a row, in the transaction of the action itself. `detail` must hold no secrets."""
    conn.execute(
        insert(audit).values(
            at=row.at,
            by=row.by[:64],
            address=row.address[:64],
            action=row.action[:80],
            target=row.target[:200],
            status=row.status,
            detail=dict(row.detail),
        )
    )


def audit_rows(conn: Connection, *, limit: int = 200) -> list[AuditRow]:
    """The newest rows first."""
    rows = conn.execute(select(audit).order_by(audit.c.id.desc()).limit(limit))
    return [
        AuditRow(row.at, row.by, row.address, row.action, row.target, row.status, row.detail)
        for row in rows
    ]
