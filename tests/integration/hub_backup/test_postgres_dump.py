"""PostgreSQL by its own programs, real."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.backup.make import Wanted, make_point
from hub.settings import HubSettings
from tests.support.postgres import Postgres

pytestmark = pytest.mark.servers

NOON = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
EPOCH = "6f2d5c5e-9a5c-4a51-8c4c-0d5c1a2b3c4d"


def test_postgresql_programs_that_fail_are_told_in_their_words(
    postgres: Postgres, migrated_postgres: str, tmp_path: Path
) -> None:
    url = postgres.new_database(migrated_postgres)
    hub = HubSettings(database=url.replace("ngonden@", "nobody@"), telemetry=f"sqlite:///{tmp_path}/t.db")
    with pytest.raises(Exception, match="nobody"):
        make_point(hub, Wanted(tmp_path / "backups"), now=NOON)
    assert [one for one in (tmp_path / "backups").iterdir() if one.is_dir()] == []
