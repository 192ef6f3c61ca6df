"""What a certificate lets its holder do, asked of a real mosquitto."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from protocol.topics import FROM_NODE, TO_NODE
from provisioning.issuing import found, issue_nodes, revoke_node
from provisioning.layout import Identity, Layout
from tests.integration.provisioning.broker import Broker, running_broker

pytestmark = pytest.mark.servers

MINE, OTHER = "tg-0001", "tg-0002"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with running_broker(tmp_path / "data", [MINE, OTHER]) as running:
        yield running


async def receive(client: aiomqtt.Client, count: int) -> list[tuple[str, bytes]]:
    """The next `count` messages as (topic, payload)."""
    got: list[tuple[str, bytes]] = []
    async with asyncio.timeout(10):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            got.append((str(message.topic), message.payload))
            if len(got) == count:
                break
    return got


async def try_publish(client: aiomqtt.Client, topic: str, payload: bytes = b"{}") -> None:
    await client.publish(topic, payload, qos=1)


async def test_a_node_is_heard_under_its_own_name_and_under_no_other(broker: Broker) -> None:
    async with broker.hub() as hub, broker.node(MINE) as node:
        await hub.subscribe("#", qos=1)
        for kind in FROM_NODE:
            await try_publish(node, f"ngonden/1/tram-than/{OTHER}/{kind}", b"forged")
        for kind in TO_NODE:
            await try_publish(node, f"ngonden/1/tram-than/{OTHER}/{kind}", b"forged")
            await try_publish(node, f"ngonden/1/tram-than/{MINE}/{kind}", b"forged")
        await try_publish(node, f"ngonden/1/tram-than/{MINE}/telemetry", b"mine")
        # One connection keeps its order: had a forged one passed, it would stand before this.
        assert await receive(hub, 1) == [(f"ngonden/1/tram-than/{MINE}/telemetry", b"mine")]


async def test_forged_retained_messages_wait_for_nobody(broker: Broker) -> None:
    async with broker.node(MINE) as node:
        await node.publish(f"ngonden/1/tram-than/{OTHER}/state", b"forged", qos=1, retain=True)
        await node.publish(f"ngonden/1/tram-than/{OTHER}/config", b"forged", qos=1, retain=True)
        await node.publish(f"ngonden/1/tram-than/{MINE}/state", b"mine", qos=1, retain=True)
    async with broker.hub() as hub, broker.node(OTHER) as other:
        await hub.subscribe("#", qos=1)
        assert await receive(hub, 1) == [(f"ngonden/1/tram-than/{MINE}/state", b"mine")]
        await other.subscribe(f"ngonden/1/tram-than/{OTHER}/config", qos=1)
        await hub.publish(f"ngonden/1/tram-than/{OTHER}/config", b"real", qos=1)
        assert await receive(other, 1) == [(f"ngonden/1/tram-than/{OTHER}/config", b"real")]


@pytest.mark.parametrize("listen", [f"ngonden/1/tram-than/{MINE}/+", "ngonden/#", "#", "$SYS/#"])
async def test_a_node_hears_nothing_meant_for_another(broker: Broker, listen: str) -> None:
    async with broker.hub() as hub, broker.node(OTHER) as eavesdropper, broker.node(MINE) as mine:
        await eavesdropper.subscribe(listen, qos=1)
        await eavesdropper.subscribe(f"ngonden/1/tram-than/{OTHER}/command", qos=1)
        await mine.subscribe(f"ngonden/1/tram-than/{MINE}/command", qos=1)
        for kind in TO_NODE:
            await try_publish(hub, f"ngonden/1/tram-than/{MINE}/{kind}", b"secret")
        for kind in FROM_NODE:
            await try_publish(mine, f"ngonden/1/tram-than/{MINE}/{kind}", b"secret")
        assert await receive(mine, 1) == [(f"ngonden/1/tram-than/{MINE}/command", b"secret")]
        await try_publish(hub, f"ngonden/1/tram-than/{OTHER}/command", b"yours")
        assert await receive(eavesdropper, 1) == [(f"ngonden/1/tram-than/{OTHER}/command", b"yours")]


async def test_naming_oneself_hub_neither_ends_the_hub_nor_gives_its_rights(broker: Broker) -> None:
    async with broker.hub() as hub, broker.node(MINE, identifier="hub") as impostor:
        await hub.subscribe("ngonden/1/+/+/telemetry", qos=1)
        await try_publish(impostor, f"ngonden/1/tram-than/{OTHER}/telemetry", b"forged")
        await try_publish(impostor, f"ngonden/1/tram-than/{MINE}/telemetry", b"mine")
        assert await receive(hub, 1) == [(f"ngonden/1/tram-than/{MINE}/telemetry", b"mine")]


async def test_a_node_with_its_certificate_is_let_in(broker: Broker) -> None:
    assert await broker.knock(broker.layout.node_identity(MINE)) == "let in"


async def test_without_a_certificate_nobody_gets_in(broker: Broker) -> None:
    assert await broker.knock(None) == "SSLV3_ALERT_HANDSHAKE_FAILURE"


async def test_a_certificate_of_another_authority_is_refused(broker: Broker, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    found(foreign, now=datetime.now(UTC))
    issue_nodes(foreign, [("tram-than", MINE)], now=datetime.now(UTC))
    assert await broker.knock(Layout(foreign).node_identity(MINE)) == "TLSV1_ALERT_UNKNOWN_CA"


async def test_a_node_refuses_a_broker_of_another_authority(broker: Broker, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    found(foreign, now=datetime.now(UTC))
    context = ssl.create_default_context(cafile=str(Layout(foreign.resolve()).authority.certificate))
    # A bare handshake: paho leaves its socket open when the handshake fails.
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", broker.port, ssl=context)


async def test_a_revoked_certificate_is_refused_after_a_reload_and_its_neighbour_is_not(
    broker: Broker, tmp_path: Path
) -> None:
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    files = broker.layout.node_identity(MINE)
    copy = Identity(MINE, stolen / "node.crt", stolen / "node.key")
    copy.certificate.write_bytes(files.certificate.read_bytes())
    copy.key.write_bytes(files.key.read_bytes())
    assert await broker.knock(copy) == "let in"
    revoke_node(broker.layout.data, MINE, now=datetime.now(UTC))
    broker.reload()
    async with asyncio.timeout(10):
        while (answer := await broker.knock(copy)) == "let in":
            pass
    assert answer == "SSLV3_ALERT_CERTIFICATE_REVOKED"
    assert await broker.knock(broker.layout.node_identity(OTHER)) == "let in"
    issue_nodes(broker.layout.data, [("tram-than", MINE)], now=datetime.now(UTC))
    assert await broker.knock(broker.layout.node_identity(MINE)) == "let in"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_tls_1_1_is_not_spoken(broker: Broker) -> None:
    old = broker.tls(broker.layout.node_identity(MINE))
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        await asyncio.open_connection("127.0.0.1", broker.port, ssl=old)
