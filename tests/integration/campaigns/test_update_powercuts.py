"""The power goes at any operation of an update: what was not synced is gone, and a whole release starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.disk.oplog import read_log
from bench.disk.powercuts import build_shim
from bench.disk.replay import Disk, read_folder, write_folder
from edge.update.launch import CURRENT, PREVIOUS, pick, point
from tests.support.releases import ROOT
from tests.support.servers import require_program

pytestmark = pytest.mark.servers
OLD, NEW = "1.0-old", "2.0-new"
SEEDS = 6
PROGRAM = """
import sys
from pathlib import Path
from bench.disk.oplog import MarkerLog
from edge.update.install import begin_trial
from edge.update.launch import TRIAL, Trial, end_trial, pick, read_record, roll_back
from edge.update.trial import commit
releases, log, ending = Path(sys.argv[1]), MarkerLog(sys.argv[2]), sys.argv[3]
begin_trial(releases, "2.0-new", starts_allowed=9, trial_s=600)
assert pick(releases, boot="a", now_s=1.0) == "2.0-new"
if ending == "commit":
    commit(releases, read_record(releases / TRIAL, Trial))
    log.mark(b"2.0-new")
    end_trial(releases)
else:
    roll_back(releases, "2.0-new", "a test")
    log.mark(b"1.0-old")
"""


def whole(releases: Path) -> None:
    for name in (OLD, NEW):
        (releases / name / "app/edge").mkdir(parents=True)
        (releases / name / "app/edge/__main__.py").write_text("")


def started(folder: Path, files: dict[str, bytes]) -> str:
    write_folder(folder, {name: data for name, data in files.items() if name not in (CURRENT, PREVIOUS)})
    for pointer in (CURRENT, PREVIOUS):
        if pointer in files:
            (folder / pointer).symlink_to(files[pointer].decode())
    whole(folder)
    try:
        return pick(folder, boot="b", now_s=1.0)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("ending", ["commit", "roll back"])
def test_a_power_cut_leaves_the_old_or_the_new_release(tmp_path: Path, ending: str) -> None:
    require_program("cc")
    releases, log = tmp_path / "releases", tmp_path / "log"
    whole(releases)
    point(releases, CURRENT, OLD)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(build_shim(tmp_path)),
        "POWER_CUT_DIR": str(releases),
        "POWER_CUT_LOG": str(log),
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(releases), str(log), ending], env=environment, check=True
    )
    operations = read_log(log)
    assert len(operations) > 15
    disk, certain, seen = Disk({CURRENT: OLD.encode()}, seed=ending), "", set()
    for place, operation in enumerate(operations):
        disk.feed(operation)
        certain = operation.data.decode() if operation.op == "M" else certain
        for seed in range(SEEDS):
            release = started(tmp_path / "after", disk.cut(f"{ending}/{place}/{seed}"))
            assert release in (OLD, NEW)
            assert not certain or release == certain, "what was decided and synced stays so"
            seen.add(release)
    assert seen == {OLD, NEW}
    assert CURRENT in {path.name for path in releases.iterdir()} | set(read_folder(releases))
