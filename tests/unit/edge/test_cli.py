import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edge.runner import seconds_since_process_start
from edge.version import AGENT_VERSION

ROOT = Path(__file__).parents[3]


def ngonden(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ngonden", "edge", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=ROOT,
    )


def test_help_gives_an_example() -> None:
    result = ngonden("--help")
    assert result.returncode == 0
    assert "Example: ngonden edge --config /etc/ngonden/node.toml" in result.stdout


def test_without_a_configuration_it_says_what_is_missing() -> None:
    result = ngonden()
    assert result.returncode == 2
    assert "ngonden edge --config /etc/ngonden/node.toml" in result.stderr


def test_a_bad_configuration_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text('node = "tg-0001"\nbroker = 5\n')
    result = ngonden("--config", str(path))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert str(path) in result.stderr
    assert "broker" in result.stderr


def test_the_lean_module_refuses_other_arguments() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "edge", "--verbose"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=ROOT,
    )
    assert result.returncode == 1
    assert "usage: python -m edge --config" in result.stderr


def test_the_lamps_path_loads_no_network_storage_or_logging_library() -> None:
    code = (
        "import sys, edge.runner, edge.config, edge.devices, edge.lamp.lighting, edge.clock\n"
        "heavy = {'aiomqtt', 'paho', 'sqlite3', 'structlog', 'asyncio', 'gpiozero', 'typer', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_reported_version_is_the_distributions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == AGENT_VERSION


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_the_age_of_a_process_is_counted_from_its_start() -> None:
    first_s = seconds_since_process_start()
    assert 0 < first_s < 3600
    assert seconds_since_process_start() >= first_s
