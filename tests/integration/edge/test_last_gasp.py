import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edge.config import NodeConfig
from edge.drivers.mock_inputs import MockSupply
from edge.inputs.telling import STANDING_NOTE
from edge.link.send_plan import WINDOW_MESSAGES
from edge.outbox.outbox import FILE_NAME
from edge.outbox.outbox_file import Item, OutboxFile
from protocol import EventMessage, Message, NodeState, Receipt
from protocol.messages import Event
from tests.integration.edge.conftest import RunningAgent
from tests.support.hub_side import HubSide, eventually, hub_side
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, NODE, event, node_config, sample

pytestmark = pytest.mark.servers

QUEUED = 4000
COPY = """
import os, shutil, sqlite3, sys
saved, witness, file = sys.argv[1:]
whole = False
while not whole:
    shutil.rmtree(witness + ".part", ignore_errors=True)
    shutil.copytree(saved, witness + ".part")
    try:
        copy = sqlite3.connect(os.path.join(witness + ".part", file))
        whole = copy.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        copy.close()
    except sqlite3.DatabaseError:
        pass
os.rename(witness + ".part", witness)
"""
"""Nobody else may open the file, and the agent goes on writing: a copy may be torn, so until one is whole."""


def fill(data_dir: Path) -> None:
    """A node that was offline for long: thousands of samples, and events that nobody has heard of."""
    data_dir.mkdir()
    items: Sequence[Item] = [sample() for _ in range(QUEUED)]
    with closing(OutboxFile(data_dir / FILE_NAME)) as file:
        file.write([*items, *(event(kind="camera_offline") for _ in range(400))])


def events(hub: HubSide, kind: str) -> list[Event]:
    """Each once, in the order of their first hearing: what is not confirmed in time is sent again."""
    messages = [message for message in hub.heard if isinstance(message, EventMessage)]
    heard = {event.seq: event for message in messages for event in message.events if event.kind == kind}
    return list(heard.values())


def supply_of(agent: RunningAgent) -> MockSupply:
    supply = agent.devices.cabinet.supply
    assert isinstance(supply, MockSupply)
    return supply


def told(messages: Sequence[Message]) -> list[Message]:
    return [message for message in messages if not isinstance(message, NodeState | Receipt)]


def with_supply(tmp_path: Path, broker: Mosquitto, witness: Path) -> NodeConfig:
    data = tmp_path / "data"
    supply = {
        "driver": "mock",
        "debounce_s": 0,
        "shutdown_after_s": 1,
        # What is saved when the shutdown begins is what a node finds at its next start.
        "shutdown_command": [sys.executable, "-c", COPY, str(data), str(witness), FILE_NAME],
    }
    meterless = {"meter": {"driver": "none"}}
    return node_config(
        data, port=broker.port, pole=meterless, cabinet={"supply": supply}, sample_interval_s=3600
    )


async def test_supply_loss_goes_before_all_that_is_queued_then_it_is_saved_then_the_node_shuts_down(
    tmp_path: Path, broker: Mosquitto, hub: HubSide
) -> None:
    witness = tmp_path / "at-shutdown"
    fill(tmp_path / "data")
    agent = RunningAgent(with_supply(tmp_path, broker, witness))
    # The hub confirms nothing: the window fills with events of yesterday, and everything else waits.
    await eventually(lambda: len(told(hub.heard)) >= WINDOW_MESSAGES, what="a full window")
    assert len(hub.seqs(NODE)) < QUEUED
    before = len(hub.heard)
    supply_of(agent).present = False

    await eventually(lambda: events(hub, "supply_loss"), what="the last gasp")
    first = next(message for message in told(hub.heard[before:]) if isinstance(message, EventMessage))
    assert [(one.kind, one.active) for one in first.events] == [("supply_loss", True)]
    assert told(hub.heard[before:]).index(first) == 0, "nothing that was queued went before it"
    assert not witness.exists(), "told before the node shuts down"

    await eventually(lambda: witness.exists(), what="the shutdown command")
    with closing(sqlite3.connect(witness / FILE_NAME)) as saved:
        notes = dict(saved.execute("SELECT key, value FROM note"))
    assert b"supply_loss" in notes[STANDING_NOTE]
    assert b'"supply_losses":1' in notes["lamp/counters"], "the counters, with this loss in them"
    await agent.end()


class Patient(Random):
    """Makes every pause between two attempts a minute."""

    def uniform(self, a: float, b: float) -> float:
        return 60.0


async def test_a_pause_between_two_attempts_ends_at_once(tmp_path: Path) -> None:
    attempted = asyncio.Event()

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        attempted.set()

    broken = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    broker = Mosquitto(tmp_path / "broker", port=broken.sockets[0].getsockname()[1])
    agent = RunningAgent(with_supply(tmp_path, broker, tmp_path / "at-shutdown"), random=Patient())
    async with asyncio.timeout(20):
        await attempted.wait()
    broken.close()
    await broken.wait_closed()
    await asyncio.to_thread(broker.start)
    try:
        async with hub_side(broker.port, COMMUNE) as hub:
            supply_of(agent).present = False
            await eventually(lambda: events(hub, "supply_loss"), what="the last gasp")
            await agent.end()
    finally:
        await asyncio.to_thread(broker.stop)


async def test_mains_that_returned_while_the_node_was_down_ends_the_loss(
    tmp_path: Path, broker: Mosquitto, hub: HubSide
) -> None:
    hub.confirms = True
    config = with_supply(tmp_path, broker, tmp_path / "at-shutdown")
    agent = RunningAgent(config)
    await eventually(lambda: events(hub, "device_reset"), what="the start")
    await eventually(lambda: hub.samples(NODE), what="a sample")
    supply_of(agent).present = False
    await eventually(lambda: events(hub, "supply_loss"), what="the loss")
    await agent.end()

    again = RunningAgent(config)
    await eventually(lambda: len(events(hub, "supply_loss")) == 2, what="its end")
    assert [one.active for one in events(hub, "supply_loss")] == [True, False]
    assert [one.detail["cause"] for one in events(hub, "device_reset")] == ["first_start", "restart"]
    await again.end()
    readings = [sample.cabinet.supply_present for sample in hub.samples(NODE) if sample.cabinet]
    assert readings
    assert all(readings), "what the input says travels in the samples"
