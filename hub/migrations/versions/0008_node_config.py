"""The configuration wished for each node, version by version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "node_config_version",
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column(
            "made_by",
            sa.String(200),
            nullable=False,
            comment="empty where the hub followed the registry",
        ),
        sa.Column("cause", sa.String(16), nullable=False, comment="staff, registry"),
        sa.Column("why", sa.String(300), nullable=False),
        sa.Column("profile", sa.JSON, nullable=False, comment="what people decided"),
        sa.Column(
            "facts", sa.JSON, nullable=False, comment="what the registry said of the node's poles then"
        ),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", "version", name="pk_node_config_version"),
    )
    op.create_index("ix_node_config_version_revision", "node_config_version", ["revision"])


def downgrade() -> None:
    op.drop_table("node_config_version")
