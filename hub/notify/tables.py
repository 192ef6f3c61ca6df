"""Routes, webhooks, and each message on its way with what became of it: `hub.notify` alone writes here."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from hub.db import BigId, UtcDateTime, metadata

notify_route = Table(
    "notify_route",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("commune", String(63), nullable=False, comment="code; empty: all"),
    Column("hamlet", String(160), nullable=False),
    Column("group", String(160), nullable=False),
    Column("kinds", JSON, nullable=False, comment="empty: all"),
    Column("least_severity", String(8), nullable=False),
    Column("channels", JSON, nullable=False),
    Column("language", String(2), nullable=False),
    Column("at_once", Boolean, nullable=False, server_default=true()),
    Column("digest_at", String(5), comment="HH:MM in Vietnam"),
    Column("quiet_from", String(5)),
    Column("quiet_until", String(5)),
    Column(
        "quiet_passes", String(8), nullable=False, comment="this severity and above is told at night too"
    ),
    Column("escalate_after_min", Integer),
    Column("escalate_to", BigId),
    Column("for_escalation", Boolean, nullable=False, server_default=false()),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(200), nullable=False),
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

notify_webhook = Table(
    "notify_webhook",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("url", String(500), nullable=False),
    Column("note", String(200), nullable=False),
    Column("commune", String(63), nullable=False, comment="code; empty: all"),
    Column("least_severity", String(8), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("nonce", String(64), nullable=False, comment="names the secret, is none"),
    Column("old_nonce", String(64)),
    Column("old_until", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("disabled_why", String(300), nullable=False, server_default=""),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(200), nullable=False),
    sqlite_autoincrement=True,
)

notify_delivery = Table(
    "notify_delivery",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("key", String(160), nullable=False, comment="the same occasion is never noted twice"),
    Column("purpose", String(12), nullable=False),
    Column("target_type", String(8), nullable=False, comment="channel or webhook"),
    Column("target", String(64), nullable=False),
    Column("language", String(2), nullable=False),
    Column("route_id", BigId),
    Column("incident_id", BigId),
    Column("after_id", BigId, comment="the opening that this one follows"),
    Column("merged_into", BigId, comment="the summary that tells it"),
    Column("body", Text, comment="a webhook's bytes, the same at each try"),
    Column("subject", String(300), nullable=False, server_default=""),
    Column("status", String(10), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False, server_default=""),
    Column("due_at", UtcDateTime, nullable=False),
    Column("claimed_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column(
        "unsure", Boolean, nullable=False, server_default=false(), comment="may have arrived all the same"
    ),
    Column("last_error", String(300), nullable=False, server_default=""),
    UniqueConstraint("key"),
    Index("ix_notify_delivery_status_due_at", "status", "due_at"),
    Index("ix_notify_delivery_incident_id", "incident_id"),
    Index("ix_notify_delivery_merged_into", "merged_into"),
    Index("ix_notify_delivery_target_claimed_at", "target", "claimed_at"),
    sqlite_autoincrement=True,
)

notify_state = Table(
    "notify_state",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("value", JSON, nullable=False),
)
"""`alive`: the notifier's sign of life and its channels."""

notify_cursor = Table(
    "notify_cursor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("change_id", BigId, nullable=False, comment="the last incident change that was looked at"),
)
