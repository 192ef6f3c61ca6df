"""Outages of many, quiet incidents, blind hubs and corrected history, as the database tells them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, text, update

from hub.incidents.model import Place
from hub.incidents.reads import IncidentView, changes_after, history
from hub.incidents.tables import incident, incident_rule, maintenance_window
from hub.ingest.judging.directory import KnownNode
from hub.revision import next_revision
from protocol import CabinetReading, CameraReading, Event, Kind, LampReading, MeterReading, Sample
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import (
    COMMUNE,
    RATED_W,
    START,
    events,
    node_name,
    pole_code,
    sample,
    state,
    telemetry,
)

pytestmark = pytest.mark.servers

NODES = 5


@pytest.fixture
def village(rig: Rig) -> Rig:
    """Five nodes on one feeder, each with a camera, all of them heard."""
    for n in range(1, NODES + 1):
        pole = pole_code(n)
        places = {pole: Place(COMMUNE, "Khu 3", "L1", "Tổ 1")}
        cameras = {f"CAM-{n:04}": pole}
        rig.directory.add(
            KnownNode(node_name(n), COMMUNE, frozenset({pole}), {pole: RATED_W}, cameras, places)
        )
        rig.send(Kind.STATE, state(number=n, heartbeat_s=10), number=n)
    rig.committer.step()
    return rig


def word(
    rig: Rig,
    number: int,
    seq: int,
    kind: str,
    active: bool,
    *,
    at: datetime | None = None,
    pole: str | None = None,
    camera: str | None = None,
) -> None:
    """A node's event; one with `at` is history."""
    one = Event(
        seq=seq,
        time=at or rig.now,
        clock="synced",
        kind=kind,
        pole=pole,
        camera=camera,
        active=active,
        historical=at is not None,
    )
    rig.send(Kind.EVENT, events(one, number=number), number=number)


def the(rig: Rig, kind: str, originator: str | None = None) -> IncidentView:
    (found,) = [
        one for one in rig.incidents("all") if one.kind == kind and originator in (None, one.originator)
    ]
    return found


def steps(rig: Rig, one: IncidentView) -> list[str]:
    return [change.change for change in rig.read(lambda conn: history(conn, one.id))]


def loud(rig: Rig) -> list[str]:
    return sorted(one.kind for one in rig.incidents() if one.quiet_reason is None)


def test_a_feeder_trip_is_one_loud_incident_and_ends_as_one(village: Rig) -> None:
    rig = village
    for n in (1, 2, 3):
        word(rig, n, 1, "supply_loss", True)
    rig.committer.step()
    rig.pass_time(36, every_s=2)  # the others have no UPS: they fall silent
    group = the(rig, "feeder_outage")
    assert loud(rig) == ["feeder_outage"]
    assert (group.originator_type, group.originator) == ("feeder", f"{COMMUNE}/L1")
    assert (group.commune, group.feeder, group.severity) == (COMMUNE, "L1", "critical")
    assert group.opened_evidence["nodes_without_supply"] == 3
    parts = [one for one in rig.incidents() if one.parent_id == group.id]
    assert len(parts) == len(rig.incidents()) - 1 >= 5
    assert {one.quiet_reason for one in parts} == {"group"}
    assert {one.commune for one in parts} == {COMMUNE}
    births = [
        change.detail
        for change, one in rig.read(lambda conn: changes_after(conn, 0))
        if change.change == "opened" and one.parent_id == group.id
    ]
    assert {(one["quiet_reason"], one["parent_kind"]) for one in births} == {("group", "feeder_outage")}

    rig.restart()  # its parts are known to a new process, and what they are part of
    for n in range(1, NODES + 1):
        rig.send(Kind.STATE, state(number=n, heartbeat_s=10, at=rig.now), number=n)
    for n in (1, 2, 3):
        word(rig, n, 2, "supply_loss", False)
    rig.committer.step()
    for _ in range(3):
        rig.pass_time(8, every_s=2)
        for n in range(1, NODES + 1):
            rig.send(Kind.STATE, state(number=n, heartbeat_s=10, at=rig.now), number=n)
        rig.committer.step()
    assert rig.incidents() == []
    assert steps(rig, the(rig, "feeder_outage")) == ["opened", "closed"]
    loud_openings = [
        one.kind
        for change, one in rig.read(lambda conn: changes_after(conn, 0))
        if change.change == "opened" and one.quiet_reason is None
    ]
    assert loud_openings == ["feeder_outage"]


