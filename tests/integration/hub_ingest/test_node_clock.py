"""A node that wakes with a wrong clock, on a real broker and a real hub: what is stored is true to 2 s."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from edge.agent import Agent
from edge.clock import Moment
from edge.config import NodeConfig
from edge.devices import build
from hub.db import reading
from hub.ingest import reads
from hub.ingest.service import IngestService
from hub.ingest.tables import received
from hub.settings import BrokerSettings, HubSettings
from hub.telemetry.embedded import EmbeddedStore
from tests.integration.hub_ingest.rig import directory
from tests.support.hub_side import eventually, hub_side
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, NODE, POLE, node_config
from tests.support.servers import free_port

pytestmark = pytest.mark.servers

DAY_S = 86_400.0
WRONG_S = {
    "1970": -time.time() + 60,
    "three days back": -3 * DAY_S,
    "ten years ahead": 3652 * DAY_S,
}


class WrongClock:
    """The machine's clock, off by `wrong_s` until it is mended."""

    def __init__(self, wrong_s: float) -> None:
        self.wrong_s = wrong_s
        self.boot = uuid4()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.wrong_s)

    def monotonic(self) -> float:
        return time.monotonic()

    def synced(self) -> bool:
        return self.wrong_s == 0

    def moment(self) -> Moment:
        return Moment(self.now(), self.monotonic(), self.boot, self.synced())


class Running:
    """An agent with this clock, until `end`."""

    def __init__(self, config: NodeConfig, clock: WrongClock) -> None:
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(Agent(config, build(config), clock).run(self._stop))

    async def end(self) -> None:
        self._stop.set()
        await self._task


def waits_in(folder: Path) -> int:
    """How many bytes the outbox's log has: it is written at every tick."""
    log = folder / "outbox.db-wal"
    return log.stat().st_size if log.exists() else 0


def stored_times(store: EmbeddedStore) -> dict[int, float]:
    ever = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    return {point.seq: point.time_ms / 1000 for point in store.points(POLE, *ever)}


@pytest.mark.parametrize(
    ("wrong", "mended_before"),
    [("1970", False), ("three days back", False), ("three days back", True), ("ten years ahead", False)],
)
async def test_samples_of_a_wrong_clock_are_stored_under_their_true_time(
    engine: Engine, tmp_path: Path, wrong: str, mended_before: bool
) -> None:
    port, folder, clock = free_port(), tmp_path / "node", WrongClock(WRONG_S[wrong])
    true_offset_s = time.time() - time.monotonic()
    config = node_config(folder, port=port, sample_interval_s=0.1)
    agent = Running(config, clock)
    await eventually(
        lambda: waits_in(folder) > 60_000, what="some ticks on disk, without a broker", limit_s=30
    )
    if mended_before:
        clock.wrong_s = 0
        grown = waits_in(folder)
        await eventually(
            lambda: waits_in(folder) > grown + 5_000, what="ticks with the right clock", limit_s=30
        )
    # Started again in the same boot: what waits on disk is history to it.
    await agent.end()
    agent = Running(config, clock)
    store = EmbeddedStore(tmp_path / "telemetry.db")
    with Mosquitto(tmp_path / "broker", port=port) as broker:
        async with hub_side(port, COMMUNE, name="ear") as ear:
            service = IngestService(
                HubSettings(broker=BrokerSettings(port=broker.port)), engine, store, directory()
            )
            service.start()
            try:
                await eventually(lambda: len(ear.samples(NODE)) >= 3, what="live samples", limit_s=30)
                if not mended_before:
                    assert not any(sample.historical for sample in ear.samples(NODE)), "history waits"
                clock.wrong_s = 0
                await eventually(lambda: is_whole(engine), what="all of the past stored", limit_s=30)
                await agent.end()
                await eventually(lambda: status(engine) == "stopped", what="the farewell", limit_s=30)
            finally:
                await agent.end()
                await asyncio.to_thread(service.stop)
            heard = {sample.seq: sample for sample in ear.samples(NODE)}
    stored = stored_times(store)
    store.close()
    assert len(stored) >= 20
    # The ear may be a message behind the hub.
    both = stored.keys() & heard.keys()
    assert len(both) >= 20
    errors_s = [stored[seq] - (true_offset_s + (heard[seq].mono_s or 0)) for seq in both]
    assert max(map(abs, errors_s)) <= 2
    corrected = [sample for sample in heard.values() if sample.time_corrected]
    assert len(corrected) >= 5
    assert {sample.clock for sample in corrected} == {"synced"}
    with reading(engine).connect() as conn:
        assert reads.rejects(conn) == []
        told = {event.kind: event for event in reads.events(conn, node=NODE)}
    assert told["clock_corrected"].detail["by_s"] == pytest.approx(-WRONG_S[wrong], abs=2)


def is_whole(engine: Engine) -> bool:
    """Whether no seq is missing between the first and the newest."""
    with reading(engine).connect() as conn:
        found = conn.execute(select(received.c.ranges)).scalars().all()
    return [ranges[0][0] for ranges in found if len(ranges) == 1] == [1]


def status(engine: Engine) -> str | None:
    with reading(engine).connect() as conn:
        found = reads.node_state_of(conn, NODE)
    return found.status if found is not None else None
