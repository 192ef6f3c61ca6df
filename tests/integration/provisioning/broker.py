"""A real mosquitto on a free port of 127.0.0.1, run from exactly what `ngonden provision init` wrote."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt

from provisioning.issuing import found, issue_nodes
from provisioning.layout import Identity, Layout
from tests.support.servers import free_port, require_program

CONNECT = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01x"
"""An MQTT 5 CONNECT: clean start, keep-alive 60 s, no properties, client id "x"."""

CONNACK = b"\x20"


@dataclass(frozen=True, slots=True)
class Broker:
    layout: Layout
    port: int
    process: asyncio.subprocess.Process

    def tls(self, identity: Identity | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.layout.authority.certificate))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context

    async def knock(self, identity: Identity | None) -> str:
        """What the broker answers to this certificate: `let in`, or the TLS alert it refused with."""
        context = self.tls(identity)
        # In TLS 1.3 the refusal follows the handshake and can be lost to a reset; in 1.2 it is part of it.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
            try:
                writer.write(CONNECT)
                await writer.drain()
                answer = await asyncio.wait_for(reader.read(4), 5)
            finally:
                writer.transport.abort()
        except ssl.SSLError as error:
            return str(error.reason)
        return "let in" if answer[:1] == CONNACK and answer[3] == 0 else f"answered {answer!r}"

    def client(self, identity: Identity, *, identifier: str | None = None) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=self.tls(identity),
            timeout=5,
            identifier=identifier,
        )

    def hub(self) -> aiomqtt.Client:
        return self.client(self.layout.hub_identity)

    def node(self, name: str, *, identifier: str | None = None) -> aiomqtt.Client:
        return self.client(self.layout.node_identity(name), identifier=identifier)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@asynccontextmanager
async def running_broker(
    data: Path, nodes: list[str], *, commune: str = "tram-than"
) -> AsyncIterator[Broker]:
    program = require_program("mosquitto")
    port = free_port()
    now = datetime.now(UTC)
    layout = Layout(data)
    found(data, now=now, port=port)
    issue_nodes(data, [(commune, node) for node in nodes], now=now, port=port)
    with (data / "broker.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, "-c", str(layout.broker_config), stdout=log, stderr=asyncio.subprocess.STDOUT
        )
    try:
        await _listening(port, process)
        yield Broker(layout, port, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                assert process.returncode is None, "mosquitto ended: see broker.log"
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return
