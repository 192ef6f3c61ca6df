"""What the fast lane has logged and not yet written as rows of state outlives a crash."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from hub.ingest import reads
from hub.ingest.tables import received
from hub.ingest.unflushed import AT_ONCE
from hub.uptime.coverage.keeper import FLUSH_S
from hub.uptime.tables import coverage_day
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import RATED_W, sample, telemetry

MANY = AT_ONCE + 6


@pytest.fixture
def busy(engine: Engine) -> Any:
    """More nodes than are written with every commit, each heard once."""
    rig = Rig(engine, nodes=MANY)
    for number in range(1, MANY + 1):
        rig.send(Kind.TELEMETRY, telemetry(sample(1, number=number), number=number), number=number)
        rig.send(Kind.TELEMETRY, telemetry(sample(2, number=number), number=number), number=number)
    rig.committer.step()
    rig.pass_time(1)
    yield rig
    rig.close()


def _send_third(rig: Rig) -> None:
    _send_next(rig, 3)


def _send_next(rig: Rig, seq: int) -> None:
    for number in range(1, MANY + 1):
        one = sample(seq, number=number, at=rig.now, power_w=RATED_W - 2)
        rig.send(Kind.TELEMETRY, telemetry(one, number=number), number=number)
    rig.committer.step()


def _seqs(rig: Rig) -> set[int]:
    return {one.seq for one in rig.read(reads.pole_states)}


def _ranges(rig: Rig) -> list[Any]:
    return [row.ranges for row in rig.read(lambda conn: conn.execute(select(received)).all())]


def test_what_changes_no_picture_is_written_a_moment_later(busy: Rig) -> None:
    _send_third(busy)
    assert _seqs(busy) == {2}
    busy.pass_time(1)
    assert _seqs(busy) == {3}
    assert {one.power_w for one in busy.read(reads.pole_states)} == {RATED_W - 2}
    assert _ranges(busy) == [[[1, 3]]] * MANY


def test_a_lamp_that_goes_out_by_schedule_is_seen_at_once(busy: Rig) -> None:
    for number in range(1, MANY + 1):
        one = sample(3, number=number, at=busy.now, level=0.0, power_w=0.0)
        busy.send(Kind.TELEMETRY, telemetry(one, number=number), number=number)
    busy.committer.step()
    assert {one.effect_level for one in busy.read(reads.pole_states)} == {0.0}


def test_a_crash_before_the_rows_are_written_loses_and_doubles_nothing(busy: Rig) -> None:
    _send_third(busy)
    assert _seqs(busy) == {2}
    busy.restart()
    _send_third(busy)
    busy.pass_time(3)
    assert _seqs(busy) == {3}
    assert _ranges(busy) == [[[1, 3]]] * MANY
    points = [(point.node, point.seq) for point in busy.points()]
    assert len(points) == len(set(points)) == 3 * MANY
    assert busy.stats()["duplicates"] == MANY
    assert busy.stats()["samples_stored"] == 3 * MANY


def test_a_crash_before_the_rows_are_written_loses_no_minute_of_coverage(busy: Rig) -> None:
    for seq in (3, 4, 5):
        busy.pass_time(60, every_s=60)
        _send_next(busy, seq)
        if seq < 5:
            busy.pass_time(1)
    assert _seqs(busy) == {4}
    busy.restart()
    busy.now += timedelta(seconds=58)
    _send_next(busy, 6)
    busy.pass_time(FLUSH_S + 60, every_s=60)
    runs = busy.read(lambda conn: conn.execute(select(coverage_day.c.runs)).scalars().all())
    assert len(runs) == MANY
    assert {re.sub(r"^[A-Za-z]", "", one) for one in runs} == {"1140-1144"}


def test_a_log_row_that_a_restart_would_need_stays_though_it_is_drained(busy: Rig) -> None:
    _send_third(busy)
    waiting = busy.outbox.waiting(0, 1000)
    busy.outbox.done([batch.id for batch in waiting], points=3 * MANY)
    busy.committer.step()
    assert [batch.id for batch in busy.outbox.waiting(0, 1000)] == [waiting[-1].id]
    busy.pass_time(1)
    assert busy.outbox.waiting(0, 1000) == []
