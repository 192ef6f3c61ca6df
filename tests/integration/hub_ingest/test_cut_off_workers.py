"""A worker whose way to the broker alone is broken leaves its communes to one that has a broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import Engine, func, select

from hub.db import open_database
from hub.ingest.link.broker import reaches
from hub.ingest.scaling.worker import WorkerService
from hub.ingest.tables import ingest_lease, ingest_worker
from hub.registry.importing import import_registry
from hub.settings import BrokerSettings, HubSettings, IngestSettings
from hub.telemetry.drainer import Drainer
from hub.telemetry.factory import open_store
from tests.integration.hub_ingest.talker import Talker
from tests.integration.hub_ingest.test_on_a_real_broker import until_confirmed
from tests.integration.hub_ingest.words import COMMUNE, START
from tests.support.hub_world import pole_line, registry_csv
from tests.support.mosquitto import Mosquitto
from tests.support.postgres import Postgres
from tests.support.servers import free_port, wait_until

pytestmark = pytest.mark.servers

LINES = ("listener {port} 127.0.0.1", "allow_anonymous true", "max_inflight_messages 0")
OTHER = "ha-hoa"
DEAF_FOR_S = 0.5


@pytest.fixture
def engine(postgres: Postgres, migrated_postgres: str) -> Iterator[Engine]:
    opened = open_database(postgres.new_database(migrated_postgres))
    elsewhere = pole_line(2, commune_code=OTHER, commune_name="xã Hạ Hòa", former_names="")
    with opened.begin() as conn:
        assert import_registry(conn, registry_csv(pole_line(1), elsewhere), now=START).stored
    yield opened
    opened.dispose()


@contextmanager
def _worker(engine: Engine, folder: Path, name: str, port: int) -> Iterator[WorkerService]:
    store = open_store(f"sqlite:///{folder / name}.db")
    settings = HubSettings(
        broker=BrokerSettings(host="127.0.0.1", port=port), ingest=IngestSettings(worker=name)
    )
    made = WorkerService(settings, engine, lambda outbox: Drainer(outbox, store), deaf_for_s=DEAF_FOR_S)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        store.close()


def test_its_communes_move_and_it_joins_again_with_its_broker(engine: Engine, tmp_path: Path) -> None:
    """Each on a broker of its own stands for two ways to one."""
    with ExitStack() as stack:
        near = stack.enter_context(Mosquitto(tmp_path / "near", config_lines=LINES))
        far = stack.enter_context(Mosquitto(tmp_path / "far", config_lines=LINES))
        stays = stack.enter_context(_worker(engine, tmp_path, "b", near.port))
        wait_until(lambda: stays.communes == {COMMUNE, OTHER}, what="one to hold both", limit_s=40)
        loses = stack.enter_context(_worker(engine, tmp_path, "a", far.port))
        wait_until(lambda: loses.communes == {COMMUNE}, what="the other to have its share", limit_s=40)
        talker = stack.enter_context(Talker(near.port, 1))
        talker.make(20)
        far.stop()
        wait_until(lambda: stays.communes == {COMMUNE, OTHER}, what="the commune to move", limit_s=40)
        assert loses.communes == frozenset()
        until_confirmed(talker, limit_s=60)
        far.start()
        wait_until(lambda: loses.communes == {COMMUNE}, what="it to come back", limit_s=40)


class Doubt:
    """Asks a worker whether it lives, far more often than its process does each second."""

    def __init__(self, worker: WorkerService) -> None:
        self._worker = worker
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.asked = self.denied = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.001):
            self.asked += 1
            self.denied += not self._worker.is_alive()


def test_a_worker_lives_while_its_share_changes(engine: Engine, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker", config_lines=LINES) as broker,
        _worker(engine, tmp_path, "b", broker.port) as stays,
        Doubt(stays) as doubt,
    ):
        for name in ("a", "c", "d"):
            wait_until(lambda: stays.communes == {COMMUNE, OTHER}, what="both held", limit_s=40)
            with _worker(engine, tmp_path, name, broker.port):
                wait_until(lambda: len(stays.communes) == 1, what="the other's share", limit_s=40)
    assert doubt.asked > 100
    assert doubt.denied == 0, "its process would have ended"


def test_where_nobody_has_a_broker_everybody_keeps_what_is_theirs(engine: Engine, tmp_path: Path) -> None:
    nowhere = free_port()
    with _worker(engine, tmp_path, "a", nowhere) as one, _worker(engine, tmp_path, "b", nowhere) as two:
        wait_until(lambda: len(one.communes) == len(two.communes) == 1, what="both shares", limit_s=40)
        before = _leases(engine)
        alive_until = _alive_until(engine)
        long_after = alive_until + timedelta(seconds=6 * DEAF_FOR_S)
        wait_until(lambda: _alive_until(engine) > long_after, what="longer than they wait", limit_s=40)
        assert _leases(engine) == before


def _leases(engine: Engine) -> set[tuple[str, str | None, int]]:
    with engine.connect() as conn:
        return {(one.commune, one.worker, one.token) for one in conn.execute(select(ingest_lease))}


def _alive_until(engine: Engine) -> datetime:
    with engine.connect() as conn:
        oldest: datetime = conn.execute(select(func.min(ingest_worker.c.alive_until))).scalar_one()
    return oldest


def test_a_broker_is_reached_or_not(tmp_path: Path) -> None:
    settings = BrokerSettings(host="127.0.0.1", port=free_port())
    assert not reaches(settings)
    with Mosquitto(tmp_path / "broker", config_lines=LINES, port=settings.port):
        assert reaches(settings)
