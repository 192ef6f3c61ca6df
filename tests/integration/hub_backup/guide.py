"""PostgreSQL's archive as docs/backup.md has it set up: the page's own settings and commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.db import open_database
from hub.migrations.runner import upgrade
from tests.integration.hub_backup.books import plan
from tests.support.hub_world import register
from tests.support.postgres import Postgres

PAGE = Path(__file__).parents[3] / "docs" / "backup.md"


@dataclass(frozen=True)
class Guide:
    """What the page says: settings as `name=value`, the lines of shell, and the settings of a recovery."""

    archiving: dict[str, str]
    commands: list[str]
    recovery: dict[str, str]


def guide() -> Guide:
    """The three blocks of code under their heading."""
    part = PAGE.read_text(encoding="utf-8").split("\n## PostgreSQL to any second\n")[1].split("\n## ")[0]
    archiving, commands, recovery = re.findall(r"^```(?:sh)?\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    return Guide(_settings(archiving), commands.splitlines(), _settings(recovery))


def _settings(block: str) -> dict[str, str]:
    pairs = (line.split(" = ", 1) for line in block.splitlines())
    return {name: value.strip("'") for name, value in pairs}


@dataclass(frozen=True)
class Archived:
    """A server that archives as the page says, in folders of its own."""

    server: Postgres
    archive: Path
    url: str

    def base_backup(self, base: Path) -> None:
        """Run the page's commands into a folder that does not exist yet, or is empty."""
        for line in guide().commands:
            program, *words = shlex.split(line.replace("/var/backups/ngonden-base/$(date +%F)", str(base)))
            port = ["-p", str(self.server.port)] if program == "pg_basebackup" else []
            self.server.run(program, *words, *port)

    def segments(self) -> list[str]:
        """The names of the log files in the archive, oldest first."""
        return sorted(
            path.name for path in self.archive.iterdir() if re.fullmatch("[0-9A-F]{24}", path.name)
        )

    def come_back(self, base: Path, **moment: str) -> Postgres:
        """Another server as the page says, not started yet."""
        settings = guide().recovery
        del settings["recovery_target_time"]
        settings["restore_command"] = settings["restore_command"].replace(
            "/var/backups/ngonden-wal", str(self.archive)
        )

        def bring(other: Postgres, data: Path) -> None:
            other.take_over(base, data)
            (data / "recovery.signal").touch()

        return Postgres(settings=[f"{k}={v}" for k, v in {**settings, **moment}.items()], prepare=bring)


@contextmanager
def archiving(**changes: str) -> Iterator[Archived]:
    """A server with the page's settings and a migrated database: a commune's poles, an entry in the books."""
    settings = {**guide().archiving, "basic_archive.archive_directory": "{folder}/archive", **changes}
    server = Postgres(settings=[f"{name}={value}" for name, value in settings.items()])
    archive = server.folder("archive")
    with server:
        url = server.new_database()
        engine = open_database(url)
        upgrade(engine)
        register(engine, 3)
        plan(engine, "k-1")
        engine.dispose()
        yield Archived(server, archive, url)
