"""Notices: routes, webhooks, deliveries, and how far the notifier has looked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _routes()
    _webhooks()
    _deliveries()
    op.create_table(
        "notify_state",
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notify_state"),
    )
    op.create_table(
        "notify_cursor",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column(
            "change_id", BigId, nullable=False, comment="the last incident change that was looked at"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_cursor"),
    )
    # What happened before there were notices is nobody's news.
    op.execute(
        "INSERT INTO notify_cursor (id, change_id) SELECT 1, COALESCE(MAX(id), 0) FROM incident_change"
    )


def _routes() -> None:
    op.create_table(
        "notify_route",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("commune", sa.String(63), nullable=False, comment="code; empty: all"),
        sa.Column("hamlet", sa.String(160), nullable=False),
        sa.Column("group", sa.String(160), nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False, comment="empty: all"),
        sa.Column("least_severity", sa.String(8), nullable=False),
        sa.Column("channels", sa.JSON, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("at_once", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("digest_at", sa.String(5), comment="HH:MM in Vietnam"),
        sa.Column("quiet_from", sa.String(5)),
        sa.Column("quiet_until", sa.String(5)),
        sa.Column(
            "quiet_passes",
            sa.String(8),
            nullable=False,
            comment="this severity and above is told at night too",
        ),
        sa.Column("escalate_after_min", sa.Integer),
        sa.Column("escalate_to", BigId),
        sa.Column("for_escalation", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notify_route"),
        sa.UniqueConstraint("name", name="uq_notify_route_name"),
        sqlite_autoincrement=True,
    )


def _webhooks() -> None:
    op.create_table(
        "notify_webhook",
        sa.Column("id", BigId, nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("commune", sa.String(63), nullable=False, comment="code; empty: all"),
        sa.Column("least_severity", sa.String(8), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("nonce", sa.String(64), nullable=False, comment="names the secret, is none"),
        sa.Column("old_nonce", sa.String(64)),
        sa.Column("old_until", UtcDateTime),
        sa.Column("failing_since", UtcDateTime),
        sa.Column("disabled_why", sa.String(300), nullable=False, server_default=""),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notify_webhook"),
        sqlite_autoincrement=True,
    )


def _deliveries() -> None:
    op.create_table(
        "notify_delivery",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(160), nullable=False, comment="the same occasion is never noted twice"),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("target_type", sa.String(8), nullable=False, comment="channel or webhook"),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("route_id", BigId),
        sa.Column("incident_id", BigId),
        sa.Column("after_id", BigId, comment="the opening that this one follows"),
        sa.Column("merged_into", BigId, comment="the summary that tells it"),
        sa.Column("body", sa.Text, comment="a webhook's bytes, the same at each try"),
        sa.Column("subject", sa.String(300), nullable=False, server_default=""),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False, server_default=""),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("claimed_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.Column(
            "unsure",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="may have arrived all the same",
        ),
        sa.Column("last_error", sa.String(300), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_notify_delivery"),
        sa.UniqueConstraint("key", name="uq_notify_delivery_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notify_delivery_status_due_at", "notify_delivery", ["status", "due_at"])
    op.create_index("ix_notify_delivery_incident_id", "notify_delivery", ["incident_id"])
    op.create_index("ix_notify_delivery_merged_into", "notify_delivery", ["merged_into"])
    op.create_index("ix_notify_delivery_target_claimed_at", "notify_delivery", ["target", "claimed_at"])


def downgrade() -> None:
    for table in ("notify_cursor", "notify_state", "notify_delivery", "notify_webhook", "notify_route"):
        op.drop_table(table)
