"""How fast the hub takes telemetry in, beside what a bare subscriber takes in the same run.

Each round sends one prepared load twice through the same broker: first to `mosquitto_sub`, which only
reads, then to the hub, which decodes, judges, keeps, commits with fsync and acknowledges. A message counts
for the hub when its transaction is committed. Machines differ and are noisy; the ratio of the two rates in
one round is what can be compared, and the processor time of the ingest itself.
"""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from bench.children import Child, ChildError, answers, free_port, program, wait_until
from bench.loads import WARM_TURNS, Loads
from bench.stack import COMMUNE, ngonden, registry_csv, run_command
from bench.stages import Cast, Stages, measure_stages
from hub.db import open_database, reading
from hub.ingest.tables import ingest_stat
from hub.uptime.daily.places import cursor
from hub.uptime.tables import coverage_day
from simulators.traffic.load import PreparedLoad, forget_session, node_names, send

LIMIT_S = 600.0
EVERY_TOPIC = "ngonden/1/+/+/telemetry"
STAGED_MESSAGES = 200_000
_QUIET_CPU_S = 0.2
"""In two seconds: a hub without messages takes less."""

FEW_NODES = 219
"""A commune: against so many known nodes the growth is told."""


@dataclass(frozen=True, slots=True)
class Round:
    """One load, taken by the bare subscriber and by the hub; rates in messages per second."""

    baseline_msgs_per_s: float
    hub_msgs_per_s: float
    cpu_us_per_msg: float
    lost: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Medians over the rounds; `lost` is the sum. Of `nodes` that are known, `speaking` send.

    `stages` are processor µs per message without a broker, where all of them send.
    """

    messages: int
    nodes: int
    speaking: int
    rounds: int
    hub_msgs_per_s: float
    baseline_msgs_per_s: float
    ratio: float
    lost: int
    cpu_us_per_msg: float
    """Of the ingest's process; the telemetry drainer, which can wait, is another."""
    stages: Stages
    stages_sum_us: float
    growth_known: float
    """The sum of the stages where 219 of the nodes speak, in terms of what it is where only those are known."""
    growth: float
    """The same where all of them speak, as for `stages`. All three are measured in turn in one process."""


class _House:
    """A broker without TLS on loopback and a hub with its registry; both receivers pay the same."""

    def __init__(self, data: Path, nodes: int, speaking: int) -> None:
        self.nodes = list(node_names(nodes))
        self.speaking = self.nodes[:speaking]
        self.port = free_port()
        self._data = data
        database = f"sqlite:///{data}/hub.db"
        config = data / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay false\n"
            "max_inflight_messages 0\nmax_queued_messages 0\nconnection_messages false\n",
            encoding="utf-8",
        )
        hub_config = data / "hub.toml"
        hub_config.write_text(
            f'database = "{database}"\ntelemetry = "sqlite:///{data}/telemetry.db"\n'
            f"[broker]\nport = {self.port}\nreceive_maximum = 20000\n",
            encoding="utf-8",
        )
        registry = data / "registry.csv"
        registry.write_text(registry_csv(self.nodes), encoding="utf-8")
        run_command("hub", "migrate", "--database", database)
        run_command("hub", "import", str(registry), "--database", database)
        self._engine = reading(open_database(database))
        self.broker = Child(
            "mosquitto",
            [program("mosquitto"), "-c", str(config)],
            log=data / "mosquitto.log",
            ready=lambda: answers(self.port),
        )
        self.hub = Child(
            "hub", [*ngonden(), "hub", "run", "--config", str(hub_config)], log=data / "hub.log"
        )

    def committed(self) -> int:
        """Samples whose transaction is on disk."""
        with self._engine.connect() as connection:
            return _committed(connection)

    def reckoned(self) -> bool:
        """Whether the uptime of all that was heard is reckoned."""
        with self._engine.connect() as connection:
            heard = connection.execute(select(func.max(coverage_day.c.revision))).scalar()
            return heard is None or (cursor(connection, "coverage") or 0) >= heard

    def close(self) -> None:
        self.hub.kill()
        self.broker.kill()
        self._engine.dispose()


