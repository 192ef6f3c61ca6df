"""The timer and the service of backups: systemd understands them, and the command takes their words."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import typer.main
from click import Command

from hub.cli import app
from tests.contract.test_service_files import MOST_EXPOSED, settings
from tests.support.servers import require_program

SYSTEMD = Path(__file__).parents[2] / "packaging" / "systemd"
UNIT = SYSTEMD / "ngonden-backup.service"
TIMER = SYSTEMD / "ngonden-backup.timer"


def _here(folder: Path) -> list[str]:
    """Both units with a program that exists on this machine."""
    for path in (UNIT, TIMER):
        text = path.read_text(encoding="utf-8").replace("/opt/ngonden/bin/python", "/bin/true")
        (folder / path.name).write_text(text)
    return [str(folder / UNIT.name), str(folder / TIMER.name)]


def test_systemd_understands_every_line_and_finds_it_little_exposed(tmp_path: Path) -> None:
    program = require_program("systemd-analyze")
    units = _here(tmp_path)
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    command = [program, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", units[0]]
    rated = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert rated.returncode == 0, rated.stdout


def test_no_more_than_five_minutes_are_lost() -> None:
    timer = settings(TIMER)
    every = re.fullmatch(r"\*:0/(\d+)", timer["OnCalendar"][0])
    assert every is not None
    # A minute is left for the next one to be made: until it stands, the one before is what there is.
    assert int(every[1]) <= 4
    assert 60 % int(every[1]) == 0, "else the last turn of the hour is another"
    assert timer["Persistent"] == ["yes"]


def test_the_command_takes_the_services_words() -> None:
    words = shlex.split(settings(UNIT)["ExecStart"][0])
    assert words[1:5] == ["-I", "-m", "ngonden", "hub"]
    group = typer.main.get_command(app)
    command: Command = group.commands[words[5]]  # type: ignore[attr-defined]
    command.make_context("backup", words[6:])
    written = settings(UNIT)["ReadWritePaths"][0].split()
    assert f"-{words[words.index('--to') + 1]}" in written
