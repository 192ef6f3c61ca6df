"""A disk that is really full: nothing confirmed is lost, and the hub goes on by itself once there is room."""

from __future__ import annotations

import pwd
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bench.children import Child
from hub.db import open_database, reading
from hub.ingest import reads
from hub.ingest.draining import DrainProcess, drain_argv
from hub.registry.importing import import_registry
from hub.settings import IngestSettings
from hub.telemetry.factory import open_store
from protocol import Kind
from tests.integration.hub_disk.test_slow_disk import confirmed_count, stored_count
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.talker import Talker
from tests.integration.hub_ingest.test_on_a_real_broker import until_confirmed, until_stored
from tests.integration.hub_ingest.words import EPOCH, START, node_name, sample, state, telemetry
from tests.support.hub_config import write_hub_config
from tests.support.hub_world import pole_line, registry_csv
from tests.support.mosquitto import Mosquitto
from tests.support.postgres import Postgres
from tests.support.servers import wait_until
from tests.support.small_disk import SmallDisk

pytestmark = pytest.mark.servers

_MESSAGES_EACH = 100
_SAMPLES = 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "disk", size_mb=32) as made:
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "small", size_mb=18) as made:
        yield made


def hub_process(folder: Path, broker: Mosquitto, *, database: str, telemetry: Path) -> Child:
    """`ngonden hub run` with its database and its telemetry where they are to be, its log in `folder`."""
    config = folder / "hub.toml"
    config.write_text(
        f'database = "{database}"\ntelemetry = "sqlite:///{telemetry}/telemetry.db"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\nreceive_maximum = 100\n'
        "[ingest]\ndisk_reserve_mb = 1\n"
    )
    return Child(
        "hub",
        [sys.executable, "-m", "ngonden", "hub", "run", "--config", str(config)],
        log=folder / "hub.log",
        ready=lambda: "broker_connected" in (folder / "hub.log").read_text(),
        ready_within_s=60,
    )


def three_confirmed(stack: ExitStack, engine: Engine, broker: Mosquitto) -> list[Talker]:
    """Three nodes of the registry whose first samples are confirmed."""
    with engine.begin() as conn:
        rows = registry_csv(*(pole_line(n) for n in range(1, 4)))
        assert import_registry(conn, rows, now=START).stored
    talkers = [stack.enter_context(Talker(broker.port, number)) for number in (1, 2, 3)]
    for talker in talkers:
        talker.be_born()
        talker.make(_SAMPLES)
    until_confirmed(*talkers)
    return talkers


def test_a_hub_on_a_full_disk_confirms_nothing_and_goes_on_once_there_is_room(
    tmp_path: Path, disk: SmallDisk, broker: Mosquitto
) -> None:
    database = f"sqlite:///{disk.folder}/hub.db"
    engine = open_database(database)
    hub = hub_process(tmp_path, broker, database=database, telemetry=disk.folder)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        stack.callback(hub.kill)
        hub.start()
        talkers = three_confirmed(stack, engine, broker)
        store = open_store(f"sqlite:///{disk.folder}/telemetry.db")
        stack.callback(store.close)
        until_stored(store, *talkers)

        disk.fill()
        for _ in range(_MESSAGES_EACH):
            for talker in talkers:
                talker.make(_SAMPLES)
        wait_until(lambda: "database_lost" in hub.log_text(), what="the full disk noticed", limit_s=30)
        # Whatever was confirmed while the last free pages of the log were written is in the database.
        confirmed = confirmed_count(talkers)
        assert confirmed <= stored_count(engine)
        before_mb = hub.rss_mb()
        with reading(engine).connect() as conn:
            seen_at = reads.ingest_seen_at(conn)
        assert seen_at is not None
        wait_until(lambda: datetime.now(UTC) - seen_at > timedelta(seconds=6), what="the sign to grow old")
        for talker in talkers:
            talker.send_again()
        with reading(engine).connect() as conn:
            assert reads.ingest_seen_at(conn) == seen_at
        assert confirmed_count(talkers) == confirmed < sum(talker.made for talker in talkers)
        assert hub.rss_mb() < before_mb + 20

        disk.clear()
        until_confirmed(*talkers, limit_s=60)
        until_stored(store, *talkers)
        assert stored_count(engine) == sum(talker.made for talker in talkers)
        assert hub.log_text().count("database_lost") == 1
        assert hub.log_text().count("database_back") == 1
        assert "Traceback" not in hub.log_text()
        hub.stop()


