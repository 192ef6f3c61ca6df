"""Incidents with the history of each, what is on the way to becoming one, thresholds, maintenance windows.

Only `hub.incidents` writes here.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
    true,
)

from hub.db import BigId, UtcDateTime, metadata

incident = Table(
    "incident",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("originator_type", String(8), nullable=False),
    Column("originator", String(63), nullable=False),
    Column("pole", String(31)),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("opened_evidence", JSON, nullable=False),
    Column("closed_evidence", JSON),
    Column("revision", BigInteger, nullable=False),
    Column("commune", String(63), nullable=False, server_default=""),
    Column("feeder", String(64)),
    Column("severity", String(8), nullable=False, server_default="major"),
    Column("since_at", UtcDateTime),
    Column("parent_id", BigId),
    Column("quiet_reason", String(16)),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(200)),
    Column("assigned_group", String(160)),
    Column("closed_how", String(12)),
    Column("closed_by", String(200)),
    Column("notify_after", UtcDateTime),
    Index("ix_incident_pole", "pole"),
    Index("ix_incident_revision", "revision"),
    Index("ix_incident_parent_id", "parent_id"),
    Index("ix_incident_commune_opened_at", "commune", "opened_at"),
    sqlite_autoincrement=True,
)
Index(
    "uq_incident_open",
    incident.c.originator,
    incident.c.kind,
    unique=True,
    sqlite_where=incident.c.closed_at.is_(None),
    postgresql_where=incident.c.closed_at.is_(None),
)

incident_change = Table(
    "incident_change",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("incident_id", BigId, ForeignKey("incident.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("change", String(16), nullable=False),
    Column("by", String(200), nullable=False, comment="a user, or empty: the hub itself"),
    Column("note", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_incident_change_incident_id", "incident_id"),
    sqlite_autoincrement=True,
)

incident_watch = Table(
    "incident_watch",
    metadata,
    Column("originator", String(63), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("bad_since", UtcDateTime),
    Column("good_since", UtcDateTime),
    Column("by_word", Boolean, nullable=False, server_default=false()),
)

incident_rule = Table(
    "incident_rule",
    metadata,
    Column("commune", String(63), nullable=False, comment="empty: all communes"),
    Column("kind", String(40), nullable=False),
    Column("hold_off_s", Float, nullable=False),
    Column("clear_after_s", Float, nullable=False),
    Column("params", JSON, nullable=False),
    Column("severity", String(8)),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    PrimaryKeyConstraint("commune", "kind", name="pk_incident_rule_per_commune"),
)

maintenance_window = Table(
    "maintenance_window",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("commune", String(63), nullable=False),
    Column("scope", String(8), nullable=False, comment="commune, hamlet, feeder, group, pole, node"),
    Column("name", String(160), nullable=False, comment="code or name within the scope"),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("why", String(300), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("cancelled_at", UtcDateTime),
    Column("cancelled_by", String(200)),
    Column("revision", BigInteger, nullable=False),
    Index("ix_maintenance_window_ends_at", "ends_at"),
    sqlite_autoincrement=True,
)
