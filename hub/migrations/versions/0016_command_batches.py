"""Commands for many at once: what was asked with one wish, and one command per pole that came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "command_batch",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("idempotency_key", sa.String(120), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("level", sa.Float),
        sa.Column("until", UtcDateTime),
        sa.Column("cameras", sa.String(10)),
        sa.Column("scope_kind", sa.String(10), nullable=False),
        sa.Column("scope_commune", sa.String(63)),
        sa.Column("scope_name", sa.String(160), nullable=False),
        sa.Column("scope_poles", sa.JSON, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("left_out", sa.JSON, nullable=False),
        sa.Column("retry_of", sa.String(36)),
        sa.Column("reverts", sa.String(36)),
        sa.Column("cancelled_at", UtcDateTime),
        sa.Column("cancelled_by", sa.String(200)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_command_batch"),
        sa.UniqueConstraint("idempotency_key", name="uq_command_batch_idempotency_key"),
        sa.ForeignKeyConstraint(
            ["retry_of"], ["command_batch.id"], name="fk_command_batch_retry_of_command_batch"
        ),
        sa.ForeignKeyConstraint(
            ["reverts"], ["command_batch.id"], name="fk_command_batch_reverts_command_batch"
        ),
    )
    op.create_index("ix_command_batch_issued_at", "command_batch", ["issued_at"])
    op.create_index("ix_command_batch_revision", "command_batch", ["revision"])
    # In words that SQLite and PostgreSQL share: Alembic would copy SQLite's table, to which receipts refer.
    op.execute(
        "ALTER TABLE command ADD COLUMN batch VARCHAR(36) "
        "CONSTRAINT fk_command_batch_command_batch REFERENCES command_batch (id)"
    )
    op.create_index("ix_command_batch_status", "command", ["batch", "status"])
    single = sa.text("status = 'requested' AND batch IS NULL")
    op.create_index(
        "ix_command_single_waits", "command", ["issued_at"], sqlite_where=single, postgresql_where=single
    )
    of_many = sa.text("status = 'requested' AND batch IS NOT NULL")
    op.create_index(
        "ix_command_of_many_waits",
        "command",
        ["issued_at", "id"],
        sqlite_where=of_many,
        postgresql_where=of_many,
    )


def downgrade() -> None:
    for index in ("ix_command_of_many_waits", "ix_command_single_waits", "ix_command_batch_status"):
        op.drop_index(index, "command")
    op.drop_column("command", "batch")
    op.drop_table("command_batch")
