"""What the hub keeps of the nodes' word: last states, what was received, what was refused, what must
still reach the telemetry store. Only `hub.ingest` writes here; others look through `hub.ingest.reads`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from hub.db import BigId, UtcDateTime, metadata

node_state = Table(
    "node_state",
    metadata,
    Column("node", String(63), primary_key=True),
    Column("commune", String(63), nullable=False),
    Column("session", String(36)),
    Column("status", String(16), nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("heartbeat_s", Integer, nullable=False),
    Column("connected_at", UtcDateTime),
    Column("epoch", String(36)),
    Column("queued", BigInteger, nullable=False),
    Column("agent_version", String(40), nullable=False),
    Column("config_version", Integer, nullable=False),
    Column("clock", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_node_state_revision", "revision"),
)

pole_state = Table(
    "pole_state",
    metadata,
    Column("pole", String(31), primary_key=True),
    Column("node", String(63), nullable=False),
    Column("sample_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("epoch", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("effect_level", Float, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("commanded_level", Float),
    Column("override_until", UtcDateTime),
    Column("power_w", Float),
    Column("voltage_v", Float),
    Column("current_a", Float),
    Column("energy_wh", Float),
    Column("dark", Boolean),
    Column("cameras", JSON, nullable=False),
    Column("clock", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("told", JSON, nullable=False, server_default="{}"),
    Index("ix_pole_state_revision", "revision"),
    Index("ix_pole_state_node", "node"),
)

received = Table(
    "received",
    metadata,
    Column("node", String(63), primary_key=True),
    Column("epoch", String(36), primary_key=True),
    Column("ranges", JSON, nullable=False, comment="[[first, last], …] of committed seqs, ascending"),
)

node_event = Table(
    "node_event",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("node", String(63), nullable=False),
    Column("epoch", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("pole", String(31)),
    Column("kind", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("clock", String(16), nullable=False),
    Column("historical", Boolean, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("camera", String(31)),
    Column("active", Boolean),
    Index("uq_node_event_node_epoch_seq", "node", "epoch", "seq", unique=True),
    Index("ix_node_event_pole", "pole"),
    Index("ix_node_event_node_kind", "node", "kind"),
    sqlite_autoincrement=True,
)

reject = Table(
    "reject",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("topic", Text, nullable=False),
    Column("node", String(63)),
    Column("epoch", String(36)),
    Column("seq", BigInteger),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("size", Integer, nullable=False, comment="bytes of the whole payload"),
    Column("sha256", String(64), nullable=False, comment="of the whole payload"),
    Column("payload", LargeBinary, nullable=False, comment="its first 16 kB"),
    Index("ix_reject_node", "node"),
    Index("ix_reject_sha256", "sha256"),
    sqlite_autoincrement=True,
)

reject_count = Table(
    "reject_count",
    metadata,
    Column("node", String(63), primary_key=True, comment="empty: no node of the registry"),
    Column("reason", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)

telemetry_outbox = Table(
    "telemetry_outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("points", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="msgpack array of telemetry points"),
    Column("worker", String(24), nullable=False, server_default="", comment="who drains and restores it"),
    Index("ix_telemetry_outbox_worker", "worker"),
    # Without it SQLite hands an id out again once its row is drained, and a batch id must mean one batch.
    sqlite_autoincrement=True,
)

ingest_worker = Table(
    "ingest_worker",
    metadata,
    Column("name", String(24), primary_key=True),
    Column("alive_until", UtcDateTime, nullable=False),
)

ingest_lease = Table(
    "ingest_lease",
    metadata,
    Column("commune", String(63), primary_key=True),
    Column("worker", String(24)),
    Column("token", BigInteger, nullable=False),
)

ingest_stat = Table(
    "ingest_stat",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", JSON, nullable=False),
)
