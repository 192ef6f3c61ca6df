"""Incidents that wait for an explanation before anyone is told, and watches that hold by a node's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("notify_after", UtcDateTime))
    op.add_column(
        "incident_watch", sa.Column("by_word", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("incident_watch") as batch:
        batch.drop_column("by_word")
    with op.batch_alter_table("incident") as batch:
        batch.drop_column("notify_after")
