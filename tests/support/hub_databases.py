"""Migrated databases for tests, SQLite and PostgreSQL alike: made once, then copied for every test.

Import the fixtures into a `conftest.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.db import open_database
from hub.migrations.runner import upgrade
from tests.support.postgres import Postgres

BOTH = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of a run."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as conn:
        conn.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The name of a migrated PostgreSQL database to copy."""
    url = postgres.new_database()
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    return url.rpartition("/")[2]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database's address, once per kind of database."""
    if request.param == "sqlite":
        return _sqlite_copy(request, tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("migrated_postgres")
    return server.new_database(template)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty database, once per kind of database."""
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty SQLite database, where the kind of database does not matter."""
    opened = open_database(_sqlite_copy(request, tmp_path))
    yield opened
    opened.dispose()


def _sqlite_copy(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    template: Path = request.getfixturevalue("migrated_sqlite")
    shutil.copy(template, tmp_path / "hub.db")
    return f"sqlite:///{tmp_path / 'hub.db'}"