def run_ingest(
    data: Path,
    *,
    messages: int,
    rounds: int,
    progress: Callable[[int], None],
    nodes: int = FEW_NODES,
    speaking: int | None = None,
) -> IngestReport:
    """Measure in `data`, by default with all `nodes` speaking in turn.

    Raises ChildError when a process fails or `mosquitto_sub` is missing.
    """
    house = _House(data, nodes, nodes if speaking is None else speaking)
    house.broker.start()
    try:
        done = []
        for number in range(rounds):
            done.append(_round(house, messages, f"round-{number}"))
            progress(number + 1)
    finally:
        house.close()
    staged = min(messages, STAGED_MESSAGES)
    few = list(node_names(FEW_NODES))
    casts = [Cast(few, few), Cast(house.nodes, few), Cast(house.nodes, house.nodes)]
    at_few, few_speak, stages = measure_stages(data, casts, messages=staged)
    return IngestReport(
        messages=messages,
        nodes=nodes,
        speaking=len(house.speaking),
        rounds=rounds,
        hub_msgs_per_s=round(statistics.median(item.hub_msgs_per_s for item in done), 1),
        baseline_msgs_per_s=round(statistics.median(item.baseline_msgs_per_s for item in done), 1),
        ratio=round(statistics.median(item.hub_msgs_per_s / item.baseline_msgs_per_s for item in done), 3),
        lost=sum(item.lost for item in done),
        cpu_us_per_msg=round(statistics.median(item.cpu_us_per_msg for item in done), 1),
        stages=stages,
        stages_sum_us=stages.sum_us,
        growth_known=round(few_speak.sum_us / at_few.sum_us, 2),
        growth=round(stages.sum_us / at_few.sum_us, 2),
    )


def _committed(connection: Connection) -> int:
    query = select(ingest_stat.c.value).where(ingest_stat.c.key == "counters")
    counters = connection.execute(query).scalar()
    return int(counters["samples_stored"]) if counters else 0


def _round(house: _House, messages: int, name: str) -> Round:
    bare = Loads(COMMUNE, f"{name}-bare", datetime.now(UTC))
    baseline = _bare_subscriber(house, bare.measured(house.speaking, messages))
    house.hub.start()
    try:
        loads = Loads(COMMUNE, name, datetime.now(UTC))
        before = _warm_up(house, loads)
        load = loads.measured(house.speaking, messages)
        _let_it_settle(house)
        cpu_before = house.hub.cpu_s()
        started = time.monotonic()
        sender = threading.Thread(target=_send, args=(house, load))
        sender.start()
        try:
            _wait_for(house, before + messages)
        except ChildError:
            lost = before + messages - house.committed()
        else:
            lost = 0
        elapsed = time.monotonic() - started
        cpu_s = house.hub.cpu_s() - cpu_before
        sender.join()
    finally:
        house.hub.stop(within_s=60)
    # Else the broker would keep the next round's baseline load for the hub too.
    forget_session("hub", host="127.0.0.1", port=house.port)
    return Round(baseline, (messages - lost) / elapsed, cpu_s / messages * 1e6, lost)


def _warm_up(house: _House, loads: Loads) -> int:
    """Let the hub hear each node until it knows what is usual of it; returns what it has committed then."""
    before = house.committed()
    many = WARM_TURNS * len(house.nodes)
    first = loads.first(house.nodes[0])

    def subscribed() -> bool:
        # Before it has subscribed, messages go nowhere. One at a time: what it hears twice costs it, too.
        if house.committed() == before:
            _send(house, first)
            time.sleep(0.5)
        return house.committed() > before

    wait_until(subscribed, within_s=180, every_s=0.5, what="the hub to subscribe")
    _send(house, loads.warm_up(house.nodes))
    _wait_for(house, before + many)
    return before + many


def _let_it_settle(house: _House) -> None:
    """Wait for the rows of state, for the telemetry, and for the look at every pole's day after a start."""
    spent_s = [0.0]

    def quiet() -> bool:
        spent_s.append(house.hub.cpu_s() + house.hub.helpers_cpu_s())
        return abs(spent_s[-1] - spent_s[-2]) < _QUIET_CPU_S and house.reckoned()

    wait_until(quiet, within_s=LIMIT_S, every_s=2.0, what="the hub to have nothing left to do")


def _send(house: _House, load: PreparedLoad) -> None:
    send(load, host="127.0.0.1", port=house.port, limit_s=LIMIT_S)


def _wait_for(house: _House, count: int) -> None:
    wait_until(
        lambda: house.committed() >= count,
        within_s=LIMIT_S,
        every_s=0.05,
        what=f"the hub to commit {count} messages",
    )


def _bare_subscriber(house: _House, load: PreparedLoad) -> float:
    argv = ["mosquitto_sub", "-p", str(house.port), "-V", "5", "-i", "bare-subscriber", "-c", "-x", "600"]
    argv += ["-q", "1", "-t", EVERY_TOPIC]
    try:
        # -E leaves once the subscription stands; the session stays, so that not one message is missed.
        subprocess.run([*argv, "-E"], check=True, capture_output=True, timeout=30)
    except FileNotFoundError:
        raise ChildError("mosquitto_sub is missing: install the package mosquitto-clients") from None
    subscriber = subprocess.Popen([*argv, "-C", str(load.messages), "-F", ""], stdout=subprocess.DEVNULL)
    started = time.monotonic()
    _send(house, load)
    subscriber.wait(timeout=LIMIT_S)
    rate = load.messages / (time.monotonic() - started)
    # Its session would get, and queue, the hub's load as well.
    forget_session("bare-subscriber", host="127.0.0.1", port=house.port)
    return rate
