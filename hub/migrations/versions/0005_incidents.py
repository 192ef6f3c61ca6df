"""Incidents, what is on the way to one, and the thresholds with their first values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("originator_type", sa.String(8), nullable=False),
        sa.Column("originator", sa.String(63), nullable=False),
        sa.Column("pole", sa.String(31)),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("opened_evidence", sa.JSON, nullable=False),
        sa.Column("closed_evidence", sa.JSON),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_pole", "incident", ["pole"])
    op.create_index("ix_incident_revision", "incident", ["revision"])
    op.create_index(
        "uq_incident_open",
        "incident",
        ["originator", "kind"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "incident_watch",
        sa.Column("originator", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("bad_since", UtcDateTime),
        sa.Column("good_since", UtcDateTime),
        sa.PrimaryKeyConstraint("originator", "kind", name="pk_incident_watch"),
    )
    rule = op.create_table(
        "incident_rule",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("hold_off_s", sa.Float, nullable=False),
        sa.Column("clear_after_s", sa.Float, nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_incident_rule"),
    )
    op.bulk_insert(
        rule,
        [
            {
                "kind": "communication_failure",
                "hold_off_s": 3.0,
                "clear_after_s": 5.0,
                "params": {"stopped_grace_s": 600},
            },
            {
                "kind": "lamp_failure",
                "hold_off_s": 60.0,
                "clear_after_s": 30.0,
                "params": {"fail_share": 0.2, "clear_share": 0.3},
            },
        ],
    )


def downgrade() -> None:
    for table in ("incident_rule", "incident_watch", "incident"):
        op.drop_table(table)
