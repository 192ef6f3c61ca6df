"""How fast the hub takes telemetry in, beside what a bare subscriber takes in the same run.

Each round sends one prepared load twice through the same broker: first to `mosquitto_sub`, which only reads,
then to the hub, which decodes, judges, keeps and commits. Machines differ and are noisy; the ratio of the two
rates in one round is what can be compared.
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

from bench.audit import received_count
from bench.children import ChildError, wait_until
from bench.stack import COMMUNE, Plan, Stack
from simulators.traffic.load import PreparedLoad, prepare, send

NODES = 219
LIMIT_S = 180.0
EVERY_TOPIC = "ngonden/1/+/+/telemetry"


@dataclass(frozen=True, slots=True)
class Round:
    """One load, taken by the bare subscriber and by the hub; rates in messages per second."""

    baseline_msgs_per_s: float
    hub_msgs_per_s: float
    cpu_us_per_msg: float
    lost: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Medians over the rounds; `lost` is the sum."""

    messages: int
    rounds: int
    hub_msgs_per_s: float
    baseline_msgs_per_s: float
    ratio: float
    lost: int
    cpu_us_per_msg: float


def run_ingest(data: Path, *, messages: int, rounds: int, progress: Callable[[int], None]) -> IngestReport:
    """Measure in `data`; raises ChildError when a process fails or `mosquitto_sub` is missing."""
    stack = Stack(Plan(data=data, agents=NODES, interval_s=3600))
    stack.prepare()
    _open_broker_for_measuring(stack)
    stack.broker.start()
    try:
        done = []
        for number in range(rounds):
            done.append(_round(stack, messages, f"round-{number}"))
            progress(number + 1)
    finally:
        stack.hub.kill()
        stack.broker.kill()
    return IngestReport(
        messages=messages,
        rounds=rounds,
        hub_msgs_per_s=round(statistics.median(item.hub_msgs_per_s for item in done), 1),
        baseline_msgs_per_s=round(statistics.median(item.baseline_msgs_per_s for item in done), 1),
        ratio=round(statistics.median(item.hub_msgs_per_s / item.baseline_msgs_per_s for item in done), 3),
        lost=sum(item.lost for item in done),
        cpu_us_per_msg=round(statistics.median(item.cpu_us_per_msg for item in done), 1),
    )


def _round(stack: Stack, messages: int, name: str) -> Round:
    baseline = _bare_subscriber(stack, _load(stack, messages, f"{name}-baseline"))
    stack.hub.start()
    try:
        before = _warm_up(stack, name)
        cpu_before = stack.hub.cpu_s()
        load = _load(stack, messages, f"{name}-hub")
        started = time.monotonic()
        sender = threading.Thread(target=_send, args=(stack, load))
        sender.start()
        try:
            _wait_for(stack, before + messages)
        except ChildError:
            lost = before + messages - stack.ask(received_count)
        else:
            lost = 0
        elapsed = time.monotonic() - started
        sender.join()
        cpu_s = stack.hub.cpu_s() - cpu_before
    finally:
        stack.hub.stop()
    return Round(baseline, (messages - lost) / elapsed, cpu_s / messages * 1e6, lost)


def _warm_up(stack: Stack, name: str) -> int:
    """Send one message of each node until the hub has them: before it has subscribed they go nowhere."""
    wanted = stack.ask(received_count) + NODES
    warm = _load(stack, NODES, f"{name}-warm")

    def committed() -> bool:
        if stack.ask(received_count) < wanted:
            _send(stack, warm)
        return stack.ask(received_count) >= wanted

    wait_until(committed, within_s=60, every_s=0.5, what="the hub to subscribe")
    return wanted


def _load(stack: Stack, messages: int, run: str) -> PreparedLoad:
    return prepare(stack.nodes, messages, commune=COMMUNE, run=run, now=datetime.now(UTC))


def _send(stack: Stack, load: PreparedLoad) -> None:
    send(load, host="127.0.0.1", port=stack.broker_port, limit_s=LIMIT_S)


def _wait_for(stack: Stack, count: int) -> None:
    wait_until(
        lambda: stack.ask(received_count) >= count,
        within_s=LIMIT_S,
        every_s=0.1,
        what=f"the hub to commit {count} messages",
    )


def _bare_subscriber(stack: Stack, load: PreparedLoad) -> float:
    argv = [
        "mosquitto_sub",
        "-p",
        str(stack.broker_port),
        "-V",
        "5",
        "-i",
        "bare-subscriber",
        "-c",
        "-x",
        "600",
    ]
    argv += ["-q", "1", "-t", EVERY_TOPIC]
    try:
        # -E leaves once the subscription stands; the session stays, so that not one message is missed.
        subprocess.run([*argv, "-E"], check=True, capture_output=True, timeout=30)
    except FileNotFoundError:
        raise ChildError("mosquitto_sub is missing: install the package mosquitto-clients") from None
    subscriber = subprocess.Popen([*argv, "-C", str(load.messages), "-F", ""], stdout=subprocess.DEVNULL)
    started = time.monotonic()
    _send(stack, load)
    subscriber.wait(timeout=LIMIT_S)
    return load.messages / (time.monotonic() - started)


def _open_broker_for_measuring(stack: Stack) -> None:
    """A broker without TLS on loopback: the sender writes prepared bytes, and both receivers pay the same."""
    config = stack.layout.broker_config
    config.write_text(
        f"listener {stack.broker_port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay false\n"
        "max_inflight_messages 0\nmax_queued_messages 0\nconnection_messages false\n",
        encoding="utf-8",
    )
    hub_config = stack.hub_config
    hub_config.write_text(
        f'database = "{stack.database_url}"\ntelemetry = "{stack.telemetry_url}"\n'
        f"[broker]\nport = {stack.broker_port}\n",
        encoding="utf-8",
    )
