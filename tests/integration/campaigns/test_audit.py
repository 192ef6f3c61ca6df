"""The count itself must see a loss and a double, or its silence would mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import insert

from bench.audit import Audit, Made, audit
from hub.db import open_database
from hub.ingest.tables import received
from hub.migrations.runner import upgrade
from hub.telemetry.factory import open_store
from hub.telemetry.port import Point
from tests.support.points import bare_point

NODE, EPOCH = "tg-0001", "0b9f6e0e-58c1-4d0c-9d5b-2f1f3f6d7a10"


def _point(seq: int) -> Point:
    return bare_point(
        node=NODE,
        epoch=EPOCH,
        seq=seq,
        time_ms=1_795_000_000_000 + seq,
        received_ms=1_795_000_000_100 + seq,
        power_w=60.0,
        dark=True,
    )


class Judge(Protocol):
    """What the fixture gives."""

    def __call__(
        self, *, stored: list[int], ranges: list[list[int]], high: int, waiting: int = 0
    ) -> Audit: ...


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Store some seqs, claim what was received and made, and audit."""
    database_url, telemetry_url = f"sqlite:///{tmp_path}/hub.db", f"sqlite:///{tmp_path}/telemetry.db"

    def run(*, stored: list[int], ranges: list[list[int]], high: int, waiting: int = 0) -> Audit:
        engine = open_database(database_url)
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(insert(received).values(node=NODE, epoch=EPOCH, ranges=ranges))
        engine.dispose()
        store = open_store(telemetry_url)
        store.write(1, [_point(seq) for seq in stored])
        store.close()
        return audit(
            [Made(NODE, EPOCH, high, waiting)], database_url=database_url, telemetry_url=telemetry_url
        )

    return run


def test_all_made_and_all_stored_is_sound(judge: Judge) -> None:
    result = judge(stored=[1, 2, 3], ranges=[[1, 3]], high=3)
    assert result.sound
    assert (result.made, result.samples_stored) == (3, 3)


def test_a_confirmed_sample_that_is_nowhere_is_a_loss(judge: Judge) -> None:
    result = judge(stored=[1, 3], ranges=[[1, 3]], high=3)
    assert (result.lost, result.unconfirmed_loss) == (1, 0)
    assert not result.sound


def test_a_gap_in_what_the_hub_received_is_complained_of(judge: Judge) -> None:
    result = judge(stored=[1, 2, 3], ranges=[[1, 1], [3, 3]], high=3)
    assert result.complaints
    assert not result.sound


def test_a_stored_sample_that_nobody_made_counts_as_double(judge: Judge) -> None:
    result = judge(stored=[1, 2, 3, 4], ranges=[[1, 3]], high=3)
    assert result.twice == 1
    assert not result.sound


def test_what_still_waits_at_the_node_is_not_sound_but_not_lost_for_ever(judge: Judge) -> None:
    result = judge(stored=[1, 2], ranges=[[1, 2]], high=3, waiting=1)
    assert (result.lost, result.unconfirmed_loss) == (1, 1)
    assert not result.sound
