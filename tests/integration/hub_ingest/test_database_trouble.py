"""A database that fails, and a message that the database refuses: nothing is lost, nothing stalls."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.incidents.catalogue import DEFAULT_RULES, known_kinds
from hub.incidents.loading import load_rules
from hub.ingest import reads
from hub.ingest.lock import IngestLock, IngestRunningError
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import COMMUNE, event, events, sample, state, telemetry

pytestmark = pytest.mark.servers


def break_database(rig: Rig) -> None:
    with rig.engine.begin() as conn:
        conn.execute(text("ALTER TABLE received RENAME TO received_away"))


def mend_database(rig: Rig) -> None:
    with rig.engine.begin() as conn:
        conn.execute(text("ALTER TABLE received_away RENAME TO received"))


def test_while_the_database_fails_nothing_is_acknowledged_and_then_all_is(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    break_database(rig)
    acknowledged = len(rig.link.acknowledged)
    rig.send(Kind.TELEMETRY, telemetry(sample(2)))
    rig.send(Kind.TELEMETRY, b"{")
    for _ in range(3):
        rig.committer.step()
    assert len(rig.link.acknowledged) == acknowledged
    assert len(rig.stored()) == 1

    mend_database(rig)
    rig.committer.step()
    assert len(rig.link.acknowledged) == acknowledged + 2
    assert [point.seq for point in rig.points()] == [1, 2]
    assert rig.stats()["rejects"] == {"total": 1, "by_reason": {"not_json": 1}}
    assert rig.stats()["samples_stored"] == 2
    assert rig.stats()["messages"] == 3


def test_nobody_falls_silent_because_the_database_was_away(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    break_database(rig)
    rig.send(Kind.TELEMETRY, telemetry(sample(1)))
    rig.pass_time(120, every_s=5)
    mend_database(rig)
    rig.pass_time(25)
    found = rig.read(lambda conn: reads.node_state_of(conn, "tg-0001"))
    assert found is not None
    assert found.status == "online"


def test_a_silence_noticed_in_a_failed_commit_is_noticed_again(rig: Rig) -> None:
    rig.take(Kind.STATE, state(heartbeat_s=10))
    rig.pass_time(25)
    with rig.engine.begin() as conn:
        conn.execute(text("ALTER TABLE node_state RENAME TO node_state_away"))
    rig.pass_time(10)
    with rig.engine.begin() as conn:
        conn.execute(text("ALTER TABLE node_state_away RENAME TO node_state"))
    rig.pass_time(35)
    found = rig.read(lambda conn: reads.node_state_of(conn, "tg-0001"))
    assert found is not None
    assert found.status == "silent"


def test_a_message_that_the_database_refuses_is_set_aside_alone(rig: Rig) -> None:
    with rig.engine.begin() as conn:
        if conn.dialect.name == "sqlite":
            conn.execute(
                text(
                    "CREATE TRIGGER refuse BEFORE INSERT ON node_event WHEN NEW.kind = 'supply_loss' "
                    "BEGIN SELECT RAISE(ABORT, 'refused'); END"
                )
            )
        else:
            conn.execute(text("ALTER TABLE node_event ADD CONSTRAINT refuse CHECK (kind <> 'supply_loss')"))
    rig.send(Kind.TELEMETRY, telemetry(sample(1)))
    rig.send(Kind.EVENT, events(event(2)))
    rig.send(Kind.TELEMETRY, telemetry(sample(3)))
    rig.committer.step()

    assert [point.seq for point in rig.points()] == [1, 3]
    (kept,) = rig.read(reads.rejects)
    assert (kept.reason, kept.topic) == ("hub_error", "ngonden/1/tram-than/tg-0001/event")
    assert len(rig.link.acknowledged) == 3
    rig.take(Kind.TELEMETRY, telemetry(sample(4)))
    assert len(rig.points()) == 3


def test_a_second_ingest_on_the_same_database_is_refused(rig: Rig) -> None:
    with pytest.raises(IngestRunningError, match="stop it first"):
        IngestLock(rig.engine)


def test_connections_that_postgresql_cut_are_made_again_and_the_lock_taken(postgres_rig: Rig) -> None:
    rig = postgres_rig
    rig.take(Kind.TELEMETRY, telemetry(sample(1)))
    with rig.engine.begin() as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    rig.send(Kind.TELEMETRY, telemetry(sample(2)))
    for _ in range(3):
        rig.committer.step()
    assert [point.seq for point in rig.points()] == [1, 2]
    with pytest.raises(IngestRunningError):
        IngestLock(rig.engine)


def test_the_thresholds_that_a_new_database_starts_with_are_the_codes_own(rig: Rig) -> None:
    with rig.engine.connect() as conn:
        book = load_rules(conn)
    assert {kind: book.of(kind, COMMUNE) for kind in known_kinds()} == DEFAULT_RULES


def test_thresholds_are_data(rig: Rig) -> None:
    with rig.engine.begin() as conn:
        conn.execute(text("UPDATE incident_rule SET hold_off_s = 0 WHERE kind = 'lamp_failure'"))
    rig.restart()
    rig.take(Kind.TELEMETRY, telemetry(sample(1, power_w=0.0)))
    assert len(rig.incidents()) == 1
