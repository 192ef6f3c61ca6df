from pathlib import Path
from uuid import UUID

import pytest

from edge.config import NodeConfig
from protocol import Config, EventMessage, Kind, NodeState, Receipt, encode
from protocol.messages import PoleConfig
from tests.integration.edge.conftest import RunningAgent
from tests.support.hub_side import HubSide, eventually
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import NODE, POLE, node_config, where_it_is

pytestmark = pytest.mark.servers


def quick_node(folder: Path, port: int, *, settle_s: float = 0.1) -> NodeConfig:
    """A dark photocell, so that the lamp is on by itself at any time of day."""
    return node_config(
        folder / "node",
        port=port,
        sample_interval_s=0.2,
        lamp_settle_s=settle_s,
        pole={
            "photocell": {"driver": "mock"},
            "schedule": {"min_on_s": 0, "min_off_s": 0},
            **where_it_is(0),
        },
    )


def statuses(hub: HubSide, command: UUID) -> list[str]:
    return [receipt.status for receipt in hub.receipts(command)]


async def receipts(hub: HubSide, command: UUID, *expected: str) -> list[Receipt]:
    await eventually(lambda: statuses(hub, command) == list(expected), what=f"receipts {expected}")
    return hub.receipts(command)


async def ready(hub: HubSide) -> None:
    await eventually(lambda: "online" in hub.states(NODE), what="the birth")


