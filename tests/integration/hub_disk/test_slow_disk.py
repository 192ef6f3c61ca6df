"""A database that commits slowly, or not at all for a while, under a broker that sends faster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from hub.db import reading
from hub.incidents.reads import incidents
from hub.ingest import reads
from hub.ingest.service import IngestService
from hub.settings import BrokerSettings, HubSettings, IngestSettings
from hub.telemetry.factory import open_store
from hub.telemetry.port import TelemetryStore
from tests.integration.hub_ingest.rig import directory
from tests.integration.hub_ingest.talker import Talker
from tests.integration.hub_ingest.test_on_a_real_broker import until_confirmed, until_stored
from tests.support.mosquitto import Mosquitto
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

RECEIVE_MAXIMUM = 20
BATCH_MAX = 10
COMMIT_S = 0.1
MESSAGES_EACH = 100
SAMPLES = 20
"""In each message."""

ONE_READ = 256 * 1024 // 3000
"""Messages that one read of the hub's can bring; each has more than 3,000 bytes."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TelemetryStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    yield opened
    opened.close()


@contextmanager
def ingesting(engine: Engine, broker: Mosquitto, store: TelemetryStore) -> Iterator[IngestService]:
    settings = HubSettings(
        broker=BrokerSettings(host="127.0.0.1", port=broker.port, receive_maximum=RECEIVE_MAXIMUM),
        ingest=IngestSettings(batch_max=BATCH_MAX),
    )
    service = IngestService(settings, engine, store, directory(nodes=5))
    service.start()
    try:
        yield service
    finally:
        service.stop()


def make_commits_slow(engine: Engine) -> None:
    """From now on each row of the log takes a tenth of a second to write."""
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:
        never = threading.Event()

        @event.listens_for(engine, "connect")
        def _teach(connection: Any, _record: object) -> None:
            connection.create_function("dawdle", 0, lambda: never.wait(COMMIT_S))

        engine.dispose()
    statements = (
        ["CREATE TRIGGER slow AFTER INSERT ON telemetry_outbox BEGIN SELECT dawdle(); END"]
        if sqlite
        else [
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            f" 'BEGIN PERFORM pg_sleep({COMMIT_S}); RETURN NULL; END'",
            "CREATE TRIGGER slow AFTER INSERT ON telemetry_outbox EXECUTE FUNCTION dawdle()",
        ]
    )
    with engine.begin() as conn:
        for statement in statements:
            conn.execute(text(statement))


@contextmanager
def writes_held_up(engine: Engine) -> Iterator[None]:
    """Hold the lock that every commit of the ingest needs; it gives up on it after a fifth of a second."""
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as conn, conn.begin():
        if not sqlite:
            conn.execute(text("LOCK TABLE telemetry_outbox IN SHARE MODE"))
        yield


def be_impatient(engine: Engine) -> None:
    """Let a connection give up on a lock after a fifth of a second in place of ten."""
    impatience = (
        "PRAGMA busy_timeout=200" if engine.dialect.name == "sqlite" else "SET lock_timeout = '200ms'"
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.execute(impatience)
        if engine.dialect.name != "sqlite":
            connection.commit()  # else the setting goes with a rollback

    engine.dispose()


def stored_count(engine: Engine) -> int:
    """Samples whose transaction is committed."""
    with reading(engine).connect() as conn:
        return int(reads.stats(conn)["samples_stored"])


def confirmed_count(talkers: list[Talker]) -> int:
    return sum(talker.made - len(talker.unconfirmed) for talker in talkers)


def talk(stack: ExitStack, broker: Mosquitto) -> list[Talker]:
    talkers = [stack.enter_context(Talker(broker.port, number)) for number in (1, 2, 3)]
    for talker in talkers:
        talker.be_born()
    return talkers


def send_faster_than_it_commits(talkers: list[Talker]) -> int:
    """Three hundred messages at once; returns how many samples they hold."""
    for _ in range(MESSAGES_EACH):
        for talker in talkers:
            talker.make(SAMPLES)
    return SAMPLES * MESSAGES_EACH * len(talkers)


def test_a_slow_disk_fills_the_hub_to_its_bound_and_the_rest_waits_with_the_broker(
    engine: Engine, broker: Mosquitto, store: TelemetryStore
) -> None:
    make_commits_slow(engine)
    with ExitStack() as stack:
        service = stack.enter_context(ingesting(engine, broker, store))
        talkers = talk(stack, broker)
        sent = send_faster_than_it_commits(talkers)
        held: list[int] = []
        with_the_broker: list[int] = []

        def done() -> bool:
            held.append(service.held())
            confirmed = confirmed_count(talkers)
            stored = stored_count(engine)
            assert confirmed <= stored
            with_the_broker.append((sent - stored) // SAMPLES - held[-1])
            return confirmed == sent

        wait_until(done, what="all samples confirmed, none sent twice", limit_s=60)
        # mosquitto 2.0 forgets the window once the first of it is acknowledged: the hub keeps to it by itself.
        assert RECEIVE_MAXIMUM <= max(held) <= RECEIVE_MAXIMUM + BATCH_MAX + ONE_READ
        assert max(with_the_broker) > MESSAGES_EACH
        until_stored(store, *talkers)
        assert stored_count(engine) == sent
        with reading(engine).connect() as conn:
            assert reads.stats(conn)["duplicates"] == 0
            assert incidents(conn) == []


def test_a_stuck_disk_confirms_nothing_and_the_ingest_goes_on_by_itself(
    engine: Engine, broker: Mosquitto, store: TelemetryStore
) -> None:
    be_impatient(engine)
    with ExitStack() as stack:
        service = stack.enter_context(ingesting(engine, broker, store))
        talkers = talk(stack, broker)
        for talker in talkers:
            talker.make(1)
        until_confirmed(*talkers)
        wait_until(lambda: service.held() == 0, what="everything acknowledged")
        with writes_held_up(engine):
            sent = send_faster_than_it_commits(talkers)
            wait_until(lambda: service.held() == RECEIVE_MAXIMUM, what="the hub filled to its bound")
            with reading(engine).connect() as conn:
                seen_at = reads.ingest_seen_at(conn)
            # Its sign of life stands still: what /readyz and ngonden_ingest_alive_age_seconds go by.
            assert seen_at is not None
            wait_until(
                lambda: datetime.now(UTC) - seen_at > timedelta(seconds=4), what="the sign to grow old"
            )
            with reading(engine).connect() as conn:
                assert reads.ingest_seen_at(conn) == seen_at
            assert service.held() == RECEIVE_MAXIMUM
            assert confirmed_count(talkers) == len(talkers)
            assert stored_count(engine) == len(talkers)
        until_confirmed(*talkers, limit_s=60)
        until_stored(store, *talkers)
        assert stored_count(engine) == sent + len(talkers)
        wait_until(lambda: service.held() == 0, what="everything acknowledged")
        with reading(engine).connect() as conn:
            again_at = reads.ingest_seen_at(conn)
        assert again_at is not None
        assert again_at > seen_at
        assert service.is_alive()
