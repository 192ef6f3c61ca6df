"""Lamp commands and their receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("commune", sa.String(63), nullable=False),
        sa.Column("pole", sa.String(31), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("level", sa.Float),
        sa.Column("until", UtcDateTime),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("sent_at", UtcDateTime),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_at", UtcDateTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("power_w", sa.Float),
        sa.Column("receipt_level", sa.Float),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
    )
    op.create_index("ix_command_pole_issued_at", "command", ["pole", "issued_at"])
    op.create_index("ix_command_node", "command", ["node"])
    op.create_index("ix_command_revision", "command", ["revision"])
    pending = sa.text("status IN ('requested', 'sent')")
    op.create_index(
        "ix_command_pending", "command", ["expires_at"], sqlite_where=pending, postgresql_where=pending
    )
    op.create_table(
        "command_receipt",
        sa.Column("id", BigId, nullable=False),
        sa.Column("command", sa.String(36), nullable=False),
        sa.Column("epoch", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("level", sa.Float),
        sa.Column("power_w", sa.Float),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_command_receipt"),
        sa.ForeignKeyConstraint(["command"], ["command.id"], name="fk_command_receipt_command_command"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_command_receipt_command", "command_receipt", ["command"])


def downgrade() -> None:
    for table in ("command_receipt", "command"):
        op.drop_table(table)
