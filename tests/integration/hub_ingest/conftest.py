"""Databases for the ingest's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from hub.db import open_database
from tests.integration.hub_ingest.rig import Rig
from tests.support.hub_databases import (
    database_url,
    engine,
    migrated_postgres,
    migrated_sqlite,
    postgres,
    sqlite_engine,
)
from tests.support.influxd import Influxd, influxd_18
from tests.support.influxd2 import Influxd2
from tests.support.postgres import Postgres

__all__ = [
    "database_url",
    "engine",
    "influxd",
    "influxd_1_8",
    "influxd_2",
    "migrated_postgres",
    "migrated_sqlite",
    "postgres",
    "postgres_rig",
    "rig",
    "sqlite_engine",
]


@pytest.fixture
def rig(engine: Engine) -> Iterator[Rig]:
    """A committer without a broker on a real database, once per kind of database."""
    made = Rig(engine)
    yield made
    made.close()


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB 1.x."""
    with Influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture(scope="module")
def influxd_1_8(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB 1.8.10."""
    with Influxd(tmp_path_factory.mktemp("influxd18"), program=influxd_18()) as server:
        yield server


@pytest.fixture(scope="module")
def influxd_2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd2]:
    """A real InfluxDB 2.7."""
    with Influxd2(tmp_path_factory.mktemp("influxd2")) as server:
        yield server


@pytest.fixture
def postgres_rig(postgres: Postgres, migrated_postgres: str) -> Iterator[Rig]:
    """The same on PostgreSQL alone."""
    opened = open_database(postgres.new_database(migrated_postgres))
    made = Rig(opened)
    yield made
    made.close()
    opened.dispose()
