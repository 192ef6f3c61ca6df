"""The migrations build exactly what the tables say, on both databases, whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, inspect, text

from hub.db import metadata, open_database
from hub.migrations import runner
from tests.support.hub_world import NIGHT, incident_opens, register
from tests.support.postgres import Postgres


def test_migrations_build_what_the_tables_say(engine: Engine) -> None:
    runner.load_tables()
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_are_the_same_in_migrations_and_tables(engine: Engine) -> None:
    runner.load_tables()
    built = inspect(engine)
    for table in metadata.sorted_tables:
        checks = {one["name"] for one in built.get_check_constraints(table.name)}
        declared = {one.name for one in table.constraints if isinstance(one, CheckConstraint)}
        assert checks == declared, table.name
        assert built.get_pk_constraint(table.name)["constrained_columns"] == [
            column.name for column in table.primary_key.columns
        ], table.name


def test_versions_are_one_line_and_stand_in_the_names_of_their_files() -> None:
    scripts = ScriptDirectory(str(Path(runner.__file__).parent))
    line = [script.revision for script in scripts.walk_revisions()]
    assert line[::-1] == list(runner.versions())
    assert scripts.get_current_head() == runner.head()


def test_a_start_with_a_current_database_does_not_load_alembic(sqlite_engine: Engine) -> None:
    code = (
        "import sys; from hub.db import open_database; from hub.migrations.runner import upgrade; "
        f"upgrade(open_database({str(sqlite_engine.url)!r})); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_upgrade_of_a_current_database_changes_nothing(engine: Engine) -> None:
    runner.upgrade(engine)
    with engine.connect() as conn:
        assert runner.current(conn) == runner.head()


def test_two_processes_may_migrate_at_once(tmp_path: Path, postgres: Postgres) -> None:
    for url in (f"sqlite:///{tmp_path / 'new.db'}", postgres.new_database()):
        engines = [open_database(url) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(runner.upgrade, engines)) == [None, None, None]
        with engines[0].connect() as conn:
            assert runner.current(conn) == runner.head()
        for engine in engines:
            engine.dispose()


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, postgres: Postgres) -> None:
    for url in (f"sqlite:///{tmp_path / 'half.db'}", postgres.new_database()):
        engine = open_database(url)
        with engine.begin() as conn:
            conn.execute(text("CREATE TABLE ledger_account (code text)"))  # in the way of version 0003
        with pytest.raises(Exception, match="ledger_account"):
            runner.upgrade(engine)
        assert inspect(engine).get_table_names() == ["ledger_account"]
        engine.dispose()


def test_incidents_from_before_communes_were_noted_get_theirs(engine: Engine) -> None:
    register(engine)
    with engine.begin() as conn:
        lamp = incident_opens(conn, 1, NIGHT, commune="")
        node = incident_opens(conn, 2, NIGHT, "communication_failure", commune="")
        strange = incident_opens(conn, 3, NIGHT, commune="", pole="XX-0001")
        config = Config()
        config.set_main_option("script_location", str(Path(runner.__file__).parent).replace("%", "%%"))
        config.attributes["connection"] = conn
        command.downgrade(config, "0012")
    runner.upgrade(engine)
    with engine.connect() as conn:
        found = {row.id: row.commune for row in conn.execute(text("SELECT id, commune FROM incident"))}
    assert found == {lamp: "tram-than", node: "tram-than", strange: ""}


def test_a_newer_database_is_refused_with_what_to_do(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(runner.MigrationError, match=r"9999.*install the newer program"):
        runner.upgrade(engine)
