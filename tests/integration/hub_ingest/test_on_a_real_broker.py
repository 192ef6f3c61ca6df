"""The whole ingest on a real mosquitto: in this process, and as a process of its own that is killed."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.db import open_database, reading
from hub.incidents.reads import incidents
from hub.ingest import reads
from hub.ingest.service import IngestService
from hub.registry.importing import import_registry
from hub.settings import BrokerSettings, HubSettings
from hub.telemetry.factory import open_store
from hub.telemetry.port import TelemetryStore
from protocol import Kind
from tests.integration.hub_ingest.rig import directory
from tests.integration.hub_ingest.talker import Talker
from tests.integration.hub_ingest.words import START, node_name
from tests.support.hub_world import pole_line, registry_csv
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

BROKER = (
    "listener {port} 127.0.0.1",
    "allow_anonymous true",
    "max_inflight_messages 0",
    "max_queued_messages 0",
    "set_tcp_nodelay true",
    "persistence true",
    "persistence_location {folder}/",
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto", config_lines=BROKER) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TelemetryStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    yield opened
    opened.close()


@contextmanager
def ingesting(engine: Engine, broker: Mosquitto, store: TelemetryStore) -> Iterator[IngestService]:
    settings = HubSettings(broker=BrokerSettings(host="127.0.0.1", port=broker.port))
    service = IngestService(settings, engine, store, directory(nodes=5))
    service.start()
    try:
        yield service
    finally:
        service.stop()


def until_confirmed(*talkers: Talker, limit_s: float = 30) -> None:
    """Wait until every sample is confirmed, sending again now and then as a node does."""
    rounds = itertools.count(1)

    def done() -> bool:
        left = [talker for talker in talkers if talker.unconfirmed]
        if left and next(rounds) % 100 == 0:
            for talker in left:
                talker.send_again()
        return not left

    wait_until(done, what="all samples confirmed", limit_s=limit_s)


def until_stored(store: TelemetryStore, *talkers: Talker) -> None:
    """Wait until the telemetry store has exactly what was made: nothing missing, nothing twice."""

    def done() -> bool:
        return all(
            store.count(node_name(talker.number), str(talker.epoch)).points >= talker.made
            for talker in talkers
        )

    wait_until(done, what="all samples in the telemetry store", limit_s=30)
    for talker in talkers:
        tally = store.count(node_name(talker.number), str(talker.epoch))
        assert (tally.points, tally.distinct, tally.last_seq) == (talker.made,) * 3


def stats(engine: Engine) -> dict[str, object]:
    with reading(engine).connect() as conn:
        return reads.stats(conn)


def test_samples_are_confirmed_stored_and_timed(
    engine: Engine, broker: Mosquitto, store: TelemetryStore
) -> None:
    with ExitStack() as stack:
        service = stack.enter_context(ingesting(engine, broker, store))
        talkers = [stack.enter_context(Talker(broker.port, number)) for number in (1, 2, 3)]
        for talker in talkers:
            talker.be_born()
            talker.make(400)
        until_confirmed(*talkers)
        until_stored(store, *talkers)
        assert service.is_alive()
    assert not service.is_alive()
    told = stats(engine)
    assert told["samples_stored"] == 1200
    assert told["broker_connected"] is False
    assert told["outbox"] == {"batches": 0, "points": 0}
    latency = told["latency_ms"]
    assert isinstance(latency, dict)
    assert latency["count"] >= 1200


def test_bad_messages_among_good_ones_cost_no_good_one(
    sqlite_engine: Engine, broker: Mosquitto, store: TelemetryStore
) -> None:
    bad = [b"{", b"\xff\x00", b'{"v":1}', b"null", b"[" * 5000, b'{"x":' + b"[" * 5000, b"x" * 1_000_000]
    with ExitStack() as stack:
        stack.enter_context(ingesting(sqlite_engine, broker, store))
        good = stack.enter_context(Talker(broker.port, 1))
        evil = stack.enter_context(Talker(broker.port, 2))
        for kind, payload in itertools.product((Kind.TELEMETRY, Kind.EVENT, Kind.RECEIPT, Kind.STATE), bad):
            good.make(20)
            evil.publish(kind, payload)
        until_confirmed(good)
        until_stored(store, good)
        wait_until(
            lambda: stats(sqlite_engine)["rejects"]["total"] == 4 * len(bad),  # type: ignore[index]
            what="all bad messages counted",
        )
    with reading(sqlite_engine).connect() as conn:
        kept = reads.rejects(conn, limit=1000)
    assert len(kept) == 4 * len(bad)
    assert all(one.reason and one.detail and one.node == "tg-0002" for one in kept)


def test_a_node_that_loses_power_is_missed_through_its_will(
    sqlite_engine: Engine, broker: Mosquitto, store: TelemetryStore
) -> None:
    def open_kinds() -> list[str]:
        with reading(sqlite_engine).connect() as conn:
            return [one.kind for one in incidents(conn)]

    with ingesting(sqlite_engine, broker, store):
        with Talker(broker.port, 1, will=True) as talker:
            talker.be_born(heartbeat_s=600)
            talker.make(1)
            until_confirmed(talker)
            talker.die()
            wait_until(lambda: open_kinds() == ["communication_failure"], what="the incident to open")
        with Talker(broker.port, 1) as again:
            again.be_born(heartbeat_s=600)
            wait_until(lambda: open_kinds() == [], what="the incident to close", limit_s=15)


def test_a_broker_that_dies_and_comes_back_costs_nothing(
    sqlite_engine: Engine, broker: Mosquitto, store: TelemetryStore
) -> None:
    with ingesting(sqlite_engine, broker, store), Talker(broker.port, 1) as talker:
        for _ in range(3):
            talker.make(200)
            broker.kill()
            broker.start()
        until_confirmed(talker, limit_s=40)
        until_stored(store, talker)


def test_influxdb_away_for_a_while_loses_nothing(
    sqlite_engine: Engine, broker: Mosquitto, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        influxd = stack.enter_context(Influxd(tmp_path / "influxd"))
        store = open_store(f"influx+http://127.0.0.1:{influxd.port}/ngonden")
        stack.callback(store.close)
        stack.enter_context(ingesting(sqlite_engine, broker, store))
        talker = stack.enter_context(Talker(broker.port, 1))
        talker.make(100)
        until_confirmed(talker)
        until_stored(store, talker)
        influxd.kill()
        talker.make(500)
        until_confirmed(talker)  # the database holds them: that is all the node needs
        influxd.start()
        until_stored(store, talker)
        wait_until(
            lambda: stats(sqlite_engine)["outbox"] == {"batches": 0, "points": 0}, what="the outbox drained"
        )


class HubProcess:
    """`ngonden hub run` as its own process."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._config = folder / "hub.toml"
        self._config.write_text(f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\n')
        self._log = folder / "hub.log"
        self._starts = self._log.read_text().count("broker_connected") if self._log.exists() else 0
        self.start()

    def start(self) -> None:
        self._starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ngonden", "hub", "run", "--config", str(self._config)],
                stdout=log,
                stderr=log,
            )

    def until_up(self) -> None:
        """Wait until it is on the broker: from then on it ends politely when asked to."""
        wait_until(lambda: self.log().count("broker_connected") == self._starts, what="the hub", limit_s=60)

    def end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        return self._process.wait(60)

    def log(self) -> str:
        return self._log.read_text()


