"""Simulated nodes on a real broker: the real agent, each under its own certificate."""

import asyncio
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from edge.clock import SystemClock
from protocol import Kind, NodeState, decode, parse_topic
from simulators.commune import ScenarioError
from simulators.devices import SimulatedWorld
from simulators.fleet import FleetSettings, run_fleet
from simulators.scenario import Faults, Scenario, SilentNode, commune_of, load_scenario
from tests.integration.provisioning.broker import Broker, running_broker
from tests.support.waiting import until

pytestmark = pytest.mark.servers

SILENT = "tt-0005"
NODES = {f"tt-{number:04d}" for number in range(1, 13)}


class Ear:
    """What the hub would hear, by node."""

    def __init__(self) -> None:
        self.states: dict[str, list[str]] = defaultdict(list)
        self.samples: dict[str, int] = defaultdict(int)

    async def listen(self, broker: Broker) -> None:
        async with broker.hub() as hub:
            await hub.subscribe("ngonden/1/+/+/state", qos=1)
            await hub.subscribe("ngonden/1/+/+/telemetry", qos=1)
            async for message in hub.messages:
                topic = parse_topic(str(message.topic))
                assert isinstance(message.payload, bytes)
                if topic.kind == Kind.STATE:
                    state = decode(topic.kind, message.payload, node=topic.node)
                    assert isinstance(state, NodeState)
                    self.states[topic.node].append(state.status)
                else:
                    self.samples[topic.node] += 1


def scenario() -> Scenario:
    # Late enough for the node to have told its birth on a busy machine, too.
    faults = Faults(nodes_silent=[SilentNode(node=SILENT, after_s=5)])
    return msgspec.structs.replace(load_scenario("one-road"), faults=faults)


async def test_every_node_speaks_for_itself_and_a_silent_one_says_no_goodbye(tmp_path: Path) -> None:
    stop, ear, clock = asyncio.Event(), Ear(), SystemClock("trusted")
    world = SimulatedWorld(scenario(), commune_of(scenario()), clock)
    data = tmp_path / "data"
    async with running_broker(data, sorted(NODES), commune="tuyen-thu") as broker:
        listening = asyncio.create_task(ear.listen(broker))
        settings = FleetSettings(nodes=data / "nodes", sample_interval_s=0.2, start_spread_s=0.3)
        fleet = asyncio.create_task(run_fleet(world, settings, clock, stop))
        await until(
            lambda: NODES - {SILENT} <= ear.samples.keys(), what="samples of every node", limit_s=30
        )
        await until(lambda: ear.states.keys() == NODES, what="a birth of every node", limit_s=30)
        spoken = NODES - {SILENT}
        await until(
            lambda: min(ear.samples[node] for node in spoken) >= ear.samples[SILENT] + 5,
            what="one node to fall behind the others",
            limit_s=30,
        )
        stop.set()
        await asyncio.wait_for(fleet, 30)
        await until(lambda: all(ear.states[node][-1] == "stopped" for node in spoken), what="every goodbye")
        assert set(ear.states[SILENT]) == {"online"}
        assert {node for node in NODES if (data / "nodes" / node / "data").is_dir()} == NODES
        listening.cancel()
        await asyncio.wait([listening])


async def test_nothing_starts_when_a_node_has_no_certificate(tmp_path: Path) -> None:
    clock = SystemClock("trusted")
    world = SimulatedWorld(scenario(), commune_of(scenario()), clock)
    settings = FleetSettings(nodes=tmp_path / "nodes", sample_interval_s=1.0)
    with pytest.raises(ScenarioError, match="provision the scenario's nodes first"):
        await run_fleet(world, settings, clock, asyncio.Event())
