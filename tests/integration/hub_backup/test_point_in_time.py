"""PostgreSQL by base backup and archived log, with the very settings and commands of docs/backup.md."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from edge.agent import Agent
from edge.clock import SystemClock
from edge.devices import build
from hub.backup.facts import facts_of
from hub.db import open_database
from tests.integration.hub_backup.books import plan
from tests.integration.hub_backup.guide import archiving, guide
from tests.integration.hub_backup.running_hub import confirmed, running, seqs
from tests.support.hub_side import eventually
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import node_config
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

SEGMENT_BYTES = 16 * 1024 * 1024
LOST_AT_MOST_S = 300


def end_of(segment: str) -> int:
    """Where in the log, in bytes, a log file ends, by its name."""
    return (int(segment[8:16], 16) << 32) + (int(segment[16:24], 16) + 1) * SEGMENT_BYTES


def written(engine: Engine) -> tuple[set[int], int]:
    """What is committed, and a place in the log behind all of it."""
    with engine.connect() as conn:
        found = seqs(conn)
        lsn = conn.exec_driver_sql("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").scalar_one()
    return found, int(lsn)


def test_with_the_pages_settings_no_more_than_five_minutes_wait_for_the_archive() -> None:
    settings = guide().archiving
    assert settings["archive_mode"] == "on"
    handing_over_s = 60
    assert 0 < int(settings["archive_timeout"]) + handing_over_s <= LOST_AT_MOST_S


async def test_a_province_whose_data_folder_is_lost_comes_back_to_the_last_archived_byte(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    # The page's time, shortened: the clock alone hands the log over, as it does there.
    with archiving(archive_timeout="1") as here, Mosquitto(tmp_path / "broker") as broker:
        config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.1)
        stop = asyncio.Event()
        agent = asyncio.create_task(Agent(config, build(config), SystemClock("trusted")).run(stop))
        engine = open_database(here.url)
        journal: list[tuple[set[int], int]] = []

        def handed_over(count: int) -> bool:
            journal.append(written(engine))
            return len(here.segments()) >= count

        try:
            async with running(old, broker.port, here.url) as hub:
                await eventually(lambda: len(written(engine)[0]) >= 20, what="samples", limit_s=60)
                base = here.server.folder("base")
                await asyncio.to_thread(here.base_backup, base)
                in_base = confirmed(here.url)
                ledger_in_base = plan(engine, "k-2")
                before = len(here.segments())
                await eventually(lambda: handed_over(before + 3), what="the log to be archived", limit_s=60)
                hub.kill()
                at_loss, _ = written(engine)
            engine.dispose()
            await asyncio.to_thread(here.server.lose_data)

            archived_up_to = end_of(here.segments()[-1])
            safe = max((found for found, lsn in journal if lsn <= archived_up_to), key=len)
            assert len(safe) > len(in_base), "what the archive must bring beyond the base backup"
            with here.come_back(base) as restored:
                url = here.url.replace(f":{here.server.port}/", f":{restored.port}/")
                wait_until(lambda: promoted(url), what="the recovery to end", limit_s=60)
                back = confirmed(url)
                assert safe <= back
                again = open_database(url)
                with again.connect() as conn:
                    facts = facts_of(conn)  # the books' chain is walked: raises where it does not hold
                again.dispose()
                assert (facts.ledger_entries, facts.ledger_head) == ledger_in_base
                async with running(new, broker.port, url):
                    last = max(at_loss) + 20
                    await eventually(
                        lambda: (
                            last in confirmed(url)
                            and set(range(1, last)) - confirmed(url) <= at_loss - back
                        ),
                        what="the hub to take what is new and what was not confirmed",
                        limit_s=60,
                    )
        finally:
            stop.set()
            await agent


def test_postgresql_comes_back_to_the_second_before_somebody_deleted_everything() -> None:
    with archiving() as here:
        base = here.server.folder("base")
        here.base_backup(base)
        with psycopg.connect(here.url.replace("+psycopg", ""), autocommit=True) as conn:
            row = conn.execute("SELECT clock_timestamp()").fetchone()
            assert row is not None
            good = row[0]
            conn.execute("TRUNCATE pole CASCADE")  # the mistake
            row = conn.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
            assert row is not None
        wait_until(lambda: row[0] in here.segments(), what="the log to be archived", limit_s=60)
        assert poles(here.url) == 0
        with here.come_back(base, recovery_target_time=good.isoformat()) as restored:
            url = here.url.replace(f":{here.server.port}/", f":{restored.port}/")
            wait_until(lambda: poles(url) == 3, what="the poles to be back", limit_s=60)


def promoted(url: str) -> bool:
    """Whether the server has ended its recovery."""
    return _asked(url, "SELECT NOT pg_is_in_recovery()") is True


def poles(url: str) -> object:
    """How many poles are registered."""
    return _asked(url, "SELECT COUNT(*) FROM pole")


def _asked(url: str, question: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "")) as conn:
        row = conn.execute(question).fetchone()
    assert row is not None
    return row[0]
