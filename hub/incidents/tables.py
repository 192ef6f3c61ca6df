"""Incidents, what is on the way to becoming one, and the thresholds. Only `hub.incidents` writes here."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, String, Table

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
    Index("ix_incident_pole", "pole"),
    Index("ix_incident_revision", "revision"),
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

incident_watch = Table(
    "incident_watch",
    metadata,
    Column("originator", String(63), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("bad_since", UtcDateTime),
    Column("good_since", UtcDateTime),
)

incident_rule = Table(
    "incident_rule",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("hold_off_s", Float, nullable=False),
    Column("clear_after_s", Float, nullable=False),
    Column("params", JSON, nullable=False),
)
