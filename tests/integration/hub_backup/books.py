"""Books with something in them, for backups to keep."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Engine

from hub.funding.model import Draft, Line
from hub.funding.store import open_ledger, verify_ledger


def plan(engine: Engine, key: str) -> tuple[int, str]:
    """Record a plan of money for a pole; returns how many entries there are and the chain's head."""
    with engine.begin() as conn, open_ledger(conn) as ledger:
        ledger.record(
            Draft(
                kind="plan",
                happened_on=date(2026, 2, 1),
                idempotency_key=key,
                lines=(Line("TG-0001", 2_000_000),),
                contributor_kind=None,
                contributor_id=None,
                description="cột",
                memo="",
                by="canbo",
            ),
            now=datetime(2026, 3, 1, tzinfo=UTC),
        )
    with engine.connect() as conn:
        head, _ = verify_ledger(conn)
    return head.id, head.hash
