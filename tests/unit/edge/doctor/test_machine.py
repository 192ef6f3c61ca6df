"""What the machine tells of itself, from a folder made like a Pi's."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.doctor import clock
from edge.doctor.findings import Finding, Patient, exit_code, fault, fine, left_out, warning
from edge.doctor.machine import THROTTLED_FILES, check_disk, check_heat, check_power
from edge.doctor.run import Check, limited
from tests.support.nodes import node_config


@pytest.fixture(name="pi")
def _pi(tmp_path: Path) -> Patient:
    (tmp_path / "data").mkdir()
    return Patient(node_config(tmp_path / "data"), root=tmp_path)


def write(pi: Patient, path: str, text: str) -> None:
    (pi.root / path).parent.mkdir(parents=True, exist_ok=True)
    (pi.root / path).write_text(text)


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


@pytest.mark.parametrize(
    ("bits", "level"), [("0x0", "fine"), ("50005", "fault"), ("0x50000", "warning"), ("40000", "warning")]
)
@pytest.mark.parametrize("file", THROTTLED_FILES)
def test_a_weak_supply_is_told(pi: Patient, bits: str, level: str, file: str) -> None:
    write(pi, file, f"{bits}\n")
    (found,) = check_power(pi)
    assert found.level == level
    assert bool(found.advice.vi) == (level != "fine")


def test_a_machine_without_that_word_is_left_out(pi: Patient) -> None:
    assert levels(check_power(pi)) == levels(check_heat(pi)) == ["left_out"]


@pytest.mark.parametrize(("celsius", "level"), [(45, "fine"), (74, "warning"), (83, "fault")])
def test_heat(pi: Patient, celsius: int, level: str) -> None:
    write(pi, "sys/class/thermal/thermal_zone0/temp", f"{celsius * 1000}\n")
    (found,) = check_heat(pi)
    assert found.level == level
    assert f"{celsius} °C" in found.found.en


def test_errors_of_the_file_system_are_a_fault(pi: Patient) -> None:
    write(pi, "sys/fs/ext4/mmcblk0p1/errors_count", "0\n")
    write(pi, "sys/fs/ext4/mmcblk0p2/errors_count", "3\n")
    (found,) = [finding for finding in check_disk(pi) if finding.level == "fault"]
    assert "mmcblk0p2: 3 errors" in found.found.en


@pytest.mark.parametrize(("mb", "level"), [(120, "fine"), (900, "warning")])
def test_writes_of_a_day_are_reckoned_from_the_boot(pi: Patient, mb: int, level: str) -> None:
    device = os.stat(pi.config.data_dir).st_dev
    sectors = mb * 1_000_000 // 512 // 2
    write(pi, "proc/uptime", f"{43_200.0} 1.0\n")
    numbers = f"{os.major(device)} {os.minor(device)}"
    write(pi, "proc/diskstats", f"   {numbers} mmcblk0p2 1 2 3 4 5 6 {sectors} 8 9 10 11\n")
    (found,) = [finding for finding in check_disk(pi) if "a day" in finding.found.en]
    assert found.level == level
    assert f"about {mb} MB" in found.found.en


def test_a_quarter_of_an_hour_says_nothing_of_a_day(pi: Patient) -> None:
    device = os.stat(pi.config.data_dir).st_dev
    write(pi, "proc/uptime", "900.0 1.0\n")
    write(
        pi,
        "proc/diskstats",
        f"{os.major(device)} {os.minor(device)} mmcblk0p2 1 2 3 4 5 6 9999999 8 9\n",
    )
    assert [finding for finding in check_disk(pi) if "a day" in finding.found.en] == []


NOW = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "synced", "error_s", "level"),
    [
        (NOW, True, 0.01, "fine"),
        (NOW, True, None, "fine"),
        (NOW, True, 4.0, "warning"),
        (NOW, False, 16.0, "warning"),
        (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), False, None, "fault"),
        (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), True, None, "fault"),
    ],
)
def test_the_clock(now: datetime, synced: bool, error_s: float | None, level: str) -> None:
    assert levels(clock.judge(now=now, synced=synced, error_s=error_s, uptime_s=200.0)) == [level]


def test_this_machines_own_clock_is_asked(pi: Patient) -> None:
    assert levels(clock.check_clock(pi)) == ["fine"], "the configuration says that it can be trusted"


def test_a_check_that_hangs_or_breaks_takes_nothing_from_the_others(pi: Patient) -> None:
    import threading

    never = threading.Event()

    def hang(_: Patient) -> list[Finding]:
        never.wait()
        return []

    def break_(_: Patient) -> list[Finding]:
        raise ZeroDivisionError("a bug")

    (slow,) = limited(Check("slow", hang, 0.05), pi)
    (broken,) = limited(Check("broken", break_, 5), pi)
    never.set()
    assert "no end within" in slow.found.en
    assert "ZeroDivisionError: a bug" in broken.found.en


def test_the_exit_code_is_the_worst_of_all() -> None:
    good, bad, worse, none = (
        fine("a", "", ""),
        warning("a", "", ""),
        fault("a", "", ""),
        left_out("a", "", ""),
    )
    assert [exit_code(found) for found in ([], [good, none], [good, bad], [bad, worse, good])] == [
        0,
        0,
        1,
        2,
    ]
