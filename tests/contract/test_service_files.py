"""The files that a node's system gets, against what the agent counts on."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge.watchdog import IN_TIME_S
from tests.support.servers import require_program

PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = PACKAGING / "systemd" / "ngonden-edge.service"
HARDWARE = PACKAGING / "systemd" / "system.conf.d" / "ngonden-watchdog.conf"
MOST_EXPOSED = 30
"""Tenths of systemd's own scale, on which 100 is a service without any protection."""


def settings(path: Path) -> Mapping[str, list[str]]:
    """Every setting of a unit file, in the order of its lines."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_service_is_ready_when_the_agent_says_so_and_never_given_up() -> None:
    unit = settings(UNIT)
    assert unit["Type"] == ["notify"]
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]


def test_the_watchdogs_time_bears_a_slow_turn_and_a_goodbye() -> None:
    unit = settings(UNIT)
    watchdog_s, stop_s = int(unit["WatchdogSec"][0]), int(unit["TimeoutStopSec"][0])
    # A turn is told at most every quarter of the time; one that is just in time may follow.
    assert watchdog_s / 4 + 2 * IN_TIME_S < watchdog_s
    assert 10 <= stop_s < watchdog_s


def test_the_service_may_ask_the_kernel_whether_the_clock_is_right() -> None:
    unit = settings(UNIT)
    assert "ProtectClock" not in unit, "it forbids adjtimex: every sample would be of an unsure clock"
    assert {"adjtimex", "clock_adjtime"} <= set(unit["SystemCallFilter"][0].split())
    assert "ProcSubset" not in unit, "it hides /proc/sys: no boot id"


def test_the_service_may_write_where_the_agent_writes() -> None:
    unit = settings(UNIT)
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["ReadWritePaths"] == ["-/var/lib/ngonden"]
    assert "StateDirectory" not in unit, "a read-only data partition would keep the agent from starting"
    assert unit["WorkingDirectory"] == ["/run/" + unit["RuntimeDirectory"][0]]
    assert unit["WorkingDirectory"][0] in unit["ExecStopPost"][0]
    assert 'data_dir = "/var/lib/ngonden"' in (PACKAGING.parent / "docs" / "edge-settings.md").read_text()


def test_the_hardware_watchdog_stays_within_what_the_hardware_counts() -> None:
    assert int(settings(HARDWARE)["RuntimeWatchdogSec"][0]) <= 15


@pytest.fixture
def unit_here(tmp_path: Path) -> Path:
    """The unit with a program that exists on this machine."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/ngonden/bin/python", "/bin/true"))
    return path


def test_systemd_understands_every_line(unit_here: Path) -> None:
    program = require_program("systemd-analyze")
    done = subprocess.run([program, "verify", str(unit_here)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_the_service_little_exposed(unit_here: Path) -> None:
    program = require_program("systemd-analyze")
    command = [program, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(unit_here)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
