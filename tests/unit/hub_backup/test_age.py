"""How much would be lost now, by backups and by an archived log."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from hub.backup.age import Found, Standing
from hub.backup.servers.archive import Archive, waiting_behind

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)
MIB = 1024 * 1024


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("newest", "written_bytes", "segment_bytes", "waiting"),
    [
        (None, 5 * 16 * MIB, 16 * MIB, 0),
        ("000000010000000000000004", 5 * 16 * MIB + 100, 16 * MIB, 0),
        ("000000010000000000000004", 8 * 16 * MIB, 16 * MIB, 3),
        ("000000010000000000000004.00000028.backup", 6 * 16 * MIB, 16 * MIB, 1),
        ("0000000200000001000000FF", 2 * 4096 * MIB + 16 * MIB, 16 * MIB, 1),
        ("000000010000000100000000", 4096 * MIB + 64 * MIB, 64 * MIB, 0),
        ("00000002.history", 8 * 16 * MIB, 16 * MIB, 0),
    ],
)
def test_full_log_files_that_wait_are_counted_by_name(
    newest: str | None, written_bytes: int, segment_bytes: int, waiting: int
) -> None:
    assert waiting_behind(newest, written_bytes, segment_bytes) == waiting


def test_an_archive_that_catches_up_does_not_look_young() -> None:
    def up_to(waiting: int, timeout_s: int = 240) -> datetime | None:
        return Archive("0" * 24, ago(seconds=10), waiting, timeout_s).up_to

    assert up_to(0) == up_to(1) == ago(seconds=10)
    assert up_to(3) == ago(seconds=10 + 2 * 240)
    assert up_to(3, timeout_s=0) is None, "a file may span any time"
    assert Archive(None, None, 0, 240).up_to is None


def test_what_is_lost_of_each_is_by_its_best_means() -> None:
    found = Found(
        [
            Standing("hub", "backup", ago(hours=1)),
            Standing("telemetry", "backup", ago(hours=1)),
            Standing("hub", "archive", ago(minutes=2)),
        ],
        None,
    )
    assert found.lost_s(NOW) == {"hub": 120, "telemetry": 3600}
    assert found.holds(timedelta(hours=1), NOW)
    assert not found.holds(timedelta(minutes=59), NOW)


def test_what_has_no_means_is_lost_whole() -> None:
    found = Found([Standing("hub", "archive", ago(minutes=2)), Standing("telemetry", "backup", None)], None)
    assert found.lost_s(NOW) == {"hub": 120, "telemetry": math.inf}
    assert not found.holds(timedelta(days=9999), NOW)
    assert Found([], None).lost_s(NOW) == {"hub": math.inf, "telemetry": math.inf}
