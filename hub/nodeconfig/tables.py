"""Every configuration ever wished for a node; the newest is the one wanted. Only `hub.nodeconfig` writes."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from hub.db import UtcDateTime, metadata

node_config_version = Table(
    "node_config_version",
    metadata,
    Column("node", String(63), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(200), nullable=False, comment="empty where the hub followed the registry"),
    Column("cause", String(16), nullable=False, comment="staff, registry"),
    Column("why", String(300), nullable=False),
    Column("profile", JSON, nullable=False, comment="what people decided"),
    Column("facts", JSON, nullable=False, comment="what the registry said of the node's poles then"),
    Column("revision", BigInteger, nullable=False),
    Index("ix_node_config_version_revision", "revision"),
)