def test_a_hub_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'hub.db'}")
    hub = HubProcess(tmp_path, broker)
    try:
        hub.until_up()
        with engine.begin() as conn:
            rows = registry_csv(*(pole_line(n) for n in range(1, 4)))
            assert import_registry(conn, rows, now=START).stored
        with ExitStack() as stack:
            talkers = [stack.enter_context(Talker(broker.port, number)) for number in (1, 2, 3)]
            for round_ in range(5):
                confirmed = sum(talker.made - len(talker.unconfirmed) for talker in talkers)
                for talker in talkers:
                    talker.make(300)
                    talker.publish(Kind.TELEMETRY, b'{"round": %d}' % round_)
                wait_until(
                    lambda before=confirmed: sum(t.made - len(t.unconfirmed) for t in talkers) > before,  # type: ignore[misc]
                    what="the hub at work",
                    limit_s=20,
                )
                hub.end(signal.SIGKILL)
                hub.start()
                hub.until_up()
            until_confirmed(*talkers, limit_s=60)
            store = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
            until_stored(store, *talkers)
            store.close()
            wait_until(
                lambda: stats(engine)["rejects"]["total"] >= 15,  # type: ignore[index]
                what="the rejects counted",
            )
            assert stats(engine)["rejects"]["total"] == 15  # type: ignore[index]
            assert stats(engine)["samples_stored"] == 4500
    finally:
        assert hub.end(signal.SIGTERM) == 0, hub.log()
        engine.dispose()
    assert "Traceback" not in hub.log()


def test_a_second_hub_says_who_has_the_database(tmp_path: Path, broker: Mosquitto) -> None:
    first = HubProcess(tmp_path, broker)
    try:
        first.until_up()
        second = HubProcess(tmp_path, broker)
        assert second.end(signal.SIGCONT) == 2
        assert "another `ngonden hub` already takes messages" in second.log()
    finally:
        assert first.end(signal.SIGTERM) == 0, first.log()
