"""The link's own troubles, played by a relay between a real agent and a real broker."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.config import BrokerSettings, LinkSettings, NodeConfig
from edge.link.pace import Pace
from edge.link.uplink import Uplink, Vitals
from edge.outbox.journal import Journal
from protocol import EventMessage, Kind, NodeState, Stored, Telemetry, decode
from simulators.traffic.relay import Relay
from tests.integration.edge.conftest import RunningAgent
from tests.support.certificates import TestAuthority
from tests.support.hub_side import HubSide, eventually, hub_side
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, NODE, POLE, node_config, sample
from tests.support.servers import free_port

pytestmark = pytest.mark.servers


@asynccontextmanager
async def relayed(to_port: int) -> AsyncIterator[Relay]:
    relay = Relay(to_port)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.close()


@pytest.fixture
async def relay(broker: Mosquitto) -> AsyncIterator[Relay]:
    async with relayed(broker.port) as relay:
        yield relay


class TlsHouse:
    """A broker with a plain door for the hub's side and a TLS door for the node, and its certificates."""

    def __init__(self, folder: Path) -> None:
        self.authority = TestAuthority(folder)
        cert, key = self.authority.issue("broker")
        self.identity = self.authority.issue(NODE)
        self.tls_port = free_port()
        lines = [
            "allow_anonymous true",
            "listener {port} 127.0.0.1",
            f"listener {self.tls_port} 127.0.0.1",
            f"cafile {self.authority.ca_file}",
            f"certfile {cert}",
            f"keyfile {key}",
            "require_certificate true",
            "use_identity_as_username true",
        ]
        self.broker = Mosquitto(folder / "broker", config_lines=lines)

    def node(self, folder: Path, port: int, **changes: Any) -> NodeConfig:
        cert_file, key_file = self.identity
        broker = {
            "host": "127.0.0.1",
            "port": port,
            "will_delay_s": 0,
            "reconnect_max_s": 0.5,
            "ca_file": str(self.authority.ca_file),
            "cert_file": str(cert_file),
            "key_file": str(key_file),
        }
        return node_config(folder / "node", broker=broker, **changes)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[TlsHouse]:
    house = TlsHouse(tmp_path / "tls")
    with house.broker:
        yield house


def more_samples(hub: HubSide, than: int) -> bool:
    return len(hub.samples(NODE)) > than


def more_connections(relay: Relay, than: int) -> bool:
    return relay.connections > than


async def arrived(hub: HubSide, upto: int) -> None:
    await eventually(
        lambda: hub.seqs(NODE) >= set(range(1, upto + 1)), what=f"all up to {upto}", limit_s=30
    )


async def test_a_link_that_swallows_everything_is_noticed_by_the_missing_answer(
    hub: HubSide, relay: Relay, tmp_path: Path
) -> None:
    hub.confirms = True
    link = {"answer_within_s": 2}
    agent = RunningAgent(node_config(tmp_path / "node", port=relay.port, sample_interval_s=0.1, link=link))
    await eventually(lambda: len(hub.samples(NODE)) >= 3, what="samples")
    relay.swallows = True
    began_s = monotonic()
    await eventually(lambda: relay.connections >= 2, what="a new connection", limit_s=20)
    noticed_s = monotonic() - began_s
    assert noticed_s >= 1.9, "a moment's silence is no reason"
    assert noticed_s < 10, "TCP alone would take a quarter of an hour"
    relay.swallows = False
    newest = max(hub.seqs(NODE))
    await eventually(lambda: max(hub.seqs(NODE)) > newest + 10, what="samples again", limit_s=30)
    await arrived(hub, newest + 10)
    await agent.end()


async def test_a_metered_node_notices_at_its_next_word(hub: HubSide, relay: Relay, tmp_path: Path) -> None:
    hub.confirms = True
    link = {"kind": "metered", "answer_within_s": 1, "report_interval_s": 2}
    agent = RunningAgent(node_config(tmp_path / "node", port=relay.port, sample_interval_s=0.1, link=link))
    await eventually(lambda: len(hub.samples(NODE)) >= 20, what="a report", limit_s=20)
    relay.swallows = True
    began_s = monotonic()
    await eventually(lambda: relay.connections >= 2, what="a new connection", limit_s=20)
    assert monotonic() - began_s < 10, "a report's waiting and one answer's"
    relay.swallows = False
    newest = max(hub.seqs(NODE))
    await arrived(hub, newest + 10)
    await agent.end()


