import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.camera.asking.recording_folder import RecordingFolder, newest_file
from edge.drivers.ports import DriverError

NOW = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)


def record(path: Path, *, minutes_ago: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"video")
    at = (NOW - timedelta(minutes=minutes_ago)).timestamp()
    os.utime(path, (at, at))


async def test_the_newest_file_below_counts(tmp_path: Path) -> None:
    record(tmp_path / "cam1/2026/03/20/23.mp4", minutes_ago=780)
    record(tmp_path / "cam1/2026/03/21/18.mp4", minutes_ago=7)
    record(tmp_path / "cam1/index.db", minutes_ago=60)
    folder = RecordingFolder(str(tmp_path), now=lambda: NOW)
    assert await folder.recording_age_s() == 7 * 60


async def test_nothing_there_is_our_own_trouble(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="not one file"):
        await RecordingFolder(str(tmp_path), now=lambda: NOW).recording_age_s()
    with pytest.raises(DriverError, match="No such file"):
        await RecordingFolder(str(tmp_path / "unmounted"), now=lambda: NOW).recording_age_s()


def test_the_walk_is_bounded(tmp_path: Path) -> None:
    for number in range(50):
        record(tmp_path / f"{number}.mp4", minutes_ago=100)
    assert newest_file(str(tmp_path), entries=10) is not None
    deep = tmp_path.joinpath(*"abcdefgh")
    record(deep / "new.mp4", minutes_ago=1)
    assert newest_file(str(tmp_path)) == NOW - timedelta(minutes=100), "deeper than recorders file"
    (tmp_path / "loop").symlink_to(tmp_path)
    assert newest_file(str(tmp_path)) is not None
