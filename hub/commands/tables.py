"""Commands, every receipt they got, and what was asked for many at once. Only `hub.commands` writes here."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from hub.db import BigId, UtcDateTime, metadata

command_batch = Table(
    "command_batch",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("request_sha256", String(64), nullable=False),  # the same key for another wish is a mistake
    Column("action", String(20), nullable=False),
    Column("level", Float),
    Column("until", UtcDateTime),
    Column("cameras", String(10)),
    Column("scope_kind", String(10), nullable=False),
    Column("scope_commune", String(63)),
    Column("scope_name", String(160), nullable=False),
    Column("scope_poles", JSON, nullable=False),
    Column("why", Text, nullable=False),
    Column("requested_by", String(200), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("total", Integer, nullable=False),
    Column("left_out", JSON, nullable=False),  # poles and cameras nobody could command, with the reason
    Column("retry_of", String(36), ForeignKey("command_batch.id")),
    Column("reverts", String(36), ForeignKey("command_batch.id")),
    Column("cancelled_at", UtcDateTime),
    Column("cancelled_by", String(200)),
    Column("revision", BigInteger, nullable=False, index=True),
)

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
    Column("batch", String(36), ForeignKey("command_batch.id")),
    Index("ix_command_batch_status", "batch", "status"),
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
_SINGLE_WAITS = (command.c.status == "requested") & command.c.batch.is_(None)
_OF_MANY_WAITS = (command.c.status == "requested") & command.c.batch.is_not(None)
# What one person asked of one pole never waits behind a whole province: two queues, each found at once.
Index(
    "ix_command_single_waits",
    command.c.issued_at,
    sqlite_where=_SINGLE_WAITS,
    postgresql_where=_SINGLE_WAITS,
)
Index(
    "ix_command_of_many_waits",
    command.c.issued_at,
    command.c.id,
    sqlite_where=_OF_MANY_WAITS,
    postgresql_where=_OF_MANY_WAITS,
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
