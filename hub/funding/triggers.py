"""The triggers that make the ledger append-only, as SQL for the migration that creates its tables.

SQLite: `INSERT OR REPLACE` deletes the old row without firing a delete trigger, so an insert over an
existing key is refused as well. PostgreSQL: TRUNCATE fires no row trigger, so a statement trigger refuses
it.
"""

from __future__ import annotations

REFUSAL = "the ledger is append-only: record a reversal instead"

_UNIQUE_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ledger_account": (("code",),),
    "ledger_entry": (("id",), ("idempotency_key",), ("reverses_id",), ("prev_hash",), ("hash",)),
    "ledger_transfer": (("entry_id", "n"),),
}


def create_statements(dialect: str) -> list[str]:
    """SQL statements that create the triggers; `dialect` is `sqlite` or `postgresql`."""
    if dialect == "sqlite":
        return [statement for table in _UNIQUE_KEYS for statement in _sqlite(table)]
    if dialect == "postgresql":
        return [_PG_FUNCTION, *(statement for table in _UNIQUE_KEYS for statement in _postgresql(table))]
    raise ValueError(f"no append-only triggers are written for the database {dialect!r}")


def _sqlite(table: str) -> list[str]:
    same = " OR ".join(
        "(" + " AND ".join(f"{column} = NEW.{column}" for column in key) + ")"
        for key in _UNIQUE_KEYS[table]
    )
    refuse = f"SELECT RAISE(ABORT, '{REFUSAL}');"
    exists = f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608  names from the constants above only
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse} END",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse} END",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS ({exists}) BEGIN {refuse} END",
    ]


_PG_FUNCTION = f"""
CREATE FUNCTION ngonden_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{REFUSAL}';
END $$
"""


def _postgresql(table: str) -> list[str]:
    call = "EXECUTE FUNCTION ngonden_ledger_is_append_only()"
    return [
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {call}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
    ]
