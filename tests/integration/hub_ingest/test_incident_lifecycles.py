"""Incidents open and close: from live evidence only, one at a time, after hold-off and clear-after."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from hub.incidents.reads import open_counts
from hub.ingest import reads
from protocol import Kind, pack
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import START, sample, state, telemetry

pytestmark = pytest.mark.servers

OLD_SESSION = UUID("33333333-3333-4333-8333-333333333333")


def status_of(rig: Rig, node: str = "tg-0001") -> str:
    found = rig.read(lambda conn: reads.node_state_of(conn, node))
    assert found is not None
    return found.status


def feed(rig: Rig, first_seq: int, count: int, *, every_s: float = 10, **what: float | None) -> int:
    """Live samples, one per `every_s`; returns the next seq."""
    for seq in range(first_seq, first_seq + count):
        rig.pass_time(every_s)
        rig.take(Kind.TELEMETRY, telemetry(sample(seq, at=rig.now, **what)))  # type: ignore[arg-type]
    return first_seq + count


def test_a_dead_lamp_opens_one_incident_and_a_new_bulb_closes_it(rig: Rig) -> None:
    seq = feed(rig, 1, 3, power_w=40.0)
    failed_from = rig.now + timedelta(seconds=10)
    seq = feed(rig, seq, 6, power_w=0.5)
    assert rig.incidents() == []  # 50 s of darkness are within the hold-off
    seq = feed(rig, seq, 4, power_w=0.5)
    (incident,) = rig.incidents()
    assert (incident.kind, incident.originator, incident.pole) == ("lamp_failure", "TG-0001", "TG-0001")
    assert incident.opened_evidence["since"] == failed_from.isoformat()
    assert incident.opened_evidence["power_w"] == 0.5
    assert incident.opened_evidence["expected_w"] == 40.0
    assert rig.read(open_counts) == {"TG-0001": 1}

    seq = feed(rig, seq, 2, power_w=40.0)
    assert rig.incidents() != []
    feed(rig, seq, 3, power_w=40.0)
    assert rig.incidents() == []
    (closed,) = rig.incidents("closed")
    assert closed.closed_at is not None
    assert closed.closed_evidence is not None
    assert closed.closed_evidence["power_w"] == 40.0
    assert rig.read(open_counts) == {}


def test_a_dead_lamp_is_not_mended_by_daylight(rig: Rig) -> None:
    seq = feed(rig, 1, 8, power_w=0.0)
    assert len(rig.incidents()) == 1
    feed(rig, seq, 10, level=0.0, power_w=0.0)
    assert len(rig.incidents()) == 1


def test_a_silent_meter_neither_opens_nor_closes(rig: Rig) -> None:
    seq = feed(rig, 1, 20, power_w=None)
    assert rig.incidents() == []
    seq = feed(rig, seq, 8, power_w=0.0)
    feed(rig, seq, 20, power_w=None)
    assert len(rig.incidents()) == 1


def test_the_hold_off_goes_on_over_a_restart_of_the_hub(rig: Rig) -> None:
    seq = feed(rig, 1, 5, power_w=0.0)
    rig.restart()
    feed(rig, seq, 2, power_w=0.0)
    assert len(rig.incidents()) == 1


def test_an_open_incident_is_not_opened_again_after_a_restart(rig: Rig) -> None:
    seq = feed(rig, 1, 8, power_w=0.0)
    rig.restart()
    feed(rig, seq, 8, power_w=0.0)
    assert len(rig.incidents("all")) == 1


def test_history_of_a_dark_night_raises_no_alarm(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(100, power_w=40.0)))
    night = START - timedelta(hours=10)
    dark = [
        sample(n, at=night + timedelta(seconds=30 * n), power_w=0.0, historical=True) for n in range(1, 60)
    ]
    rig.take(Kind.TELEMETRY, telemetry(*dark))
    unmarked = [sample(n, at=night + timedelta(seconds=30 * n), power_w=0.0) for n in range(60, 99)]
    rig.take(Kind.TELEMETRY, telemetry(*unmarked))
    assert rig.incidents("all") == []
    assert len(rig.points()) == 99


def test_three_missed_heartbeats_make_a_node_silent_and_a_word_brings_it_back(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.pass_time(29)
    assert status_of(rig) == "online"
    rig.pass_time(2)
    assert status_of(rig) == "silent"
    rig.pass_time(3)
    (incident,) = rig.incidents()
    assert (incident.kind, incident.originator_type, incident.originator) == (
        "communication_failure",
        "node",
        "tg-0001",
    )
    assert incident.pole == "TG-0001"
    assert incident.opened_evidence["cause"] == "silent"
    assert incident.opened_evidence["since"] == START.isoformat()

    rig.take(Kind.TELEMETRY, telemetry(sample(1, at=rig.now)))  # any message is a sign of life
    assert status_of(rig) == "online"
    rig.pass_time(6)
    assert rig.incidents() == []
    assert len(rig.incidents("closed")) == 1


@pytest.mark.parametrize("is_new_hub", [False, True], ids=["hub that knows it", "hub that never heard it"])
def test_a_metered_nodes_reports_keep_its_promise(rig: Rig, is_new_hub: bool) -> None:
    """It promises a word within 660 s and reports every 600 s, packed; its state stays unsaid."""
    rig.take(Kind.STATE, pack(state(heartbeat_s=660)), retain=is_new_hub)
    for report in range(4):
        rig.pass_time(600, every_s=60)
        rig.take(Kind.TELEMETRY, pack(telemetry(sample(report + 1, at=rig.now))))
        assert status_of(rig) == "online"
    assert rig.incidents("all") == []
    rig.pass_time(3 * 660 - 10, every_s=55)
    assert status_of(rig) == "online"
    rig.pass_time(30, every_s=10)
    assert status_of(rig) == "silent"


def test_a_will_opens_after_the_hold_off_without_waiting_for_heartbeats(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=300))
    rig.pass_time(10)
    rig.take(Kind.STATE, state(status="lost", heartbeat_s=300, connected_at=START))
    assert status_of(rig) == "lost"
    rig.pass_time(4)
    (incident,) = rig.incidents()
    assert incident.opened_evidence["cause"] == "lost"


def test_the_will_of_an_older_session_is_ignored(rig: Rig) -> None:
    rig.pass_time(60, every_s=10)
    rig.take(Kind.STATE, state(at=rig.now))
    rig.take(Kind.STATE, state(status="lost", session=OLD_SESSION, connected_at=START))
    assert status_of(rig) == "online"
    rig.pass_time(5)
    assert rig.incidents() == []


def test_a_takeover_in_which_the_will_comes_first_raises_no_alarm(rig: Rig) -> None:
    rig.take(Kind.STATE, state(session=OLD_SESSION))
    rig.pass_time(5)
    rig.take(Kind.STATE, state(status="lost", session=OLD_SESSION, connected_at=START))
    rig.pass_time(1)
    rig.take(Kind.STATE, state(at=rig.now))
    rig.pass_time(10)
    assert rig.incidents("all") == []
    assert status_of(rig) == "online"


def test_a_retained_online_is_never_believed(rig: Rig) -> None:
    rig.take(Kind.STATE, state(), retain=True)
    assert rig.read(reads.node_states) == []

    rig.take(Kind.STATE, state())
    rig.pass_time(40)
    assert status_of(rig) == "silent"
    rig.restart()
    rig.take(Kind.STATE, state(at=rig.now), retain=True)
    assert status_of(rig) == "silent"


def test_a_hub_that_starts_judges_nobody_for_three_heartbeats(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.now += timedelta(hours=5)  # the hub was off
    rig.restart()
    rig.pass_time(29)
    assert status_of(rig) == "online"
    rig.pass_time(5)
    assert status_of(rig) == "silent"
    assert len(rig.incidents()) == 1


def test_a_retained_will_found_at_start_is_judged_after_the_grace(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.restart()
    rig.take(Kind.STATE, state(status="lost", heartbeat_s=10, connected_at=START), retain=True)
    assert status_of(rig) == "lost"
    rig.pass_time(20)
    assert rig.incidents() == []
    rig.pass_time(20)
    assert len(rig.incidents()) == 1


def test_while_the_hub_has_no_broker_nobody_falls_silent(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.link.connected_since = None
    rig.pass_time(300, every_s=10)
    assert status_of(rig) == "online"
    rig.link.connected_since = rig.monotonic_s
    rig.pass_time(29)
    assert status_of(rig) == "online"


def test_while_the_broker_holds_messages_back_nobody_falls_silent(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.link.crowded = True
    rig.pass_time(100, every_s=10)
    assert status_of(rig) == "online"


def test_a_node_that_said_it_stops_is_missed_only_after_ten_minutes(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.take(Kind.STATE, state(status="stopped", heartbeat_s=10))
    rig.pass_time(590, every_s=20)
    assert status_of(rig) == "stopped"
    assert rig.incidents() == []
    rig.pass_time(20)
    (incident,) = rig.incidents()
    assert incident.opened_evidence["cause"] == "stopped"
    assert status_of(rig) == "stopped"
