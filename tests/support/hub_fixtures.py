"""Fixtures of the hub's registry, access, funding and API: `from tests.support.hub_fixtures import *`."""

from tests.support.hub_api import office, sqlite_office
from tests.support.hub_databases import (
    database_url,
    engine,
    migrated_postgres,
    migrated_sqlite,
    postgres,
    sqlite_engine,
)

__all__ = [
    "database_url",
    "engine",
    "migrated_postgres",
    "migrated_sqlite",
    "office",
    "postgres",
    "sqlite_engine",
    "sqlite_office",
]
