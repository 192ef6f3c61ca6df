"""Nodes' states, what was received and refused, the way out to the telemetry store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_revision",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hub_revision"),
    )
    _states()
    op.create_table(
        "received",
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("epoch", sa.String(36), nullable=False),
        sa.Column(
            "ranges", sa.JSON, nullable=False, comment="[[first, last], …] of committed seqs, ascending"
        ),
        sa.PrimaryKeyConstraint("node", "epoch", name="pk_received"),
    )
    op.create_table(
        "node_event",
        sa.Column("id", BigId, nullable=False),
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("epoch", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("pole", sa.String(31)),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("clock", sa.String(16), nullable=False),
        sa.Column("historical", sa.Boolean, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_node_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_node_event_node_epoch_seq", "node_event", ["node", "epoch", "seq"], unique=True)
    op.create_table(
        "reject",
        sa.Column("id", BigId, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("node", sa.String(63)),
        sa.Column("epoch", sa.String(36)),
        sa.Column("seq", sa.BigInteger),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False, comment="bytes of the whole payload"),
        sa.Column("sha256", sa.String(64), nullable=False, comment="of the whole payload"),
        sa.Column("payload", sa.LargeBinary, nullable=False, comment="its first 16 kB"),
        sa.PrimaryKeyConstraint("id", name="pk_reject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reject_node", "reject", ["node"])
    op.create_index("ix_reject_sha256", "reject", ["sha256"])
    op.create_table(
        "telemetry_outbox",
        sa.Column("id", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False, comment="msgpack array of telemetry points"),
        sa.PrimaryKeyConstraint("id", name="pk_telemetry_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ingest_stat",
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_ingest_stat"),
    )


def downgrade() -> None:
    for table in (
        "ingest_stat",
        "telemetry_outbox",
        "reject",
        "node_event",
        "received",
        "pole_state",
        "node_state",
        "hub_revision",
    ):
        op.drop_table(table)


def _states() -> None:
    op.create_table(
        "node_state",
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("commune", sa.String(63), nullable=False),
        sa.Column("session", sa.String(36)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("last_seen_at", UtcDateTime, nullable=False),
        sa.Column("heartbeat_s", sa.Integer, nullable=False),
        sa.Column("connected_at", UtcDateTime),
        sa.Column("epoch", sa.String(36)),
        sa.Column("queued", sa.BigInteger, nullable=False),
        sa.Column("agent_version", sa.String(40), nullable=False),
        sa.Column("config_version", sa.Integer, nullable=False),
        sa.Column("clock", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_node_state"),
    )
    op.create_index("ix_node_state_revision", "node_state", ["revision"])
    op.create_table(
        "pole_state",
        sa.Column("pole", sa.String(31), nullable=False),
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("sample_at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("epoch", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("effect_level", sa.Float, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("commanded_level", sa.Float),
        sa.Column("override_until", UtcDateTime),
        sa.Column("power_w", sa.Float),
        sa.Column("voltage_v", sa.Float),
        sa.Column("current_a", sa.Float),
        sa.Column("energy_wh", sa.Float),
        sa.Column("dark", sa.Boolean),
        sa.Column("cameras", sa.JSON, nullable=False),
        sa.Column("clock", sa.String(16), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("pole", name="pk_pole_state"),
    )
    op.create_index("ix_pole_state_revision", "pole_state", ["revision"])
