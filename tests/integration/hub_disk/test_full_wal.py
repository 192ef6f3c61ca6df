"""PostgreSQL whose write-ahead log has no room left: the server gives up, and the hub outlives it."""

from __future__ import annotations

import os
import pwd
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.db import open_database
from hub.migrations.runner import upgrade
from hub.telemetry.factory import open_store
from tests.integration.hub_disk.test_full_disk import hub_process, three_confirmed
from tests.integration.hub_disk.test_slow_disk import confirmed_count, stored_count
from tests.integration.hub_ingest.talker import Talker
from tests.integration.hub_ingest.test_on_a_real_broker import until_confirmed, until_stored
from tests.support.mosquitto import Mosquitto
from tests.support.postgres import Postgres
from tests.support.servers import wait_until
from tests.support.small_disk import SmallDisk

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]

_SAMPLES = 20


@pytest.fixture
def wal_disk_and_server() -> Iterator[tuple[SmallDisk, Postgres]]:
    """A server whose `pg_wal` lies on a small disk of its own and is never let go of: archiving it fails."""
    user = pwd.getpwnam("postgres")
    disks: list[SmallDisk] = []

    def prepare(server: Postgres, data: Path) -> None:
        disk = SmallDisk(server.folder("wal"), size_mb=32, owner=(user.pw_uid, user.pw_gid))
        disks.append(stack.enter_context(disk))
        server.initdb(str(data), "-X", f"{disk.folder}/pg_wal", "--wal-segsize=1")

    server = Postgres(
        settings=["archive_mode=on", "archive_command=false", "max_wal_size=4MB"], prepare=prepare
    )
    with ExitStack() as stack:
        stack.callback(server.stop)  # once more after the disk is gone: its folder could not go before
        stack.enter_context(server)
        yield disks[0], server


def confirmed_at_rest(talkers: list[Talker]) -> int:
    """Samples confirmed, once what the broker still had of the hub's confirmations has come."""
    before, now = -1, confirmed_count(talkers)
    while now != before:
        time.sleep(0.5)
        before, now = now, confirmed_count(talkers)
    return now


def test_a_full_wal_disk_loses_nothing_confirmed_and_the_hub_goes_on_with_the_server(
    tmp_path: Path, wal_disk_and_server: tuple[SmallDisk, Postgres], broker: Mosquitto
) -> None:
    disk, server = wal_disk_and_server
    database = server.new_database()
    engine = open_database(database)
    upgrade(engine)
    hub = hub_process(tmp_path, broker, database=database, telemetry=tmp_path)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        stack.callback(hub.kill)
        hub.start()
        pid, before_mb = hub.pid, hub.rss_mb()
        talkers = three_confirmed(stack, engine, broker)

        disk.fill()

        def lost_after_more() -> bool:
            for talker in talkers:
                talker.make(_SAMPLES)
            return "database_lost" in hub.log_text()

        wait_until(lost_after_more, what="the full disk noticed", limit_s=60, every_s=0.05)
        wait_until(lambda: not server.running, what="the server to give up", limit_s=30)
        for talker in talkers:
            talker.make(100 * _SAMPLES)
        # The hub stands still, so that nothing new is stored between what is confirmed and what is counted.
        os.kill(pid, signal.SIGSTOP)
        confirmed = confirmed_at_rest(talkers)
        disk.clear()
        server.start_again()
        assert confirmed <= stored_count(engine)
        os.kill(pid, signal.SIGCONT)

        until_confirmed(*talkers, limit_s=60)
        store = open_store(f"sqlite:///{tmp_path}/telemetry.db")
        stack.callback(store.close)
        until_stored(store, *talkers)
        assert stored_count(engine) == sum(talker.made for talker in talkers)
        assert hub.pid == pid, "the hub was started again"
        assert hub.rss_mb() < before_mb + 40
        assert "database_back" in hub.log_text()
        assert "Traceback" not in hub.log_text()
        hub.stop()
