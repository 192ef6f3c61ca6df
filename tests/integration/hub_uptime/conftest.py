"""Databases for the tests of uptime."""

from tests.support.hub_databases import (
    database_url,
    engine,
    migrated_postgres,
    migrated_sqlite,
    postgres,
    sqlite_engine,
)

__all__ = ["database_url", "engine", "migrated_postgres", "migrated_sqlite", "postgres", "sqlite_engine"]
