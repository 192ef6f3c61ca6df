"""When a trial is over, and how: by the launcher's count, by the hub's word, by the time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.update.launch import (
    CURRENT,
    FAILED,
    PREVIOUS,
    TRIAL,
    Choice,
    Failed,
    Trial,
    choose,
    point,
    pointed_at,
    read_record,
    steady_s,
    write_record,
)
from edge.update.trial import TrialWatch, lamps_under_control

NEW = Trial("2.0-new", starts_allowed=3, trial_s=600)


def test_without_a_trial_the_current_release_starts() -> None:
    assert choose(None, current="1.0", boot="a", now_s=5, whole=False) == Choice("1.0")


def test_a_trial_counts_its_starts_and_then_gives_up() -> None:
    trial, started = NEW, []
    for _ in range(4):
        choice = choose(trial, current="1.0", boot="a", now_s=5, whole=True)
        started.append(choice.release)
        trial = choice.trial or trial
    assert started == ["2.0-new"] * 3 + ["1.0"]
    assert choice.rolled_back == "started 3 times without the hub's confirmation"


def test_a_trial_ends_at_its_deadline_whatever_the_wall_clock_says() -> None:
    first = choose(NEW, current="", boot="a", now_s=100, whole=True)
    assert first.trial is not None
    assert first.trial.deadline_s == 700
    assert choose(first.trial, current="", boot="a", now_s=699, whole=True).release == "2.0-new"
    assert choose(first.trial, current="", boot="a", now_s=700, whole=True).release == ""


def test_a_power_cut_in_the_trial_begins_its_time_again_but_counts_as_a_start() -> None:
    first = choose(NEW, current="", boot="a", now_s=5000, whole=True)
    second = choose(first.trial, current="", boot="b", now_s=7, whole=True)
    assert second.trial is not None
    assert (second.trial.deadline_s, second.trial.starts) == (607, 2)


def test_a_release_that_is_current_already_is_on_trial_no_more() -> None:
    assert choose(NEW, current="2.0-new", boot="a", now_s=5, whole=True) == Choice("2.0-new")


@dataclass
class Lamp:
    decision: object | None = "lit"
    output_fault: str | None = None


@pytest.mark.parametrize(
    ("lamps", "excused", "holds"),
    [
        ([Lamp(), Lamp()], [], True),
        ([Lamp(), Lamp(output_fault="silent board")], [], False),
        ([Lamp(), Lamp(output_fault="silent board")], ["TG-1"], True),
        ([Lamp(), Lamp(output_fault="silent board")], None, True),
        ([Lamp(output_fault="x"), Lamp(output_fault="x")], None, False),
        ([Lamp(), Lamp(decision=None)], None, False),
    ],
)
def test_what_counts_as_lamps_under_control(
    lamps: list[Lamp], excused: list[str] | None, holds: bool
) -> None:
    assert lamps_under_control({f"TG-{n}": lamp for n, lamp in enumerate(lamps)}, excused) is holds


class Run:
    """One run of a release on trial, with its folder and what it told."""

    def __init__(self, folder: Path, *, running: str, lamp: Lamp | None = None) -> None:
        self.folder = folder
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.confirmed = asyncio.Event()
        self.ended = asyncio.Event()
        self.watch = TrialWatch(
            folder,
            running=running,
            version="2.0",
            tell=self._tell,
            confirmed=self.confirmed,
            lights={"TG-0": lamp or Lamp()},
            start_anew=self.ended.set,
        )

    async def _tell(self, kind: str, detail: Mapping[str, object]) -> None:
        self.told.append((kind, detail))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name in ("0.9-older", "1.0-old", "2.0-new"):
        (tmp_path / name / "app/edge").mkdir(parents=True)
        (tmp_path / name / "app/edge/__main__.py").write_text("")
    point(tmp_path, CURRENT, "1.0-old")
    point(tmp_path, PREVIOUS, "0.9-older")
    return tmp_path


def begin(folder: Path, *, left_s: float, starts: int = 1) -> None:
    trial = NEW._replace(starts=starts, boot="a", deadline_s=steady_s() + left_s, excused=[])
    write_record(folder / TRIAL, trial)


async def test_the_hubs_word_commits_it(folder: Path) -> None:
    begin(folder, left_s=60)
    run = Run(folder, running="2.0-new")
    run.confirmed.set()
    await run.watch.run()
    assert run.kinds == ["agent_update_started", "agent_updated"]
    assert (pointed_at(folder, CURRENT), pointed_at(folder, PREVIOUS)) == ("2.0-new", "1.0-old")
    assert not (folder / TRIAL).exists()
    assert not (folder / "0.9-older").exists()
    assert not run.ended.is_set()


@pytest.mark.parametrize("confirmed", [False, True])
async def test_without_hub_or_without_lamps_it_goes_back(folder: Path, confirmed: bool) -> None:
    begin(folder, left_s=0)
    run = Run(folder, running="2.0-new", lamp=Lamp(output_fault="no such pin"))
    if confirmed:
        run.confirmed.set()
    await run.watch.run()
    assert run.ended.is_set()
    assert pointed_at(folder, CURRENT) == "1.0-old"
    failed = read_record(folder / FAILED, Failed)
    assert ("lamps" in failed.reason) is confirmed
    old = Run(folder, running="1.0-old")
    await old.watch.run()
    assert old.told == [("agent_rolled_back", {"release": "2.0-new", "reason": failed.reason})]
    await Run(folder, running="1.0-old").watch.run()
    again = Run(folder, running="1.0-old")
    await again.watch.run()
    assert again.told == [], "told once"


async def test_cut_between_the_pointer_and_the_hubs_hearing_of_it_is_told_after_all(folder: Path) -> None:
    begin(folder, left_s=-5)
    point(folder, CURRENT, "2.0-new")
    run = Run(folder, running="2.0-new")
    await run.watch.run()
    assert run.kinds == ["agent_updated"]
    assert not (folder / TRIAL).exists()


async def test_the_old_release_leaves_a_trial_alone(folder: Path) -> None:
    begin(folder, left_s=-5)
    run = Run(folder, running="1.0-old")
    await run.watch.run()
    assert run.told == []
    assert (folder / TRIAL).exists()


async def test_a_disk_that_cannot_be_written_ends_the_watch_not_the_agent(folder: Path) -> None:
    begin(folder, left_s=60)
    (folder / f".{TRIAL}").mkdir()  # where the record would be written
    run = Run(folder, running="2.0-new")
    await run.watch.run()
    assert not run.ended.is_set()
