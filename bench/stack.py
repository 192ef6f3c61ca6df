"""A whole small house for campaigns: broker, hub, telemetry store and agents, each a process of its own.

Everything is set up through the same doors as in real life: certificates from provisioning, the registry from
an import, typed configuration files, TLS on loopback. Only the lamps, sensors and meters are mock drivers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from bench.children import Child, ChildError, answers, free_port, program
from bench.influx_child import influx_child
from hub.db import open_database, reading
from provisioning.issuing import found, issue_nodes
from provisioning.layout import Layout
from simulators.traffic.load import node_names

COMMUNE = "tram-than"
RATED_W = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build. `interval_s` is the time between samples; `influx` puts telemetry into InfluxDB."""

    data: Path
    agents: int
    interval_s: float
    influx: bool = False


class Stack:
    """The processes of one campaign, in the order they are started."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layout = Layout(plan.data.resolve())
        self.nodes = list(node_names(plan.agents))
        self.broker_port = free_port()
        self.influx_port = free_port()
        self.database_url = f"sqlite:///{self.layout.data}/hub.db"
        self.telemetry_url = (
            f"influx+http://127.0.0.1:{self.influx_port}/ngonden"
            if plan.influx
            else f"sqlite:///{self.layout.data}/telemetry.db"
        )
        self._engine: Engine | None = None
        self._logs = self.layout.data / "logs"
        self.broker = Child(
            "mosquitto",
            [program("mosquitto"), "-c", str(self.layout.broker_config)],
            log=self._logs / "mosquitto.log",
            ready=lambda: answers(self.broker_port),
        )
        self.hub = Child(
            "hub",
            [*ngonden(), "hub", "run", "--config", str(self.hub_config)],
            log=self._logs / "hub.log",
        )
        self.agents = [
            Child(
                node,
                [*ngonden(), "edge", "--config", str(self.layout.node_config(node))],
                log=self._logs / f"{node}.log",
            )
            for node, _ in self.nodes
        ]
        self.influx: Child | None = (
            influx_child(self.layout.data / "influx", port=self.influx_port, log=self._logs / "influxd.log")
            if plan.influx
            else None
        )

    @property
    def hub_config(self) -> Path:
        """The hub's settings file."""
        return self.layout.data / "hub.toml"

    def prepare(self) -> None:
        """Certificates, database, registry and configuration files; nothing runs yet."""
        self._logs.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        found(self.layout.data, now=now, port=self.broker_port)
        issue_nodes(
            self.layout.data, [(COMMUNE, node) for node, _ in self.nodes], now=now, port=self.broker_port
        )
        for node, pole in self.nodes:
            self._write_node_config(node, pole, self.plan.interval_s)
        identity = self.layout.hub_identity
        self.hub_config.write_text(
            f'database = "{self.database_url}"\ntelemetry = "{self.telemetry_url}"\n'
            f"[broker]\nport = {self.broker_port}\n"
            f'ca_file = "{self.layout.authority.certificate}"\n'
            f'cert_file = "{identity.certificate}"\nkey_file = "{identity.key}"\n',
            encoding="utf-8",
        )
        registry = self.layout.data / "registry.csv"
        registry.write_text(registry_csv(self.nodes), encoding="utf-8")
        run_command("hub", "migrate", "--database", self.database_url)
        run_command("hub", "import", str(registry), "--database", self.database_url)

    def start(self) -> None:
        """Start all, servers before agents; raises ChildError where one does not come up."""
        if self.influx is not None:
            self.influx.start()
        self.broker.start()
        self.hub.start()
        for agent in self.agents:
            agent.start(wait=False)

    @property
    def everyone(self) -> list[Child]:
        """All processes, agents first: the order in which they are stopped."""
        return [*self.agents, self.hub, self.broker, *([self.influx] if self.influx else [])]

    def quieten(self) -> None:
        """Restart the agents with an hour between samples, so that they only hand over what they hold."""
        for (node, pole), agent in zip(self.nodes, self.agents, strict=True):
            agent.stop()
            self._write_node_config(node, pole, 3600.0)
            agent.start(wait=False)

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask the hub's database, as a reader that holds up nobody."""
        with reading(self._database()).connect() as connection:
            return question(connection)

    def tell(self, change: Callable[[Connection], T]) -> T:
        """Write to the hub's database as the web server would, in a transaction of its own."""
        with self._database().begin() as connection:
            return change(connection)

    def _database(self) -> Engine:
        if self._engine is None:
            self._engine = open_database(self.database_url)
        return self._engine

    def _write_node_config(self, node: str, pole: str, interval_s: float) -> None:
        directory = self.layout.node_dir(node)
        # Its own text rather than an edit of provisioning's: the campaign needs quick samples and reconnects.
        self.layout.node_config(node).write_text(
            f'node = "{node}"\ncommune = "{COMMUNE}"\ndata_dir = "{directory}/data"\nclock = "trusted"\n'
            f"sample_interval_s = {interval_s}\nheartbeat_s = 5\nlamp_settle_s = 0.1\n"
            f'[broker]\nhost = "127.0.0.1"\nport = {self.broker_port}\nreconnect_max_s = 1.0\n'
            f'ca_file = "{directory}/ca.crt"\ncert_file = "{directory}/node.crt"\n'
            f'key_file = "{directory}/node.key"\n'
            f'[[poles]]\ncode = "{pole}"\nlatitude = 21.4731\nlongitude = 105.255\nlamp_rated_w = {RATED_W}\n'
            + "".join(f'[poles.{part}]\ndriver = "mock"\n' for part in ("lamp", "photocell", "meter")),
            encoding="utf-8",
        )


def ngonden() -> list[str]:
    """How this interpreter runs the front door, wherever the project is installed."""
    return [sys.executable, "-m", "ngonden"]


def run_command(*words: str) -> str:
    """Run one `ngonden` command to its end and return what it printed; raises ChildError with its words."""
    done = subprocess.run([*ngonden(), *words], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise ChildError(f"`ngonden {' '.join(words)}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def registry_csv(nodes: Sequence[tuple[str, str]]) -> str:
    """A registry of one pole per node along parallel roads of 1,000 poles, in the import's columns."""
    lines = ["code,place,node,commune,commune_name,province,hamlet,feeder,latitude,longitude,lamp_rated_w"]
    lines += [
        f"{pole},km {number * 0.04:.2f},{node},{COMMUNE},xã Trạm Thản,tỉnh Phú Thọ,Khu 1,TG-F1,"
        f"{21.4731 + number % 1000 * 0.0003:.6f},{105.255 + number // 1000 * 0.001:.6f},{RATED_W}"
        for number, (node, pole) in enumerate(nodes)
    ]
    return "\n".join(lines) + "\n"
