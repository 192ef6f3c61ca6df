"""Killed at every step of an update in turn: the old or the new agent starts, for real."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

import pytest

from edge.update.install import begin_trial, install
from edge.update.launch import CURRENT, FAILED, PREVIOUS, TRIAL, Trial, point, pointed_at, read_record
from edge.update.trial import commit
from tests.support.releases import Machine, release_file

INSTALL = """
from edge.update.install import install, begin_trial
name = install(releases, Path(arguments[0]), sha256=arguments[1], step=step)
begin_trial(releases, name, starts_allowed=3, trial_s=600, step=step)
"""
PICK = """
from edge.update.launch import pick
pick(releases, boot="this", now_s=5.0, step=step)
"""
COMMIT = """
from edge.update.launch import TRIAL, Trial, end_trial, read_record
from edge.update.trial import commit
commit(releases, read_record(releases / TRIAL, Trial), step)
end_trial(releases, step)
"""
ROLL_BACK = """
from edge.update.launch import roll_back
roll_back(releases, arguments[0], "for a test", step)
"""
GO_BACK = """
from edge.update.trial import go_back
go_back(releases, step)
"""
MOST_STEPS = 40


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.prepare()
    return machine


def put(machine: Machine, version: str) -> str:
    file, digest = release_file(machine.home / "files", version)
    return install(machine.releases, file, sha256=digest)


def test_killed_while_it_is_installed(machine: Machine) -> None:
    old = put(machine, "1.0")
    point(machine.releases, CURRENT, old)
    file, digest = release_file(machine.home / "files", "2.0")
    started = []
    for step in range(MOST_STEPS):
        died = machine.run_killed_at(step, INSTALL, str(file), digest)
        started.append(machine.start())
        (machine.releases / TRIAL).unlink(missing_ok=True)
        for folder in machine.releases.glob("2.0-*"):
            rmtree(folder)
        if not died:
            break
    assert not died
    assert len(started) >= 9
    assert set(started) <= {"1.0", "2.0"}
    assert started[0] == "1.0"
    assert started[-1] == "2.0"
    assert not list(machine.releases.glob(".new-*"))


@pytest.mark.parametrize("starts", [0, 3], ids=["while a start is counted", "while it is rolled back"])
def test_killed_in_the_launcher(machine: Machine, starts: int) -> None:
    point(machine.releases, CURRENT, put(machine, "1.0"))
    new = put(machine, "2.0")
    for step in range(MOST_STEPS):
        begin_trial(machine.releases, new, starts_allowed=starts, trial_s=600)
        died = machine.run_killed_at(step, PICK)
        assert machine.start() == ("2.0" if starts else "1.0")
        if not died:
            break
    assert step >= 3


@pytest.mark.parametrize("old", ["", "1.0"], ids=["after the package", "after a release"])
def test_killed_while_it_is_committed(machine: Machine, old: str) -> None:
    first = put(machine, old) if old else ""
    new = put(machine, "2.0")
    for step in range(MOST_STEPS):
        point(machine.releases, CURRENT, first)
        point(machine.releases, PREVIOUS, "")
        begin_trial(machine.releases, new, starts_allowed=3, trial_s=600)
        assert machine.start() == "2.0"
        died = machine.run_killed_at(step, COMMIT)
        assert machine.start() == "2.0"
        # However often it starts from here on: before the pointer moved the trial may yet fail …
        committed = pointed_at(machine.releases, CURRENT) == new
        begun = [machine.start() for _ in range(3)]
        assert begun[-1] == ("2.0" if committed else old or "base")
        if not died:
            break
    assert committed
    assert step >= 5


def test_killed_while_it_is_rolled_back(machine: Machine) -> None:
    point(machine.releases, CURRENT, put(machine, "1.0"))
    new = put(machine, "2.0")
    for step in range(MOST_STEPS):
        begin_trial(machine.releases, new, starts_allowed=3, trial_s=600)
        died = machine.run_killed_at(step, ROLL_BACK, new)
        assert machine.start() == ("2.0" if (machine.releases / TRIAL).exists() else "1.0")
        if not died:
            break
    assert step >= 4
    assert machine.start() == "1.0"
    assert new in (machine.releases / FAILED).read_text()


def test_killed_while_someone_goes_back_by_hand(machine: Machine) -> None:
    old, new = put(machine, "1.0"), put(machine, "2.0")
    for step in range(MOST_STEPS):
        point(machine.releases, CURRENT, new)
        point(machine.releases, PREVIOUS, old)
        died = machine.run_killed_at(step, GO_BACK)
        assert machine.start() in {"1.0", "2.0"}
        if not died:
            break
    assert step >= 4
    assert machine.start() == "1.0"


def test_a_release_that_crashes_at_its_start_is_given_up(machine: Machine) -> None:
    point(machine.releases, CURRENT, put(machine, "1.0"))
    crash = 'import sys\nif "--check" not in sys.argv:\n    import a_library_that_is_missing\n'
    file, digest = release_file(machine.home / "files", "2.0", main=crash)
    name = install(machine.releases, file, sha256=digest)
    begin_trial(machine.releases, name, starts_allowed=3, trial_s=600)
    assert [machine.start() for _ in range(5)] == ["", "", "", "1.0", "1.0"]


def test_a_release_whose_folder_was_lost_leaves_the_one_before(machine: Machine) -> None:
    old, new = put(machine, "1.0"), put(machine, "2.0")
    point(machine.releases, CURRENT, old)
    begin_trial(machine.releases, new, starts_allowed=3, trial_s=600)
    commit(machine.releases, _trial(machine))
    (machine.releases / new / "app/edge/__main__.py").unlink()
    assert machine.start() == "1.0"
    (machine.releases / old / "app/edge/__main__.py").unlink()
    assert machine.start() == "base"


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b'{"release": 5', b'{"surprise": 1}', b"[]"])
def test_a_spoilt_record_starts_the_current_release(machine: Machine, content: bytes) -> None:
    point(machine.releases, CURRENT, put(machine, "1.0"))
    (machine.releases / TRIAL).write_bytes(content)
    assert machine.start() == "1.0"


def test_settings_nobody_can_read_start_the_package(machine: Machine) -> None:
    machine.config.write_text("not TOML at all")
    assert machine.start() == "base"


def _trial(machine: Machine) -> Trial:
    trial = read_record(machine.releases / TRIAL, Trial)
    assert isinstance(trial, Trial)
    return trial
