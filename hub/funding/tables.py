"""The ledger's tables. Rows are only ever added: triggers refuse UPDATE and DELETE (see `triggers.py`).

`contributor` alone may change, because a person has the right to be forgotten while the amounts stay.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
)

from hub.db import BigId, UtcDateTime, metadata

contributor = Table(
    "contributor",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("name", String(160)),  # null: never told, or erased
    Column("name_public", Boolean, nullable=False),
    Column("consent_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    CheckConstraint("name_public = false OR consent_at IS NOT NULL", name="consent_is_recorded"),
)

ledger_account = Table(
    "ledger_account",
    metadata,
    Column("code", String(80), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("pole", String(31), index=True),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),  # the place in the chain, from 1, no gaps
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("reverses_id", BigId, ForeignKey("ledger_entry.id"), unique=True),
    Column("contributor_kind", String(24)),
    Column("contributor_id", String(36)),
    Column("description", String(300), nullable=False),
    Column("memo", String(300), nullable=False),
    Column("by", String(64), nullable=False),
    Column("prev_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal_names_its_entry"),
)

ledger_transfer = Table(
    "ledger_transfer",
    metadata,
    Column("entry_id", BigId, ForeignKey("ledger_entry.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("debit_account", String(80), ForeignKey("ledger_account.code"), nullable=False, index=True),
    Column("credit_account", String(80), ForeignKey("ledger_account.code"), nullable=False, index=True),
    Column("amount_vnd", BigInteger, nullable=False),
    Column("pole", String(31), nullable=False, index=True),
    CheckConstraint("amount_vnd > 0", name="amount_is_positive"),
    CheckConstraint("debit_account <> credit_account", name="two_accounts"),
)

APPEND_ONLY = (ledger_account, ledger_entry, ledger_transfer)