async def test_reports_are_few_packed_and_followed_by_no_state(
    hub: HubSide, relay: Relay, tmp_path: Path
) -> None:
    hub.confirms = True
    link = {"kind": "metered", "report_interval_s": 1}
    config = node_config(
        tmp_path / "node", port=relay.port, sample_interval_s=0.05, heartbeat_s=1, link=link
    )
    agent = RunningAgent(config)
    await eventually(lambda: len(hub.samples(NODE)) >= 80, what="some reports", limit_s=30)
    reports = [message for message in hub.heard if isinstance(message, Telemetry)]
    assert len(reports) < 12
    assert sum(isinstance(message, NodeState) for message in hub.heard) == 1, "the birth"
    assert [s.heartbeat_s for s in hub.heard if isinstance(s, NodeState)] == [2], "the promise is stretched"
    last = reports[-1].samples
    assert [sample.historical for sample in last].count(False) == len(last), "none is older than 15 s"
    await agent.end()


async def test_a_dropped_connection_is_made_anew_and_nothing_is_lost(
    hub: HubSide, relay: Relay, tmp_path: Path
) -> None:
    hub.confirms = True
    agent = RunningAgent(node_config(tmp_path / "node", port=relay.port, sample_interval_s=0.05))
    for connection in range(1, 5):
        seen = len(hub.samples(NODE))
        await eventually(partial(more_samples, hub, seen + 3), what="samples")
        assert relay.connections >= connection
        relay.drop()
    newest = max(hub.seqs(NODE))
    await arrived(hub, newest)
    await agent.end()


