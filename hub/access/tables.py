"""The tables of access. Of every secret only a hash is kept: a stolen database signs in nobody."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Integer, String, Table

from hub.db import BigId, UtcDateTime, metadata

user = Table(
    "user",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # as typed at login, lower case
    Column("password_hash", String(255)),  # argon2id; null: this user can't sign in with a password yet
    Column("role", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("communes", JSON, nullable=False, server_default="[]"),  # codes; empty: the whole hub
    CheckConstraint("role IN ('admin', 'staff', 'viewer')", name="role"),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", BigId, ForeignKey("user.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

first_login = Table(
    "first_login",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

login_attempt = Table(
    "login_attempt",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("name", String(64), nullable=False, index=True),
    Column("address", String(64), nullable=False, index=True),
)
"""Failed logins of the last while; a success forgets those of its name."""

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("by", String(64), nullable=False),  # the user's name; empty for nobody signed in
    Column("address", String(64), nullable=False),
    Column("action", String(80), nullable=False),  # method and route, such as `POST /api/v1/session`
    Column("target", String(200), nullable=False),  # the path as called
    Column("status", Integer, nullable=False),  # the HTTP status that was answered
    Column("detail", JSON, nullable=False),
)