def test_silence_turns_into_a_feeder_outage_when_a_late_word_tells_of_it(village: Rig) -> None:
    rig = village
    rig.pass_time(36, every_s=2)
    assert loud(rig) == ["backhaul_outage"]
    rig.send(Kind.STATE, state(number=1, heartbeat_s=10, at=rig.now), number=1)
    word(rig, 1, 1, "supply_loss", True, at=START + timedelta(seconds=2))
    word(rig, 1, 2, "supply_loss", False, at=START + timedelta(seconds=20))
    rig.committer.step()
    group = the(rig, "feeder_outage")
    assert steps(rig, group) == ["opened", "turned"]
    assert group.opened_evidence["nodes_without_supply"] == 1
    cut = the(rig, "supply_loss")
    assert (cut.since_at, cut.closed_at) == (START + timedelta(seconds=2), START + timedelta(seconds=20))
    assert (cut.closed_how, cut.quiet_reason) == ("corrected", "history")
    assert steps(rig, cut) == ["opened", "closed"]


def test_a_silence_that_has_ended_gets_its_right_name_when_a_later_word_tells_of_it(village: Rig) -> None:
    rig = village
    rig.pass_time(36, every_s=2)
    for _ in range(3):
        for n in range(1, NODES + 1):
            rig.send(Kind.STATE, state(number=n, heartbeat_s=10, at=rig.now), number=n)
        rig.committer.step()
        rig.pass_time(8, every_s=2)
    ended = the(rig, "backhaul_outage")
    assert ended.closed_at is not None
    word(rig, 1, 1, "supply_loss", True, at=START + timedelta(seconds=2))
    word(rig, 1, 2, "supply_loss", False, at=START + timedelta(seconds=20))
    rig.committer.step()
    group = the(rig, "feeder_outage")
    assert (group.id, group.closed_at, group.severity) == (ended.id, ended.closed_at, "critical")
    assert group.closed_evidence is not None
    assert group.closed_evidence["supply_loss_told_by"] == node_name(1)
    assert steps(rig, group) == ["opened", "closed", "corrected"]


def test_a_hub_that_was_down_was_blind_from_its_last_sign_of_life(village: Rig) -> None:
    rig = village
    rig.pass_time(4)
    last_sign = rig.now
    rig.now += timedelta(minutes=30)
    rig.restart()
    rig.pass_time(1)
    blind = the(rig, "hub_blind")
    assert (blind.originator_type, blind.originator) == ("hub", "hub")
    assert blind.since_at is not None
    assert abs(blind.since_at - last_sign) <= timedelta(seconds=2)
    assert blind.closed_at is not None
    assert blind.closed_at - rig.now <= timedelta(seconds=1)
    assert loud(rig) == []
    rig.restart()
    rig.pass_time(1)
    assert the(rig, "hub_blind").id == blind.id


def test_a_hub_without_its_broker_is_blind_and_nobody_is_missed(village: Rig) -> None:
    rig = village
    rig.pass_time(2)
    lost = rig.now
    rig.link.connected_since = None
    rig.pass_time(59, every_s=1)
    assert rig.incidents() == []
    rig.pass_time(3)
    blind = the(rig, "hub_blind")
    assert blind.since_at is not None
    assert blind.since_at - lost <= timedelta(seconds=1)
    rig.pass_time(300, every_s=20)
    assert loud(rig) == ["hub_blind"]
    rig.link.connected_since = rig.monotonic_s
    rig.pass_time(1)
    assert rig.incidents() == []


def test_a_window_keeps_quiet_what_opens_under_it_and_lets_it_out_when_it_ends(village: Rig) -> None:
    rig = village
    with rig.engine.begin() as conn:
        conn.execute(
            insert(maintenance_window).values(
                commune=COMMUNE,
                scope="hamlet",
                name="Khu 3",
                starts_at=START,
                ends_at=START + timedelta(seconds=30),
                why="thay tủ điện",
                created_at=START,
                created_by="clerk",
                revision=next_revision(conn),
            )
        )
    rig.pass_time(2)
    word(rig, 1, 1, "relay_failure", True, pole=pole_code(1))
    rig.committer.step()
    assert the(rig, "relay_failure").quiet_reason == "maintenance"
    rig.restart()
    rig.pass_time(4)
    assert the(rig, "relay_failure").quiet_reason == "maintenance"
    rig.pass_time(25, every_s=5)
    assert the(rig, "relay_failure").quiet_reason is None
    assert steps(rig, the(rig, "relay_failure")) == ["opened", "released"]