# paho lets go of a socket whose TLS handshake fails without closing it; the interpreter does that.
@pytest.mark.filterwarnings("ignore:.*unclosed <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_bytes_spoilt_on_the_way_never_reach_the_hub(tls: TlsHouse, tmp_path: Path) -> None:
    async with relayed(tls.tls_port) as relay, hub_side(tls.broker.port, COMMUNE) as hub:
        hub.confirms = True
        agent = RunningAgent(tls.node(tmp_path, relay.port, sample_interval_s=0.05))
        for _ in range(3):
            seen = len(hub.samples(NODE))
            await eventually(partial(more_samples, hub, seen + 5), what="samples", limit_s=30)
            before = relay.connections
            relay.spoils = True
            await eventually(partial(more_connections, relay, before), what="a new one", limit_s=30)
            relay.spoils = False
        await arrived(hub, max(hub.seqs(NODE)))
        await agent.end()


@pytest.mark.parametrize(
    "delay_s", [0.5, pytest.param(5.0, marks=[pytest.mark.soak, pytest.mark.timeout(240)])]
)
async def test_a_slow_link_is_a_link(tls: TlsHouse, tmp_path: Path, delay_s: float) -> None:
    """TCP, TLS, CONNECT, SUBSCRIBE and birth each wait for an answer of twice the delay."""
    async with relayed(tls.tls_port) as relay, hub_side(tls.broker.port, COMMUNE) as hub:
        hub.confirms = True
        relay.delay_s = delay_s
        link = {"kind": "metered", "report_interval_s": 2}
        agent = RunningAgent(tls.node(tmp_path, relay.port, sample_interval_s=0.2, link=link))
        await eventually(
            lambda: len(hub.samples(NODE)) > 30,
            what="reports over the slow link",
            limit_s=30 * delay_s + 10,
        )
        assert relay.connections == 1
        assert len(hub.samples(NODE)) == len({s.seq for s in hub.samples(NODE)}), "none was sent twice"
        relay.delay_s = 0.0
        await agent.end()


async def test_what_a_new_broker_took_before_the_hub_listened_goes_again_at_once(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """A broker that lost its sessions takes messages that reach nobody; it says so, and 20 s are not waited."""
    config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=60)
    agent = RunningAgent(config)
    await asyncio.sleep(1.5)  # the birth, the reset event and the first sample have met no hub
    async with hub_side(broker.port, COMMUNE) as hub:
        hub.confirms = True
        began_s = monotonic()
        await eventually(lambda: hub.seqs(NODE) >= {1, 2}, what="the first items", limit_s=15)
        assert monotonic() - began_s < 10
        await agent.end()


async def test_an_outages_history_is_handed_over_far_quicker_than_it_was_made(
    hub: HubSide, relay: Relay, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as executor:
        link = Pace.of(LinkSettings(kind="metered"))
        alone = LoneUplink(tmp_path / "node", relay.port, executor, pace=link)
        await alone.journal.open()
        for _ in range(30):
            await alone.journal.outbox.write([sample()] * 100)
        alone.journal.plan.look_again()
        hub.confirms = True
        began_s = monotonic()
        await alone.connect()
        await arrived(hub, 3000)
        took_s = monotonic() - began_s
        sent = relay.traffic().payload_bytes
        await alone.end()
    assert took_s < 3000 * 30 / 50, "at 30 s samples that is 50 times as quick"
    connecting_and_confirming = 9000
    assert sent < 4000 * took_s + connecting_and_confirming, "4,000 bytes of history a second"


@pytest.mark.soak
async def test_a_broker_that_answers_for_a_hub_that_does_not(
    hub: HubSide, relay: Relay, tmp_path: Path
) -> None:
    """Detection within twice `stalled_after_s`, one new connection, and then patience."""
    link = {"stalled_after_s": 10}
    agent = RunningAgent(node_config(tmp_path / "node", port=relay.port, sample_interval_s=1, link=link))
    await eventually(lambda: relay.connections == 2, what="a new connection", limit_s=40)
    await asyncio.sleep(20)
    assert relay.connections == 2
    hub.confirms = True
    await eventually(
        lambda: (
            [
                event.active
                for message in hub.heard
                if isinstance(message, EventMessage)
                for event in message.events
                if event.kind == "link_stalled" and not event.historical
            ][-1:]
            == [False]
        ),
        what="the end of the outage, told",
        limit_s=60,
    )
    await agent.end()


class LoneUplink:
    """A journal and its uplink without the rest of an agent."""

    def __init__(
        self, folder: Path, port: int, executor: ThreadPoolExecutor, *, pace: Pace | None = None
    ) -> None:
        clock = SystemClock("trusted")
        self.journal = Journal(folder, node=NODE, clock=clock, executor=executor, pace=pace)
        self.uplink = Uplink(
            node=NODE,
            commune=COMMUNE,
            broker=BrokerSettings(host="127.0.0.1", port=port, reconnect_max_s=0.5),
            vitals=Vitals("0", 30, 0, [POLE]),
            journal=self.journal,
            clock=clock,
            receive=self._receive,
            random=Random(1),
            pace=pace,
        )
        self.stop = asyncio.Event()

    def _receive(self, kind: Kind, payload: bytes) -> None:
        message = decode(kind, payload, node=NODE)
        if isinstance(message, Stored):
            self.journal.confirmed(message.epoch, [(span.first, span.last) for span in message.ranges])

    async def begin(self) -> None:
        await self.journal.open()
        await self.connect()

    async def connect(self) -> None:
        self.task = asyncio.create_task(self.uplink.run(self.stop))
        await eventually(lambda: self.uplink.facts.connected, what="the connection")

    async def end(self) -> None:
        self.stop.set()
        await self.task
        await self.journal.close()


async def test_last_words_pass_a_batch_that_is_stuck(hub: HubSide, relay: Relay, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        alone = LoneUplink(tmp_path / "node", relay.port, executor)
        await alone.begin()
        relay.delay_s = 0.3
        await alone.journal.record([sample()] * 90)
        alone.journal.later("supply_loss", active=True)
        assert await alone.uplink.urgent(5.0)
        kinds = [e.kind for m in hub.heard if isinstance(m, EventMessage) for e in m.events]
        assert kinds == ["supply_loss"]
        relay.delay_s = 0.0
        relay.swallows = True
        alone.journal.later("supply_loss", active=False)
        began_s = monotonic()
        assert not await alone.uplink.urgent(0.5), "nobody has taken it: it stays in the outbox"
        assert monotonic() - began_s < 3
        relay.swallows = False
        relay.drop()
        await alone.end()
