"""Several ingests share one PostgreSQL, and one after another is killed: nothing lost, no incident twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert

from bench.workers.campaign import WorkersReport, run_workers
from bench.workers.faults import count_incidents
from hub.db import open_database
from hub.incidents.tables import incident, incident_change
from hub.migrations.runner import upgrade
from tests.integration.hub_ingest.words import START
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def _campaign(data: Path, *, kills: int, seed: int) -> WorkersReport:
    require_program("mosquitto")
    require_program("influxd")
    return run_workers(data, workers=3, kills=kills, seed=seed, progress=lambda _: None)


def _assert_sound(report: WorkersReport, *, kills: int) -> None:
    assert sum(report.killed.values()) == kills
    assert len(report.killed) > 1
    assert report.takeovers > 0, "nobody took over from anybody"
    assert report.incidents.expected > kills, "too few lamps died to mean anything"
    assert report.incidents.seen == report.incidents.expected
    assert report.audit.made > 20 * kills
    assert report.sound, report


@pytest.mark.timeout(240)
def test_five_deaths_of_workers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    _assert_sound(_campaign(tmp_path, kills=5, seed=7), kills=5)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_deaths_of_workers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    _assert_sound(_campaign(tmp_path, kills=100, seed=1), kills=100)


def test_the_count_sees_a_double_a_missing_and_an_unmade_incident(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/hub.db")
    upgrade(engine)
    rows = [("P-1", "lamp_failure"), ("P-1", "lamp_failure"), ("P-2", "lamp_failure"), ("hub", "hub_blind")]
    with engine.begin() as conn:
        for number, (originator, kind) in enumerate(rows, start=1):
            conn.execute(
                insert(incident).values(
                    id=number,
                    kind=kind,
                    originator_type="pole",
                    originator=originator,
                    opened_at=START,
                    closed_at=START,
                    opened_evidence={},
                    revision=1,
                )
            )
        for _ in range(2):
            conn.execute(
                insert(incident_change).values(
                    incident_id=3, at=START, change="opened", by="", note="", detail={}, revision=1
                )
            )
        made = {("P-1", "lamp_failure"): 1, ("P-2", "lamp_failure"): 1, ("P-3", "lamp_failure"): 1}
        count = count_incidents(conn, made)
    engine.dispose()
    assert (count.expected, count.seen, count.double, count.missing) == (3, 3, 2, 1)
    assert count.unmade == {"hub_blind": 1}
    assert not count.sound
