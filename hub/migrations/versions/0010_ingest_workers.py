"""Refusals counted per node, kept when the payloads are let go; and who of several ingests holds what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reject_count",
        sa.Column("node", sa.String(63), nullable=False, comment="empty: no node of the registry"),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("last_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("node", "reason", name="pk_reject_count"),
    )
    op.execute(
        "INSERT INTO reject_count (node, reason, count, last_at) "
        "SELECT CASE WHEN node IS NULL OR reason = 'unknown_node' THEN '' ELSE node END, reason, count(*), "
        "max(received_at) FROM reject GROUP BY 1, 2"
    )
    op.create_table(
        "ingest_worker",
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("alive_until", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_ingest_worker"),
    )
    op.create_table(
        "ingest_lease",
        sa.Column("commune", sa.String(63), nullable=False),
        sa.Column("worker", sa.String(24)),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("commune", name="pk_ingest_lease"),
    )
    op.add_column(
        "telemetry_outbox",
        sa.Column(
            "worker", sa.String(24), nullable=False, server_default="", comment="who drains and restores it"
        ),
    )
    op.create_index("ix_telemetry_outbox_worker", "telemetry_outbox", ["worker"])


def downgrade() -> None:
    op.drop_index("ix_telemetry_outbox_worker", "telemetry_outbox")
    with op.batch_alter_table("telemetry_outbox", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_column("worker")
    op.drop_table("ingest_lease")
    op.drop_table("ingest_worker")
    op.drop_table("reject_count")
