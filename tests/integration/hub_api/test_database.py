"""How the embedded database is opened when another process has it at the same moment."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hub.db import sqlite_module, switch_to_wal


@pytest.fixture
def fresh(tmp_path: Path) -> Any:
    """Opens the same new file again and again."""
    return lambda: sqlite_module().connect(tmp_path / "new.db", isolation_level=None)


def test_a_file_that_another_process_is_writing_is_switched_once_it_is_free(fresh: Any) -> None:
    other, ours = fresh(), fresh()
    other.execute("BEGIN IMMEDIATE")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            other.execute("COMMIT")

    switch_to_wal(ours, pause=pause)
    assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert len(pauses) == 3
    other.close()
    ours.close()


def test_a_file_that_is_never_free_fails_after_ten_seconds(fresh: Any) -> None:
    other, ours = fresh(), fresh()
    other.execute("BEGIN IMMEDIATE")
    seconds = count()
    with pytest.raises(sqlite_module().OperationalError, match="locked"):
        switch_to_wal(ours, pause=lambda _: None, steady_s=lambda: float(next(seconds)))
    assert next(seconds) == 11
    other.close()
    ours.close()
