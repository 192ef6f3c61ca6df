"""What nodes diagnose themselves: incidents by their word, and what pages read of it."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest

from hub.ingest import reads
from hub.ingest.judging.directory import KnownNode
from protocol import (
    BatteryReading,
    CabinetReading,
    CameraReading,
    Event,
    Kind,
    LampCounters,
    LampReading,
    MeterReading,
    Sample,
)
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import COMMUNE, RATED_W, events, telemetry

pytestmark = pytest.mark.servers


def told(
    seq: int,
    at: datetime,
    kind: str,
    active: bool | None,
    *,
    pole: str | None = "TG-0001",
    camera: str | None = None,
    historical: bool = False,
    **detail: float,
) -> bytes:
    one = Event(
        seq=seq,
        time=at,
        clock="synced",
        kind=kind,
        pole=pole,
        camera=camera,
        active=active,
        historical=historical,
        detail={**detail},
    )
    return events(one)


def sampled(seq: int, at: datetime, *faults: str, power_w: float = RATED_W, **more: object) -> bytes:
    one = Sample(
        seq=seq,
        pole="TG-0001",
        time=at,
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="sun", due=True),
        meter=MeterReading(power_w=power_w),
        faults=list(faults),
        **more,  # type: ignore[arg-type]
    )
    return telemetry(one)


def kinds(rig: Rig) -> list[tuple[str, str, str]]:
    return sorted((one.kind, one.originator_type, one.originator) for one in rig.incidents())


def test_a_fault_begins_and_ends_by_the_nodes_word(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "power_tapping", True, power_w=180.0))
    (opened,) = rig.incidents()
    assert (opened.kind, opened.originator_type, opened.originator) == ("power_tapping", "pole", "TG-0001")
    assert opened.opened_evidence["power_w"] == 180.0
    assert opened.opened_evidence["told_by"] == "tg-0001"
    rig.pass_time(40)
    rig.take(Kind.EVENT, told(2, rig.now, "power_tapping", False))
    assert rig.incidents() == []
    (closed,) = rig.incidents("closed")
    assert closed.closed_at == rig.now


def test_the_same_word_again_changes_nothing(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "meter_stale", True))
    rig.take(Kind.EVENT, told(1, rig.now, "meter_stale", True))
    rig.take(Kind.EVENT, told(2, rig.now, "meter_stale", True))
    assert len(rig.incidents("all")) == 1
    rig.take(Kind.EVENT, told(3, rig.now, "meter_stale", False))
    rig.take(Kind.EVENT, told(3, rig.now, "meter_stale", False))
    assert len(rig.incidents("all")) == 1
    assert rig.incidents() == []


def test_moments_and_kinds_that_are_no_faults_open_nothing(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "device_reset", None))
    rig.take(Kind.EVENT, told(2, rig.now, "maintenance_mode", True))
    rig.take(Kind.EVENT, told(3, rig.now, "camera_frozen", None, camera="CAM-0001"))
    assert rig.incidents("all") == []
    assert [one.active for one in rig.read(reads.events)] == [None, True, None]


def test_a_camera_is_its_own_originator_and_a_strange_one_is_none(rig: Rig) -> None:
    rig.directory.add(
        KnownNode("tg-0001", COMMUNE, frozenset({"TG-0001"}), {"TG-0001": RATED_W}, {"CAM-0001": "TG-0001"})
    )
    rig.take(Kind.EVENT, told(1, rig.now, "camera_frozen", True, camera="CAM-0001"))
    rig.take(Kind.EVENT, told(2, rig.now, "camera_frozen", True, camera="CAM-OF-OTHERS"))
    (opened,) = rig.incidents()
    assert (opened.originator_type, opened.originator, opened.pole) == ("camera", "CAM-0001", "TG-0001")


def test_a_cabinets_fault_is_the_nodes(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "cabinet_door_open", True, pole=None))
    assert kinds(rig) == [("cabinet_door_open", "node", "tg-0001")]


def test_history_opens_nothing(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "relay_failure", True, historical=True))
    assert rig.incidents("all") == []


def test_history_closes_what_it_came_after_and_nothing_newer(rig: Rig) -> None:
    earlier = rig.now
    rig.pass_time(10)
    rig.take(Kind.EVENT, told(5, rig.now, "relay_failure", True))
    rig.restart()
    rig.take(Kind.EVENT, told(4, earlier, "relay_failure", False, historical=True))
    assert kinds(rig) == [("relay_failure", "pole", "TG-0001")]
    ended = rig.now
    rig.pass_time(20)
    rig.take(Kind.EVENT, told(6, ended, "relay_failure", False, historical=True))
    assert rig.incidents() == []
    (closed,) = rig.incidents("closed")
    assert closed.closed_at == ended


def test_a_standing_fault_of_a_live_sample_opens_what_history_could_not(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "lamp_power_too_low", True, historical=True))
    rig.take(Kind.TELEMETRY, sampled(2, rig.now, "lamp_power_too_low"))
    assert kinds(rig) == [("lamp_power_too_low", "pole", "TG-0001")]
    rig.pass_time(30)
    rig.take(Kind.TELEMETRY, sampled(3, rig.now))
    assert rig.incidents() == []


def test_the_end_of_a_standing_fault_is_seen_over_a_restart_of_the_hub(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, sampled(1, rig.now, "cycling_failure"))
    rig.restart()
    rig.pass_time(30)
    rig.take(Kind.TELEMETRY, sampled(2, rig.now))
    assert rig.incidents() == []
    assert len(rig.incidents("closed")) == 1


def test_samples_that_waited_do_not_take_back_a_newer_word(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "cycling_failure", True))
    rig.take(Kind.EVENT, told(4, rig.now, "cycling_failure", False))
    rig.take(Kind.TELEMETRY, sampled(2, rig.now, "cycling_failure"))
    rig.take(Kind.TELEMETRY, sampled(3, rig.now, "cycling_failure"))
    assert rig.incidents() == []
    assert len(rig.incidents("all")) == 1


def test_a_failure_the_node_tells_of_is_not_closed_by_the_registrys_rating(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "lamp_failure", True))
    for seq in range(2, 12):
        rig.pass_time(10)
        rig.take(Kind.TELEMETRY, sampled(seq, rig.now, "lamp_failure", power_w=0.5 * RATED_W))
    assert kinds(rig) == [("lamp_failure", "pole", "TG-0001")]
    rig.pass_time(10)
    rig.take(Kind.EVENT, told(12, rig.now, "lamp_failure", False))
    rig.take(Kind.TELEMETRY, sampled(13, rig.now))
    assert rig.incidents() == []


def test_what_a_sample_tells_beside_is_kept_and_counters_stay_until_told_anew(rig: Rig) -> None:
    counters = LampCounters(burning_s=3600, switches=4, energy_wh=60.5, supply_losses=1)
    rig.take(
        Kind.TELEMETRY,
        sampled(
            1,
            rig.now,
            "lamp_power_too_low",
            boot=uuid4(),
            counters=counters,
            battery=BatteryReading(battery_v=12.6, charge_share=0.8),
            cabinet=CabinetReading(door_open=False, temperature_c=38.5),
            cameras=[
                CameraReading(
                    camera="CAM-0001",
                    reachable=True,
                    stream="live",
                    picture="frozen",
                    clock_offset_s=-2.5,
                    recording_age_s=40,
                    powered=True,
                )
            ],
        ),
    )
    rig.restart()
    rig.take(Kind.TELEMETRY, sampled(2, rig.now))
    before = rig.read(lambda conn: reads.cabinet_of(conn, "tg-0001"))
    state = rig.read(lambda conn: reads.pole_state_of(conn, "TG-0001"))
    assert state is not None
    assert state.told["counters"] == {
        "burning_s": 3600,
        "switches": 4,
        "energy_wh": 60.5,
        "supply_losses": 1,
    }
    assert (state.faults, state.told["due"]) == ((), True)
    assert "battery" not in state.told  # it is silent now: unknown, not as it was
    assert before is None


def test_every_word_about_a_camera_reaches_the_reader(rig: Rig) -> None:
    said = CameraReading(
        camera="CAM-0001",
        reachable=True,
        stream="live",
        picture="frozen",
        clock_offset_s=-2.5,
        recording_age_s=40,
        powered=True,
    )
    cabinet = CabinetReading(supply_present=True, phases=[MeterReading(power_w=812.0)])
    rig.take(Kind.TELEMETRY, sampled(1, rig.now, cameras=[said], cabinet=cabinet))
    state = rig.read(lambda conn: reads.pole_state_of(conn, "TG-0001"))
    assert state is not None
    (camera,) = state.cameras
    assert (camera.stream, camera.picture, camera.clock_offset_s) == ("live", "frozen", -2.5)
    assert (camera.recording_age_s, camera.powered) == (40, True)
    found = rig.read(lambda conn: reads.cabinet_of(conn, "tg-0001"))
    assert found == {"supply_present": True, "phases": [{"power_w": 812.0}]}


def test_events_of_a_pole_come_with_those_of_its_node_as_a_whole(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(1, rig.now, "meter_stale", True))
    rig.take(Kind.EVENT, told(2, rig.now, "outbox_overflow", None, pole=None, count=12))
    rig.take(Kind.EVENT, told(3, rig.now, "config_refused", None, pole=None))
    both = rig.read(lambda conn: reads.events(conn, pole="TG-0001", node="tg-0001"))
    assert [one.kind for one in both] == ["config_refused", "outbox_overflow", "meter_stale"]
    refused = rig.read(lambda conn: reads.events(conn, node="tg-0001", kind="config_refused"))
    assert [one.kind for one in refused] == ["config_refused"]
