"""The hub's part of the wire and no more: it confirms whatever a node sends, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt

from protocol import (
    EventMessage,
    Kind,
    Range,
    Receipt,
    Stored,
    Telemetry,
    decode,
    encode,
    parse_topic,
    topic,
    unpack,
)


class HubStub:
    """Counts what it confirms."""

    def __init__(self) -> None:
        self.samples = 0

    async def answer(self, client: aiomqtt.Client) -> None:
        """Confirm for ever."""
        async for message in client.messages:
            where = parse_topic(str(message.topic))
            assert isinstance(message.payload, bytes)
            heard = decode(where.kind, unpack(message.payload), node=where.node)
            if isinstance(heard, Telemetry):
                seqs = [sample.seq for sample in heard.samples]
                self.samples += len(seqs)
            elif isinstance(heard, EventMessage):
                seqs = [event.seq for event in heard.events]
            elif isinstance(heard, Receipt):
                seqs = [heard.seq]
            else:
                continue
            stored = Stored(
                v=1, node=heard.node, epoch=heard.epoch, ranges=[Range(seq, seq) for seq in seqs]
            )
            await client.publish(topic(where.commune, where.node, Kind.STORED), encode(stored), qos=1)


@asynccontextmanager
async def hub_stub(port: int) -> AsyncIterator[HubStub]:
    """A stub that listens on a plain broker of this machine."""
    async with aiomqtt.Client(
        "127.0.0.1", port, identifier="hub", protocol=aiomqtt.ProtocolVersion.V5
    ) as client:
        stub = HubStub()
        await client.subscribe(
            [(f"ngonden/1/+/+/{kind}", 1) for kind in (Kind.TELEMETRY, Kind.EVENT, Kind.RECEIPT)]
        )
        answering = asyncio.create_task(stub.answer(client))
        try:
            yield stub
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
