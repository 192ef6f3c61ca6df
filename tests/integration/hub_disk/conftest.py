"""Databases and a broker for the tests of troubled disks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.hub_ingest.test_on_a_real_broker import BROKER
from tests.support.hub_databases import (
    database_url,
    engine,
    migrated_postgres,
    migrated_sqlite,
    postgres,
    sqlite_engine,
)
from tests.support.mosquitto import Mosquitto

__all__ = [
    "broker",
    "database_url",
    "engine",
    "migrated_postgres",
    "migrated_sqlite",
    "postgres",
    "sqlite_engine",
]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real mosquitto that holds whatever the hub does not take."""
    with Mosquitto(tmp_path / "mosquitto", config_lines=BROKER) as running:
        yield running
