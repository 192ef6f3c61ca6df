import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edge.config import NodeConfig
from edge.outbox.outbox import FILE_NAME
from edge.outbox.outbox_file import OutboxFile
from protocol import EventMessage, NodeState
from tests.integration.edge.conftest import RunningAgent
from tests.support.certificates import TestAuthority
from tests.support.hub_side import HubSide, eventually, hub_side
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import NODE, POLE, node_config, where_it_is

pytestmark = pytest.mark.servers


def toml(folder: Path, port: int, *, broker: str = "will_delay_s = 0") -> Path:
    path = folder / "node.toml"
    path.write_text(f"""
node = "{NODE}"
commune = "tram-than"
data_dir = "data"
sample_interval_s = 0.1
clock = "trusted"
[broker]
host = "127.0.0.1"
port = {port}
{broker}
[[poles]]
code = "{POLE}"
latitude = 21.4731
longitude = 105.255
lamp_rated_w = 60
lamp = {{ driver = "mock" }}
meter = {{ driver = "mock" }}
""")
    return path


def start_process(config: Path, *, log: Path | None = None) -> subprocess.Popen[bytes]:
    as_in_service = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with (log or config.with_name("agent.log")).open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "ngonden", "edge", "--config", str(config)],
            stderr=stream,
            stdout=stream,
            env=as_in_service,
        )


def epoch_of(hub: HubSide) -> NodeState:
    return next(m for m in reversed(hub.heard) if isinstance(m, NodeState))


def dusk_node(folder: Path, port: int) -> NodeConfig:
    pole = {
        "photocell": {"driver": "mock", "dark_after_s": 0, "light_after_s": 0},
        "schedule": {"min_on_s": 0, "min_off_s": 0},
        # By night no sensor's word for light would be believed.
        **where_it_is(12),
    }
    return node_config(folder / "node", port=port, sample_interval_s=0.05, pole=pole)


def births(hub: HubSide) -> int:
    return hub.states(NODE).count("online")


def more(count: Callable[[], int], than: int) -> bool:
    return count() > than


async def test_birth_then_the_reset_event_then_samples_then_goodbye(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.1))
    await eventually(lambda: len(hub.samples(NODE)) >= 3, what="three samples")
    await agent.end()
    await eventually(lambda: hub.states(NODE)[-1] == "stopped", what="the goodbye")
    birth = hub.heard[0]
    assert isinstance(birth, NodeState)
    assert (birth.status, birth.poles, birth.clock) == ("online", [POLE], "synced")
    assert isinstance(hub.heard[1], EventMessage)
    assert hub.heard[1].events[0].kind == "device_reset"
    assert not hub.samples(NODE)[0].historical
    assert sorted(hub.seqs(NODE)) == list(range(1, max(hub.seqs(NODE)) + 1)), "one seq space without gaps"


async def test_heartbeats_come_as_promised(broker: Mosquitto, hub: HubSide, tmp_path: Path) -> None:
    agent = RunningAgent(node_config(tmp_path / "node", port=broker.port, heartbeat_s=1))
    await eventually(lambda: hub.states(NODE).count("online") >= 3, what="birth and two heartbeats")
    assert {m.session for m in hub.heard if isinstance(m, NodeState)} == {epoch_of(hub).session}
    await agent.end()


