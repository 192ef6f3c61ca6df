"""How often each node's messages were refused, and why: kept when the refused payloads are let go."""

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


def downgrade() -> None:
    op.drop_table("reject_count")
