"""Every command explains itself with an example, and the front door opens without any room's libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

import ngonden

ROOT = Path(__file__).parents[2]


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*words, name))


def _all_commands() -> list[tuple[str, ...]]:
    return [
        words
        for room in ngonden.ROOMS
        for words in _commands(typer.main.get_command(ngonden.open_room(room)), (room,))
    ]


@pytest.mark.parametrize("words", _all_commands(), ids=" ".join)
def test_a_commands_help_ends_with_an_example(words: tuple[str, ...]) -> None:
    app = ngonden.open_room(words[0])
    shown = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, [*words[1:], "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Example" in shown.output
    assert "ngonden " + words[0] in shown.output


def test_the_front_door_opens_without_any_rooms_libraries() -> None:
    program = (
        "import sys\n"
        "class Closed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        closed = {'aiomqtt', 'paho', 'fastapi', 'sqlalchemy', 'cryptography', 'msgspec'}\n"
        "        if name.split('.')[0] in closed:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Closed())\n"
        "import ngonden\n"
        "sys.argv = ['ngonden', *sys.argv[1:]]\n"
        "ngonden.main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *words],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )

    listing = run("--help")
    assert listing.returncode == 0
    assert all(room in listing.stdout for room in ngonden.ROOMS)

    refused = run("hub", "--help")
    assert refused.returncode == 2
    assert "pip install 'ngonden[hub]'" in refused.stderr