async def test_a_killed_agents_will_says_lost_with_its_session(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    process = start_process(toml(tmp_path, broker.port))
    try:
        await eventually(lambda: "online" in hub.states(NODE), what="the birth")
    finally:
        process.kill()
        process.wait()
    await eventually(lambda: hub.states(NODE)[-1] == "lost", what="the will")
    birth, will = (m for m in hub.heard if isinstance(m, NodeState) and m.status in ("online", "lost"))
    assert birth.session == will.session


async def test_a_restart_within_the_wills_delay_raises_no_alarm(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    config = toml(tmp_path, broker.port, broker="will_delay_s = 3")
    for _ in range(2):
        seen = births(hub)
        process = start_process(config)
        try:
            await eventually(partial(more, partial(births, hub), seen), what="a birth")
        finally:
            process.kill()
            process.wait()
    await eventually(lambda: "lost" in hub.states(NODE), what="the second will")
    assert hub.states(NODE)[-1] == "lost"
    assert hub.states(NODE).count("lost") == 1, "the first death was hidden by the restart"


async def test_a_stopped_process_ends_clean_and_quick(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    process = start_process(toml(tmp_path, broker.port))
    agent_log = tmp_path / "agent.log"
    # The hub may hear the birth before the node hears that the broker has it, and only then has it connected.
    await eventually(lambda: "event=broker_connected" in agent_log.read_text(), what="the connection")
    await eventually(lambda: "online" in hub.states(NODE), what="the birth")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    await eventually(lambda: hub.states(NODE)[-1] == "stopped", what="the goodbye")
    log = agent_log.read_text()
    assert log.count("event=broker_connected") == 1
    start_s = float(log.split("start_s=")[1].split()[0])
    assert 0 < start_s < 10


async def test_a_log_that_cannot_be_written_stops_nothing(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    process = start_process(toml(tmp_path, broker.port), log=Path("/dev/full"))
    try:
        await eventually(lambda: len(hub.samples(NODE)) > 5, what="samples")
    finally:
        process.terminate()
        assert process.wait(10) == 0


async def test_a_samples_puback_is_not_storage(broker: Mosquitto, hub: HubSide, tmp_path: Path) -> None:
    agent = RunningAgent(node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.05))
    await eventually(lambda: len(hub.samples(NODE)) >= 10, what="ten samples that the broker took over")
    await agent.end()
    file = OutboxFile(tmp_path / "node" / FILE_NAME)
    assert file.count == file.high_seq >= 11, "nothing was forgotten without the hub's word"
    file.close()


async def test_exactly_what_the_hub_confirmed_is_forgotten(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.05))
    await eventually(lambda: len(hub.seqs(NODE)) >= 12, what="twelve items")
    await hub.stored(NODE, epoch_of(hub).epoch, [(2, 5), (8, 9)])
    heard = len(hub.heard)
    await eventually(lambda: len(hub.heard) > heard + 3, what="the node at work after the confirmation")
    await agent.end()
    file = OutboxFile(tmp_path / "node" / FILE_NAME)
    left = {item.seq for which in ("samples", "urgent") for item in file.read(which, 0, 9999)}
    assert set(range(1, file.high_seq + 1)) - left == {2, 3, 4, 5, 8, 9}
    file.close()


async def test_a_restart_sends_again_what_was_not_confirmed_as_history(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.05)
    agent = RunningAgent(config)
    await eventually(lambda: len(hub.seqs(NODE)) >= 10, what="ten items")
    await agent.end()
    first = set(hub.seqs(NODE))
    hub.heard.clear()
    agent = RunningAgent(config)
    await eventually(lambda: hub.seqs(NODE) >= first, what="all of them again")
    again = [sample for sample in hub.samples(NODE) if sample.seq in first]
    assert again
    assert all(sample.historical for sample in again)
    assert not all(sample.historical for sample in hub.samples(NODE)), "new ones are live"
    await agent.end()


async def test_a_dead_broker_darkens_nothing_and_loses_nothing(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(dusk_node(tmp_path, broker.port))
    await eventually(lambda: len(hub.samples(NODE)) >= 3, what="samples")
    broker.kill()
    await agent.follows_dusk_and_dawn()
    assert not agent.task.done()
    broker.start()
    await agent.end()


async def test_after_the_broker_is_back_all_that_was_made_arrives(
    broker: Mosquitto, tmp_path: Path
) -> None:
    agent = RunningAgent(node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.05))
    async with hub_side(broker.port, "tram-than") as hub:
        await eventually(lambda: len(hub.samples(NODE)) >= 3, what="samples")
    broker.kill()
    broker.start()
    async with hub_side(broker.port, "tram-than") as hub:
        await eventually(lambda: len(hub.samples(NODE)) >= 20, what="samples over the new connection")
        newest = max(hub.seqs(NODE))
        await eventually(lambda: hub.seqs(NODE) >= set(range(1, newest + 1)), what="every seq up to then")
    await agent.end()


async def test_over_a_half_dead_link_the_lamp_is_kept_and_nothing_is_lost(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    agent = RunningAgent(dusk_node(tmp_path, broker.port))
    await eventually(lambda: len(hub.samples(NODE)) >= 3, what="samples")
    broker.freeze()
    await agent.follows_dusk_and_dawn()
    broker.thaw()
    before = max(hub.seqs(NODE))
    await eventually(lambda: max(hub.seqs(NODE)) > before + 30, what="samples after the thaw")
    await eventually(lambda: hub.seqs(NODE) >= set(range(1, before + 30)), what="every one of them")
    await agent.end()


async def test_over_tls_with_its_own_certificate(tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path)
    broker_cert, broker_key = authority.issue("broker")
    authority.issue(NODE)
    lines = [
        "listener {port} 127.0.0.1",
        f"cafile {authority.ca_file}",
        f"certfile {broker_cert}",
        f"keyfile {broker_key}",
        "require_certificate true",
        "use_identity_as_username true",
        "log_type all",
    ]
    with Mosquitto(tmp_path / "broker", config_lines=lines) as broker:
        identity = f'ca_file = "ca.crt"\ncert_file = "{NODE}.crt"\nkey_file = "{NODE}.key"'
        process = start_process(toml(tmp_path, broker.port, broker=identity))
        try:
            await eventually(
                lambda: f"/{NODE}/telemetry" in broker.log_path.read_text(), what="telemetry over TLS"
            )
        finally:
            process.terminate()
            assert process.wait(10) == 0


async def test_a_confirmed_flow_leaves_nothing_queued(
    broker: Mosquitto, hub: HubSide, tmp_path: Path
) -> None:
    hub.confirms = True
    config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.05, heartbeat_s=1)
    agent = RunningAgent(config)
    await eventually(lambda: births(hub) >= 2, what="a heartbeat")
    assert epoch_of(hub).queued <= 2
    await agent.end()
    assert not any(sample.historical for sample in hub.samples(NODE))
    assert len(hub.samples(NODE)) == len({sample.seq for sample in hub.samples(NODE)}), (
        "none was sent twice"
    )
