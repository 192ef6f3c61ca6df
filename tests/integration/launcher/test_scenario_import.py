"""The scenario's files are taken in by the hub's own import, whole and without a word of complaint."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.db import open_database
from hub.funding.importing import import_entries
from hub.funding.reads import pole_funding, totals
from hub.migrations.runner import upgrade
from hub.registry.importing import import_registry
from hub.registry.reads import communes, known_nodes, poles
from simulators.files import ScenarioFiles, write_scenario_files
from simulators.scenario import commune_of, load_scenario

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> ScenarioFiles:
    scenario = load_scenario("trung-giap")
    return write_scenario_files(commune_of(scenario), tmp_path / "scenario", seed=scenario.seed)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    engine = open_database(f"sqlite:///{tmp_path}/hub.db")
    upgrade(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_the_whole_commune_comes_in(conn: Connection, files: ScenarioFiles) -> None:
    result = import_registry(conn, files.registry.read_bytes(), now=NOW)
    assert result.errors == ()
    assert result.ignored_columns == ()
    assert result.created == 219
    assert len(known_nodes(conn)) == 219
    assert communes(conn)[0].former_names == ("Trung Giáp",)
    assert sum(len(pole.cameras) for pole in poles(conn)) == 24
    assert len(poles(conn, query="trung giap")) == 219


def test_the_money_comes_in_and_adds_up_to_the_real_sum(conn: Connection, files: ScenarioFiles) -> None:
    import_registry(conn, files.registry.read_bytes(), now=NOW)
    result = import_entries(conn, files.funding.read_bytes(), by="test", now=NOW)
    assert result.errors == ()
    assert result.ignored_columns == ()
    sums = totals(conn)
    assert sums.received_vnd == 497_130_000
    assert 0 < sums.spent_vnd <= sums.received_vnd
    assert sums.balance_vnd == sums.received_vnd - sums.spent_vnd
    for pole in poles(conn):
        money = pole_funding(conn, pole.code)
        assert money.spent_vnd <= money.received_vnd, pole.code


def test_a_second_import_records_nothing_twice(conn: Connection, files: ScenarioFiles) -> None:
    for _ in range(2):
        registry = import_registry(conn, files.registry.read_bytes(), now=NOW)
        money = import_entries(conn, files.funding.read_bytes(), by="test", now=NOW)
    assert (registry.created, registry.unchanged) == (0, 219)
    assert money.recorded == 0
    assert totals(conn).received_vnd == 497_130_000