async def test_an_override_is_accepted_then_applied_with_measured_watts(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    out = await hub.override(NODE, POLE, level=0.0)
    _, applied = await receipts(hub, out.id, "accepted", "applied")
    assert applied.level == 0.0
    assert applied.power_w is not None
    assert applied.power_w < 5
    on = await hub.override(NODE, POLE, level=1.0)
    _, applied = await receipts(hub, on.id, "accepted", "applied")
    assert applied.level == 1.0
    assert applied.power_w is not None
    assert 50 < applied.power_w < 70
    sample = await eventually(
        lambda: next((s for s in hub.samples(NODE) if s.lamp.commanded_level == 1.0), None),
        what="a sample under the override",
    )
    assert sample is not None
    assert sample.lamp.reason == "override"
    assert sample.lamp.override_until == on.until
    await agent.end()


async def test_a_lamp_that_does_not_burn_is_told_by_its_watts(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    agent.lamp.burnt_out = True
    await ready(hub)
    command = await hub.override(NODE, POLE, level=1.0)
    _, applied = await receipts(hub, command.id, "accepted", "applied")
    assert applied.level == 1.0
    assert applied.power_w is not None
    assert applied.power_w < 5
    await agent.end()


async def test_an_output_that_refuses_ends_in_a_rejection(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    agent.lamp.output_fails = True
    command = await hub.override(NODE, POLE, level=0.0)
    _, rejected = await receipts(hub, command.id, "accepted", "rejected")
    assert "the output refuses" in rejected.reason
    assert rejected.level == 1.0, "what it still does"
    await agent.end()


async def test_an_expired_command_moves_nothing(broker: Mosquitto, hub: HubSide, tmp_path: Path) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    command = await hub.override(NODE, POLE, level=0.0, age_s=120, expires_s=60)
    await receipts(hub, command.id, "expired")
    assert agent.lamp.level() == 1.0
    await agent.end()


async def test_a_newer_command_supersedes_one_that_has_not_settled(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port, settle_s=1.0))
    await ready(hub)
    old = await hub.override(NODE, POLE, level=0.0)
    new = await hub.override(NODE, POLE, level=1.0)
    await receipts(hub, old.id, "accepted", "superseded")
    _, applied = await receipts(hub, new.id, "accepted", "applied")
    assert applied.level == 1.0
    await agent.end()


async def test_a_command_said_twice_is_obeyed_once_even_over_a_restart(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    config = quick_node(tmp_path, broker.port)
    agent = RunningAgent(config)
    await ready(hub)
    command = await hub.override(NODE, POLE, level=0.0)
    first = await receipts(hub, command.id, "accepted", "applied")
    await hub.say(command, node=NODE, kind=Kind.COMMAND)
    await agent.end()
    agent = RunningAgent(config)
    await eventually(lambda: agent.lamp.level() == 0.0, what="the override, which outlives the restart")
    await eventually(lambda: hub.states(NODE).count("online") == 2, what="the second birth")
    await hub.say(command, node=NODE, kind=Kind.COMMAND)
    other = await hub.override(NODE, POLE, level=1.0)
    await receipts(hub, other.id, "accepted", "applied")
    assert hub.receipts(command.id) == first or [r.seq for r in hub.receipts(command.id)] == [
        r.seq for r in first
    ]
    await agent.end()


async def test_an_override_ends_by_itself(broker: Mosquitto, hub: HubSide, tmp_path: Path) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    command = await hub.override(NODE, POLE, level=0.0, minutes=2 / 60)
    await receipts(hub, command.id, "accepted", "applied")
    assert agent.lamp.level() == 0.0
    await eventually(lambda: hub.samples(NODE)[-1].lamp.reason != "override", what="the override's end")
    assert hub.samples(NODE)[-1].lamp.commanded_level is None
    await agent.end()


async def test_what_is_no_command_is_refused_and_the_next_one_obeyed(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    for kind in (Kind.COMMAND, Kind.STORED, Kind.CONFIG):
        for payload in (b"", b"{", b"[]", b'{"v": 7}', b"\xff\xfe", b"[" * 5000):
            await hub.say(payload, node=NODE, kind=kind)
    command = await hub.override(NODE, POLE, level=0.0)
    await receipts(hub, command.id, "accepted", "applied")
    await agent.end()


def wanted(version: int, *, pole: str = POLE) -> bytes:
    return encode(
        Config(
            v=1,
            node=NODE,
            version=version,
            sample_interval_s=0.1,
            heartbeat_s=2,
            poles=[PoleConfig(pole=pole, latitude=21.5, longitude=105.3, lamp_rated_w=60)],
        )
    )


def in_force(hub: HubSide) -> tuple[int, int]:
    newest = next(m for m in reversed(hub.heard) if isinstance(m, NodeState))
    return newest.config_version, newest.heartbeat_s


async def test_a_configuration_comes_into_force_is_reported_and_outlives_a_restart(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=3600)
    agent = RunningAgent(config)
    await ready(hub)
    assert in_force(hub) == (0, 30)
    await hub.say(wanted(4), node=NODE, kind=Kind.CONFIG)
    await eventually(lambda: in_force(hub) == (4, 2), what="version 4 in the node's state")
    await eventually(lambda: len(hub.samples(NODE)) > 5, what="samples at the new interval")
    await agent.end()
    hub.heard.clear()
    agent = RunningAgent(config)
    await ready(hub)
    assert in_force(hub) == (4, 2)
    await agent.end()


async def test_a_bad_configuration_is_refused_once_and_the_old_one_kept(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    await hub.say(wanted(4), node=NODE, kind=Kind.CONFIG)
    await eventually(lambda: in_force(hub)[0] == 4, what="version 4")
    bad = [wanted(5, pole="TG-0999"), wanted(3), b'{"v":1,"node":"tg-0001","version":6}']
    for payload in bad:
        await hub.say(payload, node=NODE, kind=Kind.CONFIG)
        await hub.say(payload, node=NODE, kind=Kind.CONFIG)

    def refusals() -> list[object]:
        events = [event for m in hub.heard if isinstance(m, EventMessage) for event in m.events]
        return [event.detail["reason"] for event in events if event.kind == "config_refused"]

    reasons = await eventually(lambda: len(refusals()) >= 3 and refusals(), what="three refusals")
    assert [str(reason).split(":")[0] for reason in reasons or ()] == [
        "pole TG-0999 is not served by this node",
        "version 3 is older than 4",
        "wrong_type",
    ]
    await eventually(lambda: hub.states(NODE).count("online") > 2, what="the next heartbeat")
    assert in_force(hub) == (4, 2)
    await agent.end()


async def test_commands_in_a_burst_all_find_their_end(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(quick_node(tmp_path, broker.port))
    await ready(hub)
    hub.confirms = True
    commands = [await hub.override(NODE, POLE, level=float(number % 2)) for number in range(60)]
    ends = {"applied", "superseded"}
    await eventually(
        lambda: all(ends & set(statuses(hub, command.id)) for command in commands), what="all last receipts"
    )
    assert statuses(hub, commands[-1].id) == ["accepted", "applied"]
    assert all(len(statuses(hub, command.id)) == 2 for command in commands)
    await agent.end()
