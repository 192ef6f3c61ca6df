"""Several ingests on one PostgreSQL: a death, a worker that wakes too late, and the books of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from hub.db import open_database
from hub.ingest import reads
from hub.ingest.lock import IngestLock, IngestRunningError
from hub.ingest.scaling.leases import give_back
from hub.ingest.scaling.recovery import recover
from hub.ingest.scaling.worker import WorkerService
from hub.ingest.tables import received
from hub.registry.importing import import_registry
from hub.settings import BrokerSettings, HubSettings, IngestSettings
from hub.telemetry.drainer import Drainer
from hub.telemetry.factory import open_store
from protocol import Kind
from tests.integration.hub_ingest.shares import MANY, beat_of, die, rig_of, say
from tests.integration.hub_ingest.talker import Talker
from tests.integration.hub_ingest.test_on_a_real_broker import until_confirmed, until_stored
from tests.integration.hub_ingest.words import COMMUNE, RATED_W, START, sample, telemetry
from tests.support.hub_world import pole_line, registry_csv
from tests.support.mosquitto import Mosquitto
from tests.support.postgres import Postgres
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers


@pytest.fixture
def postgres_engine(postgres: Postgres, migrated_postgres: str) -> Iterator[Engine]:
    opened = open_database(postgres.new_database(migrated_postgres))
    yield opened
    opened.dispose()


def test_one_dies_and_another_goes_on_where_it_had_committed(postgres_engine: Engine) -> None:
    first = rig_of(postgres_engine, beat_of(postgres_engine, "a"))
    say(first, 1)
    first.pass_time(1)
    say(first, 2)
    say(first, 3, power_w=RATED_W - 3)  # logged and confirmed, its rows of state not yet written
    assert first.stats()["samples_stored"] == 3 * MANY
    die(postgres_engine, "a")

    second = rig_of(postgres_engine, beat_of(postgres_engine, "b"))
    first.close()  # its last words are refused
    say(second, 3, power_w=RATED_W - 3)  # sent again
    say(second, 4)
    second.pass_time(3)
    stats = second.stats()
    assert (stats["samples_stored"], stats["duplicates"]) == (4 * MANY, MANY)
    ranges = second.read(lambda conn: list(conn.execute(select(received.c.ranges)).scalars()))
    assert ranges == [[[1, 4]]] * MANY
    points = [(point.node, point.seq) for point in second.points()]
    assert len(points) == len(set(points)) == 4 * MANY, "the heir drains what the dead one had logged"
    assert {one.seq for one in second.read(reads.pole_states)} == {4}
    second.close()


def test_a_worker_that_wakes_too_late_writes_and_confirms_nothing(postgres_engine: Engine) -> None:
    late = rig_of(postgres_engine, beat_of(postgres_engine, "a"))
    say(late, 1)
    late.pass_time(1)
    die(postgres_engine, "a")
    beat_of(postgres_engine, "b")
    acknowledged, told = len(late.link.acknowledged), len(late.stored())
    say(late, 2)
    for _ in range(3):
        late.committer.step()
    assert (len(late.link.acknowledged), len(late.stored())) == (acknowledged, told)
    assert late.stats()["samples_stored"] == MANY
    late.close()


def test_what_is_another_workers_is_acknowledged_and_not_confirmed(postgres_engine: Engine) -> None:
    beat_of(postgres_engine, "a", COMMUNE, "ha-hoa")
    held = beat_of(postgres_engine, "b", COMMUNE, "ha-hoa")
    assert not held.scope.tokens
    gives = beat_of(postgres_engine, "a", COMMUNE, "ha-hoa").give
    assert gives == (COMMUNE,)
    with postgres_engine.begin() as conn:
        give_back(conn, "a", gives, partial(recover, heir="a"))
    other = rig_of(postgres_engine, beat_of(postgres_engine, "a", COMMUNE, "ha-hoa"))
    other.take(Kind.TELEMETRY, telemetry(sample(1)))
    assert len(other.link.acknowledged) == 1
    assert other.stored() == []
    mine = rig_of(postgres_engine, beat_of(postgres_engine, "b", COMMUNE, "ha-hoa"))
    mine.take(Kind.TELEMETRY, telemetry(sample(1)))
    assert len(mine.stored()) == 1
    mine.close()
    other.close()


def test_on_a_real_broker_the_next_one_takes_over(postgres_engine: Engine, tmp_path: Path) -> None:
    lines = ("listener {port} 127.0.0.1", "allow_anonymous true", "max_inflight_messages 0")
    with postgres_engine.begin() as conn:
        assert import_registry(conn, registry_csv(*(pole_line(n) for n in (1, 2))), now=START).stored
    store = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(tmp_path / "mosquitto", config_lines=lines))

        def worker(name: str) -> WorkerService:
            settings = HubSettings(
                broker=BrokerSettings(host="127.0.0.1", port=broker.port),
                ingest=IngestSettings(worker=name),
            )
            made = WorkerService(settings, postgres_engine, lambda outbox: Drainer(outbox, store))
            made.start()
            return made

        first = worker("a")
        wait_until(lambda: first.communes == {COMMUNE}, what="the first to hold the commune", limit_s=40)
        second = worker("b")
        talkers = [stack.enter_context(Talker(broker.port, number)) for number in (1, 2)]
        for talker in talkers:
            talker.make(50)
        until_confirmed(*talkers, limit_s=60)
        first.stop()
        for talker in talkers:
            talker.make(50)
        wait_until(lambda: second.communes == {COMMUNE}, what="the second to take over", limit_s=40)
        until_confirmed(*talkers, limit_s=60)
        until_stored(store, *talkers)
        with pytest.raises(IngestRunningError):
            IngestLock(postgres_engine)
        second.stop()
    store.close()
