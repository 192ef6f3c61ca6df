"""Contributors and the append-only ledger with its triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime
from hub.funding.triggers import create_statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contributor",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("name", sa.String(160)),
        sa.Column("name_public", sa.Boolean, nullable=False),
        sa.Column("consent_at", UtcDateTime),
        sa.Column("erased_at", UtcDateTime),
        sa.CheckConstraint("name_public = false OR consent_at IS NOT NULL", name="consent_is_recorded"),
    )
    op.create_table(
        "ledger_account",
        sa.Column("code", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("pole", sa.String(31), index=True),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", BigId, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("happened_on", sa.Date, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("idempotency_key", sa.String(120), nullable=False),
        sa.Column("reverses_id", BigId, sa.ForeignKey("ledger_entry.id")),
        sa.Column("contributor_kind", sa.String(24)),
        sa.Column("contributor_id", sa.String(36)),
        sa.Column("description", sa.String(300), nullable=False),
        sa.Column("memo", sa.String(300), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("idempotency_key"),
        sa.UniqueConstraint("reverses_id"),
        sa.UniqueConstraint("prev_hash"),
        sa.UniqueConstraint("hash"),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal_names_its_entry"
        ),
    )
    op.create_table(
        "ledger_transfer",
        sa.Column("entry_id", BigId, sa.ForeignKey("ledger_entry.id"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column(
            "debit_account", sa.String(80), sa.ForeignKey("ledger_account.code"), nullable=False, index=True
        ),
        sa.Column(
            "credit_account",
            sa.String(80),
            sa.ForeignKey("ledger_account.code"),
            nullable=False,
            index=True,
        ),
        sa.Column("amount_vnd", sa.BigInteger, nullable=False),
        sa.Column("pole", sa.String(31), nullable=False, index=True),
        sa.CheckConstraint("amount_vnd > 0", name="amount_is_positive"),
        sa.CheckConstraint("debit_account <> credit_account", name="two_accounts"),
    )
    for statement in create_statements(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for table in ("ledger_transfer", "ledger_entry", "ledger_account", "contributor"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ngonden_ledger_is_append_only()")