def test_an_outbox_that_fills_the_disk_drains_again_once_the_store_is_back(
    migrated_sqlite: Path, small_disk: SmallDisk
) -> None:
    """Nobody makes room: what the hub kept free is enough to let go of what the store has taken."""
    shutil.copy(migrated_sqlite, small_disk.folder / "hub.db")
    engine = open_database(f"sqlite:///{small_disk.folder}/hub.db")
    rig = Rig(engine)
    rig.settings = IngestSettings(disk_reserve_mb=8)
    rig.restart()
    rig.take(Kind.STATE, state(heartbeat_s=10))
    sent = 1

    def send() -> None:
        nonlocal sent
        seqs = range(200 * sent - 199, 200 * sent + 1)
        rig.send(Kind.TELEMETRY, telemetry(*[sample(seq, at=rig.now) for seq in seqs]))
        sent += 1
        rig.pass_time(1)

    while len(rig.link.acknowledged) == sent:
        send()
        assert sent < 2000
    for _ in range(5):
        send()
    full = len(rig.link.acknowledged)
    assert full == sent - 6
    assert small_disk.free_bytes > 1_000_000
    assert rig.read(reads.ingest_disk_full)
    rig.pass_time(60, every_s=5)
    assert rig.incidents() == []
    assert rig.read(reads.ingest_seen_at) == rig.now

    while rows := rig.outbox.waiting(0, 1000):
        rig.outbox.done([row.id for row in rows], points=sum(len(row.points) for row in rows))
        rig.pass_time(2)
        if len(rig.link.acknowledged) == sent:
            break
    assert len(rig.link.acknowledged) == sent
    assert not rig.read(reads.ingest_disk_full)
    assert rig.stats()["samples_stored"] == 200 * (sent - 1)
    assert rig.incidents() == []
    rig.close()
    engine.dispose()


def test_telemetry_that_cannot_be_opened_on_a_full_disk_waits_in_the_database(
    sqlite_engine: Engine, tmp_path: Path, disk: SmallDisk
) -> None:
    """The child that drains stays the same process, and tells its parent that the store is lost, and back."""
    config = write_hub_config(tmp_path, sqlite_engine, telemetry=disk.folder)
    rig = Rig(sqlite_engine)
    disk.fill()
    drain = DrainProcess(rig.outbox, drain_argv(str(config)))
    drain.start()
    try:
        rig.take(Kind.TELEMETRY, telemetry(sample(1, at=rig.now)))
        wait_until(lambda: not drain.store_is_up(), what="the full disk noticed", limit_s=60)
        child = drain.pid
        assert [point.seq for point in rig.points()] == [1]
        disk.clear()
        wait_until(drain.store_is_up, what="the store opened", limit_s=60)
        rig.take(Kind.TELEMETRY, telemetry(sample(2, at=rig.now)))
        store = open_store(f"sqlite:///{disk.folder}/telemetry.db")
        wait_until(
            lambda: store.count(node_name(1), str(EPOCH)).points == 2, what="both stored", limit_s=60
        )
        store.close()
        assert drain.pid == child
    finally:
        drain.stop()
    rig.close()


def test_a_full_tablespace_of_postgresql_acknowledges_nothing_and_loses_nothing(
    postgres: Postgres, migrated_postgres: str
) -> None:
    user = pwd.getpwnam("postgres")
    folder = postgres.folder("small")
    engine = open_database(postgres.new_database(migrated_postgres))
    with SmallDisk(folder, size_mb=8, owner=(user.pw_uid, user.pw_gid)) as disk, ExitStack() as stack:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text(f"CREATE TABLESPACE small LOCATION '{folder}'"))
            conn.execute(text("ALTER TABLE telemetry_outbox SET TABLESPACE small"))
        stack.callback(engine.dispose)
        rig = Rig(engine)
        rig.take(Kind.TELEMETRY, telemetry(sample(1)))
        disk.fill()
        acknowledged, confirmed = len(rig.link.acknowledged), len(rig.stored())
        for first in range(2, 2002, 200):
            rig.send(
                Kind.TELEMETRY,
                telemetry(*[sample(seq, at=rig.now, power_w=seq / 7) for seq in range(first, first + 200)]),
            )
        for _ in range(5):
            rig.committer.step()
        assert len(rig.link.acknowledged) == acknowledged
        assert len(rig.stored()) == confirmed
        assert rig.stats()["samples_stored"] == 1

        disk.clear()
        rig.committer.step()
        assert len(rig.link.acknowledged) == acknowledged + 10
        assert [point.seq for point in rig.points()] == list(range(1, 2002))
        rig.close()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("ALTER TABLE telemetry_outbox SET TABLESPACE pg_default"))
            conn.execute(text("DROP TABLESPACE small"))
