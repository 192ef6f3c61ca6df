"""The house of the workers' campaign: PostgreSQL, InfluxDB, a broker, and several `ngonden hub run`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, delete, insert

from bench.children import Child, ChildError, answers, free_port, program
from bench.influx_child import influx_child
from bench.stack import ngonden
from bench.workers.crowd import RATED_W, CrowdNode
from hub.db import open_database, reading
from hub.incidents.model import LAMP_FAILURE
from hub.incidents.tables import incident_rule
from hub.migrations.runner import upgrade
from hub.registry.importing import import_registry

NEVER_FLAPS = {"flap_count": 100_000}
"""The same few lamps die again and again here; that a lamp comes and goes is not what is looked at."""

TOLD = "cycling_failure"
"""A fault that the nodes tell of; the other kind is seen by readings."""

HOLD_OFF_S = 2.0

T = TypeVar("T")


class House:
    """Made, `start`ed, and `close`d whatever happened. `database` is PostgreSQL's address."""

    def __init__(self, data: Path, database: str, *, workers: int, communes: int, nodes: int) -> None:
        self.database = database
        self.communes = [f"xa-{number}" for number in range(1, communes + 1)]
        self.nodes = [
            CrowdNode(f"w{place}-{number:02d}", f"W{place}-{number:02d}", commune)
            for place, commune in enumerate(self.communes, start=1)
            for number in range(1, nodes + 1)
        ]
        self.port, influx_port = free_port(), free_port()
        self.telemetry = f"influx+http://127.0.0.1:{influx_port}/ngonden"
        self.influx = influx_child(data / "influx", port=influx_port, log=data / "influxd.log")
        config = data / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n"
            "max_queued_messages 0\n",
            encoding="utf-8",
        )
        self.broker = Child(
            "mosquitto",
            [program("mosquitto"), "-c", str(config)],
            log=data / "mosquitto.log",
            ready=lambda: answers(self.port),
        )
        self.workers = {name: self._worker(data, name) for name in _names(workers)}
        self._engine = open_database(database)
        upgrade(self._engine)
        with self._engine.begin() as conn:
            imported = import_registry(conn, _registry(self.nodes).encode(), now=datetime.now(UTC))
            if not imported.stored:
                raise ChildError(f"the campaign's registry was refused: {imported.errors}")
            conn.execute(delete(incident_rule).where(incident_rule.c.kind.in_((LAMP_FAILURE, TOLD))))
            conn.execute(insert(incident_rule), [_rule(LAMP_FAILURE, HOLD_OFF_S), _rule(TOLD, 0.0)])

    def start(self) -> None:
        """Servers first; the workers are not waited for."""
        self.influx.start()
        self.broker.start()
        for worker in self.workers.values():
            worker.start(wait=False)

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask the hub's database."""
        with reading(self._engine).connect() as connection:
            return question(connection)

    def stop_workers(self) -> None:
        """End them in order, all at once as a machine that shuts down does; raises ChildError."""
        with ThreadPoolExecutor(len(self.workers)) as pool:
            list(pool.map(Child.stop, self.workers.values()))

    def close(self) -> None:
        """End everything at once."""
        for child in (*self.workers.values(), self.broker, self.influx):
            child.kill()
        self._engine.dispose()

    def _worker(self, data: Path, name: str) -> Child:
        config = data / f"{name}.toml"
        config.write_text(
            f'database = "{self.database}"\ntelemetry = "{self.telemetry}"\n'
            f'[broker]\nport = {self.port}\n[ingest]\nworker = "{name}"\n',
            encoding="utf-8",
        )
        argv = [*ngonden(), "hub", "run", "--config", str(config)]
        return Child(name, argv, log=data / f"{name}.log")


def _names(count: int) -> list[str]:
    return [f"worker-{number}" for number in range(1, count + 1)]


def _rule(kind: str, seconds: float) -> dict[str, object]:
    return {
        "commune": "",
        "kind": kind,
        "hold_off_s": seconds,
        "clear_after_s": seconds,
        "params": NEVER_FLAPS,
        "severity": None,
        "enabled": True,
    }


def _registry(nodes: Sequence[CrowdNode]) -> str:
    lines = ["code,place,node,commune,commune_name,province,hamlet,feeder,latitude,longitude,lamp_rated_w"]
    lines += [
        f"{node.pole},km {number * 0.04:.2f},{node.name},{node.commune},xã {node.commune},tỉnh Phú Thọ,"
        f"Khu 1,{node.commune}-F1,{21.4731 + number * 0.0003:.6f},105.255000,{RATED_W}"
        for number, node in enumerate(nodes)
    ]
    return "\n".join(lines) + "\n"
