"""A link's end, when the broker's answer comes in the very turn in which a sender is cancelled."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

import aiomqtt
import pytest

from edge.clock import MockClock
from edge.config import BrokerSettings
from edge.link.uplink import Uplink, Vitals
from edge.outbox.journal import Journal
from edge.waiting import put_down
from protocol import Kind, NodeState, decode
from simulators.storm.air import Air, AirClient, Hub
from simulators.storm.log import StormLog
from tests.support.hub_side import eventually
from tests.support.nodes import COMMUNE, EVENING, NODE, POLE


class LateAnswer(AirClient):
    """Answers the second message as its sender is cancelled: the cancel is lost, as in asyncio.wait_for."""

    def __init__(self, air: Air, told: list[str]) -> None:
        super().__init__(air, NODE, keepalive_s=30, answer_within_s=15)
        self.told = told
        self.waits = asyncio.Event()

    async def publish(self, topic: str, payload: bytes, **options: Any) -> None:
        state = decode(Kind.STATE, payload, node=NODE)
        assert isinstance(state, NodeState)
        self.told.append(state.status)
        if len(self.told) == 2:
            self.waits.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return


class OneClient(Air):
    """A wire whose clients are looked into; `told` has the statuses that reached the broker."""

    def __init__(self) -> None:
        super().__init__(Hub(StormLog(lambda: EVENING), lambda: EVENING, COMMUNE))
        self.clients: list[LateAnswer] = []
        self.told: list[str] = []

    async def open_client(self, broker: BrokerSettings, **_: Any) -> aiomqtt.Client:
        self.clients.append(LateAnswer(self, self.told))
        return cast(aiomqtt.Client, self.clients[-1])


@dataclass(frozen=True, slots=True)
class Caught:
    """A link whose sender waits for an answer that will meet its cancel."""

    uplink: Uplink
    wire: OneClient
    running: asyncio.Task[None]
    stop: asyncio.Event


@pytest.fixture
async def caught(tmp_path: Path) -> AsyncIterator[Caught]:
    clock, stop, wire = MockClock(EVENING), asyncio.Event(), OneClient()
    with ThreadPoolExecutor(1) as executor:
        journal = Journal(tmp_path, node=NODE, clock=clock, executor=executor)
        await journal.open()
        uplink = Uplink(
            node=NODE,
            commune=COMMUNE,
            broker=BrokerSettings(host="127.0.0.1"),
            vitals=Vitals("0", 30, 0, [POLE]),
            journal=journal,
            clock=clock,
            receive=lambda _kind, _payload: None,
            random=Random(1),
            wire=wire,
        )
        running = asyncio.create_task(uplink.run(stop))
        await eventually(lambda: wire.told == ["online"] and uplink.facts.connected, what="the birth")
        uplink.tell_state()
        await asyncio.wait_for(wire.clients[0].waits.wait(), 10)
        yield Caught(uplink, wire, running, stop)
        await put_down([running])
        await journal.close()


async def test_a_goodbye_is_said_though_a_senders_cancel_was_lost(caught: Caught) -> None:
    caught.stop.set()
    await asyncio.wait_for(caught.running, 10)
    assert caught.wire.told == ["online", "online", "stopped"]


async def test_a_new_connection_is_made_though_a_senders_cancel_was_lost(caught: Caught) -> None:
    caught.uplink.reconnect()
    await eventually(lambda: len(caught.wire.clients) == 2, what="another connection")


async def test_a_task_that_drops_one_cancel_is_put_down_all_the_same() -> None:
    dropped = 0

    async def stubborn() -> None:
        nonlocal dropped
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if dropped:
                    raise
                dropped += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(put_down([task]), 10)
    assert task.cancelled()
    assert dropped == 1
