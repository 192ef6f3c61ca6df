"""Messages into SQL without a broker: what is stored, what is told, what is set aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from hub.ingest import reads
from hub.ingest.judging.directory import KnownNode
from hub.ingest.tables import received
from protocol import CameraReading, Event, Kind, Range, pack
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import (
    EPOCH,
    START,
    after,
    event,
    events,
    node_topic,
    sample,
    state,
    telemetry,
)

pytestmark = pytest.mark.servers


def test_a_sample_becomes_state_point_and_confirmation(rig: Rig) -> None:
    camera = CameraReading(camera="CAM-1", reachable=True, latency_ms=3.5)
    mid = rig.link.deliver(
        node_topic(1, Kind.TELEMETRY),
        telemetry(sample(1, cameras=[camera], override_until=after(3600))),
        at=rig.now.timestamp(),
    )
    rig.committer.step()

    (pole,) = rig.read(reads.pole_states)
    assert (pole.pole, pole.seq, pole.power_w, pole.sample_at) == ("TG-0001", 1, 40.0, START)
    assert pole.override_until == after(3600)
    assert pole.cameras == (reads.CameraStatus("CAM-1", reachable=True, latency_ms=3.5),)
    (point,) = rig.points()
    assert (point.seq, point.time_ms, point.historical) == (1, int(START.timestamp() * 1000), False)
    assert rig.link.acknowledged == [mid]
    (told,) = rig.stored()
    assert (told.node, told.epoch, told.ranges) == ("tg-0001", EPOCH, [Range(1, 1)])


def test_confirmations_of_one_batch_are_one_message_per_node(rig: Rig) -> None:
    for seq in (3, 1, 2, 7):
        rig.send(Kind.TELEMETRY, telemetry(sample(seq)))
    rig.send(Kind.TELEMETRY, telemetry(sample(1, number=2), number=2), number=2)
    rig.committer.step()

    told = {message.node: message.ranges for message in rig.stored()}
    assert told == {"tg-0001": [Range(1, 3), Range(7, 7)], "tg-0002": [Range(1, 1)]}
    assert len(rig.stored()) == 2


def test_a_sample_sent_again_is_confirmed_again_and_stored_once(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1), sample(2)))
    rig.take(Kind.TELEMETRY, telemetry(sample(2, historical=True), sample(1, historical=True)))
    rig.pass_time(3)  # counters alone are written every two seconds
    rig.restart()
    rig.take(Kind.TELEMETRY, telemetry(sample(1), sample(3)))

    assert sorted(point.seq for point in rig.points()) == [1, 2, 3]
    assert rig.stored()[-1].ranges == [Range(1, 1), Range(3, 3)]
    assert rig.stats()["duplicates"] == 3
    assert rig.stats()["samples_stored"] == 3


def test_the_same_seq_of_a_new_epoch_is_another_sample(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    rig.take(Kind.TELEMETRY, telemetry(sample(1, at=after(1)), epoch=uuid4()))
    assert len(rig.points()) == 2


def test_history_is_kept_but_does_not_overwrite_what_is_newer(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(10, power_w=40)))
    old = START - timedelta(hours=2)
    rig.take(Kind.TELEMETRY, telemetry(sample(3, at=old, power_w=1, historical=True)))
    other_epoch = telemetry(sample(99, at=old, power_w=2, historical=True), epoch=uuid4())
    rig.take(Kind.TELEMETRY, other_epoch)

    (pole,) = rig.read(reads.pole_states)
    assert pole.power_w == 40
    assert len(rig.points()) == 3


def test_a_sample_that_the_broker_held_back_is_history(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1, at=START - timedelta(minutes=10), power_w=0)))
    (point,) = rig.points()
    assert point.historical


def test_a_live_sample_of_an_unsynchronised_clock_is_filed_under_its_arrival(rig: Rig) -> None:
    wild = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    rig.take(Kind.TELEMETRY, telemetry(sample(1, at=wild, clock="unsynced")))
    (pole,) = rig.read(reads.pole_states)
    assert pole.sample_at == START
    assert pole.clock == "unsynced"


def test_a_wrong_clock_still_measures_how_long_a_live_sample_waited_on_its_node(rig: Rig) -> None:
    wild = datetime(2036, 1, 1, tzinfo=UTC)
    waited = sample(1, at=wild - timedelta(seconds=8), clock="unsynced")
    moved_meanwhile = sample(2, at=START - timedelta(days=3), clock="unsynced")
    rig.take(Kind.TELEMETRY, telemetry(waited, moved_meanwhile, sent_at=wild))
    assert [point.time_ms for point in rig.points()] == [
        round(START.timestamp() * 1000) - 8000,
        round(START.timestamp() * 1000),
    ]


def test_a_gap_that_the_node_tells_is_closed_and_what_it_kept_still_comes(rig: Rig) -> None:
    told = Event(
        seq=9,
        time=START,
        clock="synced",
        kind="outbox_overflow",
        detail={"epoch": str(EPOCH), "dropped": 5, "first_seq": 1, "last_seq": 6, "runs": "1-3,5-6"},
    )
    rig.take(Kind.EVENT, events(told))
    rig.take(Kind.EVENT, events(event(4)))
    rig.take(Kind.TELEMETRY, telemetry(sample(7), sample(8)))
    assert rig.read(lambda conn: conn.execute(select(received.c.ranges)).scalars().all()) == [[[1, 9]]]
    assert rig.stats()["events_stored"] == 2


def test_one_bad_sample_is_set_aside_and_its_neighbours_are_stored(rig: Rig) -> None:
    payload = telemetry(sample(1), sample(2, power_w=41.5), sample(3)).replace(b"41.5", b'"41.5"')
    rig.take(Kind.TELEMETRY, payload)

    assert [point.seq for point in rig.points()] == [1, 3]
    (told,) = rig.stored()
    assert told.ranges == [Range(1, 1), Range(3, 3)]
    assert [(a.first, a.last, a.reason) for a in told.set_aside] == [(2, 2, "wrong_type")]
    (kept,) = rig.read(reads.rejects)
    assert (kept.node, kept.epoch, kept.seq, kept.reason) == ("tg-0001", str(EPOCH), 2, "wrong_type")
    assert b'"41.5"' in kept.payload


def test_a_seq_set_aside_once_is_stored_when_it_comes_well_formed(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1, power_w=41.5)).replace(b"41.5", b'"41.5"'))
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    assert [point.seq for point in rig.points()] == [1]


@pytest.mark.parametrize(
    ("number", "payload", "reason", "is_told"),
    [
        (9, telemetry(sample(1, number=9), number=9), "unknown_node", False),
        (1, telemetry(sample(1, number=2)), "foreign_pole", True),
        (1, telemetry(sample(1, number=2), number=2), "wrong_node", False),
        (1, telemetry(sample(1, at=datetime(1970, 1, 1, tzinfo=UTC))), "implausible_time", True),
        (1, telemetry(sample(1, at=datetime(2100, 1, 1, tzinfo=UTC))), "implausible_time", True),
        (1, telemetry(sample(1))[:-20], "not_json", False),
        (1, b"\x00\xff\xfe", "not_json", False),
        (1, pack(telemetry(sample(1)))[:-5], "bad_packing", False),
        (1, b"\x02" + pack(telemetry(sample(1)))[1:], "bad_packing", False),
        (1, pack(b" " * 10_000_000), "too_large", False),
        (1, pack(telemetry(sample(1)).replace(b"power_w", b"power_kw")), "wrong_unit", True),
        (1, b"[" * 100_000, "wrong_type", False),
        (1, b'{"x":' + b"[" * 100_000, "not_json", False),
        (1, telemetry(sample(1, power_w=41.5)).replace(b"41.5", b"NaN"), "not_json", False),
        (1, b'{"v":1,"pad":"' + b"x" * 1_000_000 + b'"}', "too_large", False),
        (1, telemetry(sample(1)).replace(b"power_w", b"power_kw"), "wrong_unit", True),
        (
            1,
            telemetry(sample(1, override_until=START)).replace(
                b'"override_until":"2026-03-01T12:00:00Z"', b'"override_until":"9999-12-31T23:59:59-14:00"'
            ),
            "out_of_range",
            True,
        ),
    ],
)
def test_the_malformed_zoo(rig: Rig, number: int, payload: bytes, reason: str, is_told: bool) -> None:
    rig.send(Kind.TELEMETRY, telemetry(sample(5, number=2), number=2), number=2)
    rig.send(Kind.TELEMETRY, payload, number=number)
    rig.send(Kind.TELEMETRY, telemetry(sample(6, number=2), number=2), number=2)
    rig.committer.step()

    (kept,) = rig.read(reads.rejects)
    assert kept.reason == reason
    assert kept.size >= len(kept.payload) > 0
    assert rig.stats()["rejects"] == {"total": 1, "by_reason": {reason: 1}}
    assert [point.seq for point in rig.points()] == [5, 6]
    told = [message.set_aside for message in rig.stored() if message.node == "tg-0001"]
    assert ([(a.first, a.last, a.reason) for a in told[0]] == [(1, 1, reason)]) if is_told else not told
    assert len(rig.link.acknowledged) == 3


def test_a_packed_message_is_stored_and_its_bad_sample_kept_as_text(rig: Rig) -> None:
    bad = telemetry(sample(1), sample(2, power_w=-41.5), sample(3))
    rig.take(Kind.TELEMETRY, pack(bad))
    assert [point.seq for point in rig.points()] == [1, 3]
    (kept,) = rig.read(reads.rejects)
    assert kept.reason == "out_of_range"
    assert kept.payload.startswith(b'{"seq":2,')


def test_a_packed_message_cannot_hide_what_the_database_cannot_store(rig: Rig) -> None:
    packed = pack(events(event(1, note="a\x00b"), event(2)))
    assert packed[:1] == b"\x01"
    rig.send(Kind.EVENT, packed)
    rig.committer.step()
    assert [reject.reason for reject in rig.read(reads.rejects)] == ["nul_character"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ngonden/1/somewhere/tg-0001/telemetry", "wrong_commune"),
        ("ngonden/1/tram-than/tg-0001/gossip", "bad_topic"),
        ("ngonden/1/tram-than/tg-0001/stored", "bad_topic"),
        ("ngonden/2/tram-than/tg-0001/telemetry", "bad_topic"),
    ],
)
def test_a_topic_that_is_not_the_nodes_is_set_aside(rig: Rig, name: str, reason: str) -> None:
    rig.link.deliver(name, telemetry(sample(1)), at=rig.now.timestamp())
    rig.committer.step()
    (kept,) = rig.read(reads.rejects)
    assert (kept.reason, kept.topic) == (reason, name)
    assert rig.points() == []


def test_a_redelivered_bad_message_is_kept_once(rig: Rig) -> None:
    rig.send(Kind.TELEMETRY, b"{")
    rig.committer.step()
    rig.restart()
    rig.send(Kind.TELEMETRY, b"{", dup=True)
    rig.committer.step()
    assert len(rig.read(reads.rejects)) == 1
    assert rig.stats()["rejects"] == {"total": 1, "by_reason": {"not_json": 1}}


def test_a_node_registered_later_is_taken_from_then_on(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1, number=9), number=9), number=9)
    rig.directory.add(KnownNode("tg-0009", "tram-than", frozenset({"TG-0009"})))
    rig.take(Kind.TELEMETRY, telemetry(sample(1, number=9), number=9), number=9)
    assert [point.node for point in rig.points()] == ["tg-0009"]


def test_events_are_kept_once_with_their_detail(rig: Rig) -> None:
    rig.take(Kind.EVENT, events(event(4, voltage_v=12.5, note="mất điện")))
    rig.take(Kind.EVENT, events(event(4, voltage_v=12.5, note="mất điện"), event(5)))
    found = rig.read(reads.events)
    assert [(one.kind, dict(one.detail)) for one in found] == [
        ("supply_loss", {}),
        ("supply_loss", {"voltage_v": 12.5, "note": "mất điện"}),
    ]
    assert rig.stored()[-1].ranges == [Range(4, 5)]


def test_a_text_that_postgresql_cannot_store_stops_nothing(rig: Rig) -> None:
    rig.send(Kind.EVENT, events(event(1, note="a\x00b"), event(2)))
    rig.send(Kind.STATE, state().replace(b"0.1.0", b"\\u0000"))
    rig.send(Kind.TELEMETRY, telemetry(sample(3)))
    rig.committer.step()
    assert [one.reason for one in rig.read(reads.rejects)] == ["nul_character", "nul_character"]
    assert len(rig.read(reads.events)) == 1
    assert [point.seq for point in rig.points()] == [3]


def test_counters_survive_a_restart_as_totals(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    rig.send(Kind.TELEMETRY, b"{")
    rig.committer.step()
    rig.restart()
    rig.take(Kind.TELEMETRY, telemetry(sample(2)))
    stats = rig.stats()
    assert (stats["messages"], stats["samples_stored"]) == (3, 2)
    assert stats["rejects"] == {"total": 1, "by_reason": {"not_json": 1}}
    assert stats["outbox"] == {"batches": 2, "points": 2}


def test_the_latency_of_live_synchronised_samples_is_measured(rig: Rig) -> None:
    rig.now = after(0.25)
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    rig.take(Kind.TELEMETRY, telemetry(sample(2, clock="unsynced"), sample(3, historical=True)))
    rig.pass_time(3)
    latency = rig.stats()["latency_ms"]
    assert isinstance(latency, dict)
    assert latency["count"] == 1
    assert latency["p50"] == pytest.approx(250, rel=0.05)


def test_revisions_grow_with_every_commit_and_tell_what_is_new(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    seen = rig.read(reads.latest_revision)
    assert rig.read(lambda conn: reads.pole_states(conn, seen)) == []
    rig.take(Kind.TELEMETRY, telemetry(sample(1, number=2), number=2), number=2)
    assert [pole.pole for pole in rig.read(lambda conn: reads.pole_states(conn, seen))] == ["TG-0002"]


def test_the_oldest_rejects_go_when_there_are_too_many(rig: Rig) -> None:
    rig.settings = rig.settings.model_copy(update={"reject_keep_rows": 100})
    rig.restart()
    for _ in range(130):
        rig.send(Kind.TELEMETRY, b"{")
    rig.committer.step()
    rig.pass_time(601, every_s=60)
    assert len(rig.read(lambda conn: reads.rejects(conn, limit=1000))) == 100
    assert rig.stats()["rejects"] == {"total": 130, "by_reason": {"not_json": 130}}


def test_a_crowd_of_unknown_names_does_not_read_the_registry_each_time(rig: Rig) -> None:
    for _ in range(50):
        rig.send(Kind.TELEMETRY, telemetry(sample(1, number=9), number=9), number=9)
    refreshes = rig.directory.refreshes
    rig.committer.step()
    assert rig.directory.refreshes - refreshes <= 2
