"""Commands and every receipt they got. Only `hub.commands` writes here."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, String, Table, Text

from hub.db import BigId, UtcDateTime, metadata

command = Table(
    "command",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("node", String(63), nullable=False),
    Column("commune", String(63), nullable=False),
    Column("pole", String(31), nullable=False),
    Column("action", String(20), nullable=False),
    Column("level", Float),
    Column("until", UtcDateTime),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("requested_by", String(200), nullable=False),
    Column("sent_at", UtcDateTime),
    Column("status", String(16), nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("power_w", Float),
    Column("receipt_level", Float),
    Column("revision", BigInteger, nullable=False),
    Column("camera", String(31)),
    Index("ix_command_pole_issued_at", "pole", "issued_at"),
    Index("ix_command_node", "node"),
    Index("ix_command_revision", "revision"),
)
Index(
    "ix_command_pending",
    command.c.expires_at,
    sqlite_where=command.c.status.in_(("requested", "sent")),
    postgresql_where=command.c.status.in_(("requested", "sent")),
)

command_receipt = Table(
    "command_receipt",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("command", String(36), ForeignKey("command.id"), nullable=False),
    Column("epoch", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("level", Float),
    Column("power_w", Float),
    Column("reason", Text, nullable=False),
    Index("ix_command_receipt_command", "command"),
    sqlite_autoincrement=True,
)
