"""An agent that is updated for real: launcher, processes, broker, and a hub that confirms or does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.update import launch
from edge.update.install import begin_trial, install
from edge.update.launch import CURRENT, pointed_at
from edge.update.release import build, from_this_installation
from edge.version import AGENT_VERSION
from protocol import Event, EventMessage, Kind, NodeState, encode
from protocol.messages import AgentRelease, Config, PoleConfig
from tests.support.file_server import FileServer
from tests.support.hub_side import HubSide, eventually
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import NODE, POLE
from tests.support.releases import ROOT, release_file

pytestmark = pytest.mark.servers
NEXT = "9.9.9"


@dataclass
class Node:
    folder: Path
    config: Path

    @property
    def releases(self) -> Path:
        return self.folder / "data/releases"


@pytest.fixture(name="node")
def _node(tmp_path: Path, broker: Mosquitto) -> Node:
    config = tmp_path / "node.toml"
    config.write_text(f"""
node = "{NODE}"
commune = "tram-than"
data_dir = "data"
sample_interval_s = 0.2
clock = "trusted"
[broker]
host = "127.0.0.1"
port = {broker.port}
will_delay_s = 0
reconnect_max_s = 0.5
[update]
base_url = "http://127.0.0.1:1"
[[poles]]
code = "{POLE}"
latitude = 21.4731
longitude = 105.255
lamp_rated_w = 60
lamp = {{ driver = "mock" }}
""")
    return Node(tmp_path, config)


@contextmanager
def running(node: Node) -> Iterator[subprocess.Popen[bytes]]:
    with (node.folder / "agent.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", launch.__file__, "--config", str(node.config)],
            stderr=log,
            stdout=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def next_release(folder: Path) -> tuple[Path, str]:
    """This very agent under another version."""
    parts = from_this_installation(libraries=False)
    parts["edge/version.py"] = parts["edge/version.py"].replace(AGENT_VERSION.encode(), NEXT.encode())
    parts.pop("edge/__main__.py")
    main = (ROOT / "edge/__main__.py").read_text().replace("{", "{{").replace("}", "}}")
    assert "{" not in main
    return release_file(folder, NEXT, main=main, more=parts)


def events(hub: HubSide) -> list[Event]:
    return [event for m in hub.heard if isinstance(m, EventMessage) for event in m.events]


def kinds(hub: HubSide) -> set[str]:
    return {event.kind for event in events(hub)}


def version(hub: HubSide) -> str:
    states = [m for m in hub.heard if isinstance(m, NodeState) and m.status == "online"]
    return states[-1].agent_version if states else ""


async def test_the_hubs_word_brings_a_release_that_stays(node: Node, hub: HubSide) -> None:
    file, digest = next_release(node.folder / "files")
    hub.confirms = True
    name = f"ngonden-edge-{NEXT}-{digest[:12]}.tar.gz"
    with FileServer({f"releases/{name}": file.read_bytes()}) as server:
        node.config.write_text(
            node.config.read_text().replace("http://127.0.0.1:1", f"{server.url}/releases")
        )
        with running(node) as process:
            await eventually(lambda: version(hub) == AGENT_VERSION, what="the agent to come up")
            await hub.say(encode(config_with(digest)), node=NODE, kind=Kind.CONFIG)
            await eventually(lambda: version(hub) == NEXT, what="the new agent", limit_s=60)
            await eventually(lambda: "agent_updated" in kinds(hub), what="its commit", limit_s=20)
            assert process.poll() is None, "the process stayed the same for systemd"
    assert pointed_at(node.releases, CURRENT) == f"{NEXT}-{digest[:12]}"
    assert "agent_update_started" in kinds(hub)
    assert "agent_rolled_back" not in kinds(hub)


def config_with(digest: str) -> Config:
    pole: dict[str, Any] = {"pole": POLE, "latitude": 21.4731, "longitude": 105.255, "lamp_rated_w": 60.0}
    return Config(
        v=1,
        node=NODE,
        version=1,
        sample_interval_s=0.2,
        heartbeat_s=30,
        poles=[PoleConfig(**pole)],
        agent=AgentRelease(version=NEXT, sha256=digest),
    )


async def test_a_release_that_the_hub_never_confirms_goes(node: Node, hub: HubSide) -> None:
    file, digest = next_release(node.folder / "files")
    name = install(node.releases, file, sha256=digest, config=node.config)
    begin_trial(node.releases, name, starts_allowed=3, trial_s=4)
    with running(node):
        await eventually(lambda: version(hub) == NEXT, what="the new agent", limit_s=30)
        await eventually(lambda: version(hub) == AGENT_VERSION, what="the old agent again", limit_s=30)
        hub.confirms = True
        await eventually(lambda: "agent_rolled_back" in kinds(hub), what="word of it", limit_s=30)
    told = next(event for event in events(hub) if event.kind == "agent_rolled_back")
    assert told.detail["reason"] == "no confirmation of the hub within 4 s"
    assert pointed_at(node.releases, CURRENT) == ""


def test_the_release_of_this_installation_is_small_without_libraries(tmp_path: Path) -> None:
    path, _ = build(tmp_path, wheels=[], libraries=False)
    assert path.stat().st_size < 500_000
