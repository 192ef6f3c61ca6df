"""A wish for many on its way out: paced, behind what one person asks of one pole, and never stale."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from edge.agent import Agent
from edge.clock import SystemClock
from edge.devices import build
from hub.commands.batch_reads import BatchView, batch
from hub.commands.batches import Wish, cancel, request_many
from hub.commands.scope import Addressee, Chosen, Scope
from hub.db import reading
from hub.ingest.reads import node_state_of
from hub.ingest.service import IngestService
from hub.settings import BrokerSettings, HubSettings
from hub.telemetry.factory import open_store
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig, directory
from tests.integration.hub_ingest.test_command_path import ask, sent
from tests.integration.hub_ingest.words import receipt, sample, state, telemetry
from tests.support.hub_side import eventually
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, NODE, POLE, node_config

pytestmark = pytest.mark.servers

QUARTER = timedelta(minutes=15)


def wish_for(
    engine: Engine, *poles: str, now: datetime, level: float = 1.0, valid_for: timedelta = QUARTER
) -> str:
    """Full light for two hours; returns the batch's id."""
    chosen = Chosen(tuple(Addressee(pole, pole.lower(), COMMUNE) for pole in poles), ())
    wish = Wish(
        idempotency_key=str(uuid4()),
        action="lamp_override",
        scope=Scope("commune", COMMUNE),
        why="tìm người lạc",
        by="an",
        valid_for=valid_for,
        level=level,
        until=now + timedelta(hours=2),
    )
    with engine.begin() as conn:
        return request_many(conn, wish, chosen, now=now)[0]


def seen(engine: Engine, batch_id: str) -> BatchView:
    with reading(engine).connect() as conn:
        found = batch(conn, batch_id)
    assert found is not None
    return found


def test_a_storm_goes_out_at_its_pace_and_holds_up_neither_samples_nor_one_clerks_wish(rig: Rig) -> None:
    made = wish_for(rig.engine, *(f"TG-{n:04}" for n in range(1, 501)), now=rig.now)
    rig.pass_time(0.25, every_s=0.25)
    assert len(sent(rig)) == 40  # a round is due every fifth of a second: 200 a second at most
    one = ask(rig, level=0.5)
    rig.send(Kind.TELEMETRY, telemetry(sample(1, at=rig.now)))
    rig.pass_time(0.25, every_s=0.25)
    assert len(rig.stored()) == 1
    out = sent(rig)
    assert (len(out), str(out[40].id)) == (80, one.id)
    rig.pass_time(2.25, every_s=0.25)
    assert len(sent(rig)) == 440
    assert seen(rig.engine, made).counts == {"sent": 439, "requested": 61}
    rig.pass_time(0.5, every_s=0.25)
    assert (len(sent(rig)), seen(rig.engine, made).counts) == (501, {"sent": 500})


def test_what_is_taken_back_before_it_left_never_leaves(rig: Rig) -> None:
    made = wish_for(rig.engine, *(f"TG-{n:04}" for n in range(1, 101)), now=rig.now)
    rig.pass_time(0.25, every_s=0.25)
    with rig.engine.begin() as conn:
        reverting = cancel(conn, made, by="an", now=rig.now, valid_for=QUARTER)
    assert reverting is not None
    rig.pass_time(3, every_s=0.25)
    out = sent(rig)
    assert [one.action for one in out].count("lamp_override") == 40
    assert {one.pole for one in out if one.action == "lamp_auto"} == {
        one.pole for one in out if one.action == "lamp_override"
    }


def test_a_node_born_within_the_time_gets_it_again_and_after_it_nothing(rig: Rig) -> None:
    made = wish_for(rig.engine, "TG-0001", "TG-0002", now=rig.now)
    rig.pass_time(1)
    rig.pass_time(600, every_s=60)
    rig.take(Kind.STATE, state(session=uuid4(), at=rig.now))
    rig.pass_time(1)
    assert [one.pole for one in sent(rig)] == ["TG-0001", "TG-0002", "TG-0001"]
    again = [one for one in rig.link.published if one.topic.endswith("/command")][-1]
    assert again.expiry_s is not None
    assert 290 <= again.expiry_s <= 300  # what is left of the quarter of an hour
    rig.take(Kind.RECEIPT, receipt(1, str(sent(rig)[0].id), "applied", at=rig.now, power_w=49.0))
    rig.pass_time(330, every_s=30)
    assert seen(rig.engine, made).counts == {"applied": 1, "expired": 1}
    rig.take(Kind.STATE, state(session=uuid4(), at=rig.now, number=2), number=2)
    rig.pass_time(2)
    assert len(sent(rig)) == 3


async def test_a_node_that_was_away_too_long_finds_nothing_stale_at_the_broker(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    """A real agent on a real broker: in reach it obeys; two wishes asked while it is away, one of which runs
    out before it is back, reach it as one.
    """
    store = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    lines = ["listener {port} 127.0.0.1", "allow_anonymous true", "persistence false"]
    with Mosquitto(tmp_path / "broker", config_lines=lines) as broker:
        settings = HubSettings(broker=BrokerSettings(port=broker.port))
        service = IngestService(settings, sqlite_engine, store, directory())
        service.start()
        config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.2)
        try:
            async with _running(config, sqlite_engine):
                near = wish_for(sqlite_engine, POLE, now=datetime.now(UTC), level=0.9)
                await eventually(
                    lambda: seen(sqlite_engine, near).counts == {"applied": 1}, what="the lamp to follow"
                )
            await eventually(lambda: _status(sqlite_engine) == "stopped", what="the farewell")
            asked = datetime.now(UTC)
            stale = wish_for(sqlite_engine, POLE, now=asked, level=0.3, valid_for=timedelta(seconds=2))
            fresh = wish_for(sqlite_engine, POLE, now=datetime.now(UTC), level=0.6)
            await eventually(
                lambda: seen(sqlite_engine, fresh).counts == {"sent": 1}, what="both to reach the broker"
            )
            await eventually(
                lambda: seen(sqlite_engine, stale).counts == {"expired": 1},
                what="the first to run out",
                limit_s=20,
            )
            async with _running(config, sqlite_engine):
                await eventually(
                    lambda: seen(sqlite_engine, fresh).counts == {"applied": 1},
                    what="the second to be done",
                )
            assert seen(sqlite_engine, stale).counts == {"expired": 1}
        finally:
            await asyncio.to_thread(service.stop)
            store.close()


class _running:  # noqa: N801  reads as a word in `async with`
    """The agent between its start and its farewell."""

    def __init__(self, config: object, engine: Engine) -> None:
        self._config = config
        self._engine = engine

    async def __aenter__(self) -> None:
        config = self._config
        self._stop = asyncio.Event()
        agent = Agent(config, build(config), SystemClock("trusted"))  # type: ignore[arg-type]
        self._task = asyncio.create_task(agent.run(self._stop))
        await eventually(lambda: _status(self._engine) == "online", what="the node online")

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._task


def _status(engine: Engine) -> str | None:
    with reading(engine).connect() as conn:
        found = node_state_of(conn, NODE)
    return found.status if found is not None else None
