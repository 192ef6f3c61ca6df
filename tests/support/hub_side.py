"""The hub's side of the wire, played by a test: it hears all, and says only what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import aiomqtt

from edge.waiting import put_down
from hub.ingest.ranges import compressed
from protocol import (
    Command,
    EventMessage,
    Kind,
    Message,
    NodeState,
    Range,
    Receipt,
    Sample,
    Stored,
    Telemetry,
    decode,
    encode,
    parse_topic,
    topic,
    unpack,
)

T = TypeVar("T")
ANSWER_WITHIN_S = 100.0


class HubSide:
    """Everything heard stands in `heard`, newest last, decoded by the contract."""

    def __init__(self, client: aiomqtt.Client, commune: str) -> None:
        self._client = client
        self._commune = commune
        self.heard: list[Message] = []
        self.confirms = False
        """Whether every item is confirmed as soon as it is heard."""

    def states(self, node: str) -> list[str]:
        """The statuses a node has told, in order."""
        return [m.status for m in self.heard if isinstance(m, NodeState) and m.node == node]

    def samples(self, node: str, epoch: UUID | None = None) -> list[Sample]:
        """All samples heard of a node, repeats included."""
        return [
            sample
            for message in self.heard
            if isinstance(message, Telemetry) and message.node == node
            if epoch is None or message.epoch == epoch
            for sample in message.samples
        ]

    def seqs(self, node: str) -> set[int]:
        """Seqs heard of a node: samples, events, receipts."""
        seqs = {sample.seq for sample in self.samples(node)}
        for message in self.heard:
            if isinstance(message, EventMessage) and message.node == node:
                seqs |= {event.seq for event in message.events}
            if isinstance(message, Receipt) and message.node == node:
                seqs.add(message.seq)
        return seqs

    def receipts(self, command: UUID) -> list[Receipt]:
        """The receipts of one command, in the order of their first hearing."""
        receipts = {m.seq: m for m in self.heard if isinstance(m, Receipt) and m.command == command}
        return list(receipts.values())

    async def say(self, message: Stored | Command | bytes, *, node: str, kind: Kind) -> None:
        """Publish to a node as the hub does."""
        payload = message if isinstance(message, bytes) else encode(message)
        name = topic(self._commune, node, kind)
        # Were this given up on a busy machine, `hear` would end, and confirm nothing any more.
        await self._client.publish(name, payload, qos=1, timeout=ANSWER_WITHIN_S)

    async def stored(self, node: str, epoch: UUID, ranges: Sequence[tuple[int, int]]) -> None:
        """Confirm storage to a node."""
        message = Stored(v=1, node=node, epoch=epoch, ranges=[Range(*span) for span in ranges])
        await self.say(message, node=node, kind=Kind.STORED)

    async def override(
        self,
        node: str,
        pole: str,
        *,
        level: float,
        minutes: float = 30,
        expires_s: float = 60,
        age_s: float = 0,
    ) -> Command:
        """Command an override `age_s` seconds ago; returns the command."""
        issued_at = datetime.now(UTC) - timedelta(seconds=age_s)
        command = Command(
            v=1,
            id=uuid4(),
            node=node,
            pole=pole,
            action="lamp_override",
            level=level,
            until=issued_at + timedelta(minutes=minutes),
            issued_at=issued_at,
            expires_at=issued_at + timedelta(seconds=expires_s),
        )
        await self.say(command, node=node, kind=Kind.COMMAND)
        return command

    async def hear(self) -> None:
        """Collect messages for ever; what does not fit the contract fails the test that waits for more."""
        async for message in self._client.messages:
            where = parse_topic(str(message.topic))
            assert isinstance(message.payload, bytes)
            heard = decode(where.kind, unpack(message.payload), node=where.node)
            self.heard.append(heard)
            if self.confirms and isinstance(heard, Telemetry | EventMessage | Receipt):
                await self.stored(heard.node, heard.epoch, list(compressed(_seqs(heard))))


def _seqs(message: Telemetry | EventMessage | Receipt) -> list[int]:
    if isinstance(message, Receipt):
        return [message.seq]
    return [item.seq for item in (message.samples if isinstance(message, Telemetry) else message.events)]


@asynccontextmanager
async def hub_side(port: int, commune: str, *, name: str = "hub") -> AsyncIterator[HubSide]:
    """Connect the hub's side to a plain broker on loopback; beside a real hub it needs another name."""
    async with aiomqtt.Client(
        "127.0.0.1", port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5, clean_start=False
    ) as client:
        side = HubSide(client, commune)
        await client.subscribe(
            [
                (f"ngonden/1/+/+/{kind}", 1)
                for kind in (Kind.STATE, Kind.TELEMETRY, Kind.EVENT, Kind.RECEIPT)
            ]
        )
        hearing = asyncio.create_task(side.hear())
        hearing.add_done_callback(_tell_of_an_end)
        try:
            yield side
        finally:
            await put_down([hearing])


def _tell_of_an_end(hearing: asyncio.Task[None]) -> None:
    if not hearing.cancelled() and (error := hearing.exception()) is not None:
        print(f"the hub's side hears nothing any more: {error!r}")


async def eventually(condition: Callable[[], T], *, what: str, limit_s: float = 10.0) -> T:
    """Wait until `condition` is true and return what it gave; AssertionError naming `what` after the limit."""
    deadline = asyncio.get_running_loop().time() + limit_s
    while not (value := condition()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {limit_s} s in vain for: {what}")
        await asyncio.sleep(0.02)
    return value