def test_work_at_a_pole_by_its_nodes_word_is_quiet_over_a_restart(village: Rig) -> None:
    rig = village
    at_work = Sample(
        seq=1,
        pole=pole_code(1),
        time=rig.now,
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="maintenance"),
        meter=MeterReading(power_w=RATED_W),
    )
    rig.take(Kind.TELEMETRY, telemetry(at_work))
    rig.restart()
    word(rig, 1, 2, "camera_offline", True, camera="CAM-0001")
    rig.committer.step()
    assert the(rig, "camera_offline").quiet_reason == "maintenance"
    rig.take(Kind.TELEMETRY, telemetry(sample(3, at=rig.now)))
    assert the(rig, "camera_offline").quiet_reason is None


def test_what_a_person_closed_elsewhere_stays_closed_for_its_time_though_it_still_stands(
    village: Rig,
) -> None:
    rig = village
    with rig.engine.begin() as conn:
        conn.execute(
            insert(incident_rule).values(
                commune=COMMUNE,
                kind="camera_frozen",
                hold_off_s=60,
                clear_after_s=60,
                params={"reopen_after_s": 60},
            )
        )
    rig.pass_time(2)
    word(rig, 1, 1, "camera_frozen", True, camera="CAM-0001")
    rig.committer.step()
    first = the(rig, "camera_frozen")
    with rig.engine.begin() as conn:
        conn.execute(
            update(incident)
            .where(incident.c.id == first.id)
            .values(
                closed_at=rig.now,
                closed_how="by_hand",
                closed_by="clerk",
                closed_evidence={},
                revision=next_revision(conn),
            )
        )
    rig.pass_time(4)
    rig.restart()
    rig.pass_time(50, every_s=5)
    assert [one.kind for one in rig.incidents() if one.kind == "camera_frozen"] == []
    rig.pass_time(10, every_s=2)
    (again,) = [one for one in rig.incidents() if one.kind == "camera_frozen"]
    assert again.id != first.id
    assert steps(rig, first) == ["opened"]


def test_thresholds_changed_elsewhere_are_in_force_a_second_later(village: Rig) -> None:
    rig = village
    with rig.engine.begin() as conn:
        conn.execute(
            text("UPDATE incident_rule SET hold_off_s = 0, severity = 'minor' WHERE kind = 'lamp_failure'")
        )
    rig.pass_time(2)
    rig.take(Kind.TELEMETRY, telemetry(sample(1, at=rig.now, power_w=0.0)))
    assert the(rig, "lamp_failure").severity == "minor"


def test_a_cabinet_that_opened_unheard_and_is_open_still_opens_with_its_own_time(village: Rig) -> None:
    rig = village
    rig.pass_time(400, every_s=100)
    word(rig, 1, 1, "cabinet_door_open", True, at=START + timedelta(seconds=30))
    rig.committer.step()
    assert [one for one in rig.incidents() if one.kind == "cabinet_door_open"] == []
    now = Sample(
        seq=2,
        pole=pole_code(1),
        time=rig.now,
        clock="synced",
        lamp=LampReading(effect_level=0.0, reason="sun"),
        cabinet=CabinetReading(door_open=True),
        cameras=[CameraReading(camera="CAM-0001", reachable=True)],
    )
    rig.take(Kind.TELEMETRY, telemetry(now))
    door = the(rig, "cabinet_door_open")
    assert door.since_at == START + timedelta(seconds=30)
    assert door.opened_at == rig.now
    assert (door.originator, door.pole, door.feeder) == (node_name(1), pole_code(1), "L1")


def test_what_a_silent_node_did_is_added_to_its_incident(village: Rig) -> None:
    rig = village
    rig.pass_time(60, every_s=2)
    back = rig.now
    rig.take(Kind.TELEMETRY, telemetry(sample(100, at=back)))
    replayed = [sample(n, at=START + timedelta(seconds=n), historical=True) for n in range(5, 50, 5)]
    rig.take(Kind.TELEMETRY, telemetry(*replayed))
    rig.pass_time(26, every_s=2)
    silent = the(rig, "communication_failure", node_name(1))
    assert silent.closed_evidence is not None
    assert silent.closed_evidence["history_samples"] == 9
    assert silent.closed_evidence["history_lit"] == 9
    assert steps(rig, silent)[-1] == "corrected"
    assert the(rig, "communication_failure", node_name(2)).closed_at is None
