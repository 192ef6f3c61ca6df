"""What the ingest takes in is covered minute by minute: live, late, twice, and across a crash."""

from __future__ import annotations

from sqlalchemy import select

from hub.uptime.coverage.keeper import FLUSH_S
from hub.uptime.tables import coverage_day
from protocol import CameraReading, Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import after, pole_code, sample, telemetry

MINUTE = 60
BEGIN = 19 * 60
"""START is 19:00 in Vietnam."""


def covered(rig: Rig) -> dict[str, str]:
    rows = rig.read(lambda conn: conn.execute(select(coverage_day)).all())
    return {row.subject: row.runs for row in rows}


def lit(rig: Rig, seq: int, minute: int, **words: object) -> None:
    """Live: the clock goes to that minute, and its sample comes."""
    rig.now = after(minute * MINUTE)
    camera = [CameraReading(camera="CAM-TG-01", reachable=True)]
    rig.take(Kind.TELEMETRY, telemetry(sample(seq, at=rig.now, cameras=camera, **words)))  # type: ignore[arg-type]


def test_live_and_replayed_samples_are_covered_once(rig: Rig) -> None:
    for minute in (0, 1, 2, 3):
        lit(rig, minute + 1, minute)
    lit(rig, 21, 20, power_w=0.0)
    late = [sample(seq, at=after((seq - 1) * MINUTE), historical=True) for seq in range(5, 11)]
    for _ in range(2):
        rig.take(Kind.TELEMETRY, telemetry(*late[::-1]))
    rig.pass_time(FLUSH_S + 2, every_s=60)
    assert covered(rig)[pole_code(1)] == f"Y{BEGIN}-{BEGIN + 9} X{BEGIN + 20}"
    assert covered(rig)["CAM-TG-01"] == f"H{BEGIN}-{BEGIN + 3} H{BEGIN + 20}"


def test_a_crash_takes_no_coverage_with_it(rig: Rig) -> None:
    for minute in range(10):
        lit(rig, minute + 1, minute)
    assert covered(rig)[pole_code(1)] == f"Y{BEGIN}-{BEGIN + 1}", "the rest is in memory"
    rig.restart()
    rig.pass_time(FLUSH_S + 2, every_s=60)
    whole = {pole_code(1): f"Y{BEGIN}-{BEGIN + 9}", "CAM-TG-01": f"H{BEGIN}-{BEGIN + 9}"}
    assert covered(rig) == whole


def test_a_quiet_hub_still_writes_what_it_holds(rig: Rig) -> None:
    for minute in range(5):
        lit(rig, minute + 1, minute)
    rig.pass_time(FLUSH_S + 2, every_s=30)
    assert covered(rig)[pole_code(1)] == f"Y{BEGIN}-{BEGIN + 4}"
