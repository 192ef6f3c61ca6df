"""`ngonden hub backup-check`: whether what may be lost is no more than was promised."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text
from typer.testing import CliRunner

from hub.api.metrics import registry_of
from hub.backup.make import Wanted, make_point
from hub.backup.restore import Target, restore
from hub.cli import app
from hub.db import open_database
from hub.settings import load_settings
from hub.telemetry.embedded import EmbeddedStore
from tests.integration.hub_backup.guide import archiving
from tests.support.hub_world import register
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers


def settings_file(folder: Path, database: str) -> Path:
    """A hub's settings with this database and an embedded telemetry store."""
    EmbeddedStore(folder / "telemetry.db").close()
    file = folder / "hub.toml"
    file.write_text(f'database = "{database}"\ntelemetry = "sqlite:///telemetry.db"\n')
    return file


def asked(file: Path, *words: object) -> tuple[int, Any]:
    """The command's status, and what it says as JSON."""
    done = CliRunner().invoke(app, ["backup-check", "--config", str(file), "--json", *map(str, words)])
    return done.exit_code, json.loads(done.stdout)


def test_a_folder_of_backups_holds_while_the_newest_is_young(database_url: str, tmp_path: Path) -> None:
    engine = open_database(database_url)
    register(engine, 1)
    engine.dispose()
    file, backups = settings_file(tmp_path, database_url), tmp_path / "backups"
    status, said = asked(file, "--to", backups)
    assert (status, said["lost_s"]) == (1, {"hub": None, "telemetry": None})

    def back_up(ago: timedelta) -> None:
        make_point(load_settings(file), Wanted(backups), now=datetime.now(UTC) - ago)

    back_up(timedelta(minutes=10))
    status, said = asked(file, "--to", backups)
    assert status == 1
    assert 600 <= said["lost_s"]["hub"] < 660
    assert asked(file, "--to", backups, "--at-most", "1h")[0] == 0
    back_up(timedelta(0))
    status, said = asked(file, "--to", backups)
    assert (status, said["holds"]) == (0, True)
    assert {(one["of"], one["by"]) for one in said["standings"]} == {
        ("hub", "backup"),
        ("telemetry", "backup"),
    }
    nothing = CliRunner().invoke(app, ["backup-check", "--config", str(file), "--to", str(tmp_path / "no")])
    assert (nothing.exit_code, "KHÔNG đạt" in nothing.output) == (1, True)
    shown = CliRunner().invoke(app, ["backup-check", "--config", str(file), "--to", str(backups)])
    assert (shown.exit_code, "Đạt: mất tối đa 5m." in shown.output) == (0, True)


def test_a_database_that_nobody_archives_is_not_left_out(database_url: str, tmp_path: Path) -> None:
    file = settings_file(tmp_path, database_url)
    words = ["backup", "--config", str(file), "--to", str(tmp_path / "backups"), "--telemetry-only"]
    refused = CliRunner().invoke(app, words)
    assert (refused.exit_code, "archive_mode" in refused.output) == (2, True)


def test_an_archive_counts_with_a_base_backup_and_tells_what_it_could_not_take(tmp_path: Path) -> None:
    with archiving(archive_timeout="240") as here:
        file = settings_file(tmp_path, here.url)
        bases = here.server.folder("bases")
        status, said = asked(file, "--bases", bases)
        assert (status, said["lost_s"]["hub"], said["base_at"]) == (1, None, None)
        here.base_backup(bases / "2026-11-28")
        engine = open_database(here.url)
        switch = text("SELECT pg_switch_wal()")

        def lost_s() -> int | None:
            found: int | None = asked(file, "--bases", bases)[1]["lost_s"]["hub"]
            return found

        wait_until(lambda: lost_s() is not None, what="the archive to begin", limit_s=60)
        assert asked(file, "--bases", bases)[0] == 1, "telemetry has nothing to come back by"
        wanted = Wanted(tmp_path / "backups", telemetry_only=True)
        made = make_point(load_settings(file), wanted, now=datetime.now(UTC))
        assert [part.name for part in made.manifest.parts] == ["telemetry"]
        assert restore(wanted.folder, made, Target(tmp_path / "new"), None) == [
            str(tmp_path / "new" / "telemetry.db")
        ]
        status, said = asked(file, "--bases", bases, "--to", tmp_path / "backups")
        assert (status, [(one["of"], one["by"]) for one in said["standings"]]) == (
            0,
            [("telemetry", "backup"), ("hub", "archive")],
        )

        with engine.connect() as conn:
            figures = generate_latest(registry_of(conn, datetime.now(UTC), backup_folder=None)).decode()
        lines = [line for line in figures.splitlines() if line.startswith("ngonden_backup_age_seconds{")]
        assert len(lines) == 1
        assert lines[0].startswith('ngonden_backup_age_seconds{by="archive",of="hub"} ')
        assert 0 <= float(lines[0].split()[1]) < 240

        here.archive.rename(here.archive.with_name("unplugged"))
        with engine.connect() as conn:
            register(engine, 1)
            conn.execute(switch)
        wait_until(
            lambda: asked(file, "--bases", bases)[1]["archive_failing"] is not None,
            what="the archive's fault to be told",
            limit_s=60,
        )
        engine.dispose()
        old = (datetime.now(UTC) - timedelta(days=9)).timestamp()
        os.utime(bases / "2026-11-28" / "backup_manifest", (old, old))
        shown = CliRunner().invoke(app, ["backup-check", "--config", str(file), "--bases", str(bases)])
        assert shown.exit_code == 1
        assert "Không lưu được tệp nhật ký" in shown.output
        assert "Không có bản sao nền" in shown.output
