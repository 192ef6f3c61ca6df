"""What one full pole sends and receives over the air in a day, on real mosquitto with TLS certificates.

A real agent process lives through the day with the loop's seconds shortened (`bench/air/quick_time.py`):
settings, messages and their times are a day's, so every payload is as long as on a pole. TCP, TLS, broker and
hub run in real time, which changes nothing that is counted: a report's exchange is over long before the next
begins, and delayed acknowledgements (40 ms) meet the hub's answer as they would on a link. A relay between
agent and broker reads the kernel's own counters; mosquitto's log tells which packet was what.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.children import Child, wait_until
from bench.kills import nodes_seen
from bench.stack import COMMUNE, RATED_W, Plan, Stack
from edge.link.pace import METERED_REPORT_S
from simulators.traffic.relay import SEGMENT_HEADERS, Relay, Traffic

DAY_H = 24.0
BUDGET_KB = 250.0
_PUBLISH = re.compile(
    r"(Received|Sending) PUBLISH (?:from|to) (\S+) \(d\d, q(\d), r\d, m\d+, '([^']+)', \.\.\. \((\d+) bytes\)\)"
)
_SMALL = re.compile(r"(Received|Sending) (PUBACK|PINGREQ|PINGRESP) (?:from|to) (\S+)")


@dataclass(frozen=True, slots=True)
class AirReport:
    """Kilobytes (10³) per day, both directions, by cause; `kb_per_day` is their sum."""

    kb_per_day: float
    within_budget: bool
    connecting: float
    samples: float
    other_messages: float
    confirmations: float
    mqtt_headers: float
    tls: float
    tcp_ip: float
    segments_per_day: int
    samples_made: int
    telemetry_messages: int
    pings: int
    """In the steady state none: reports keep the connection's promise."""
    hours: float
    speed: float


def run_air(data: Path, *, hours: float, speed: float, progress: Callable[[int], None]) -> AirReport:
    """Let one metered pole live through `hours` at `speed`; the day is reckoned from what came after the
    connection's beginning. Raises ChildError.
    """
    stack = Stack(Plan(data=data, agents=1, interval_s=30.0))
    stack.prepare()
    (node, pole), *_ = stack.nodes
    _log_every_packet(stack.layout.broker_config)
    log = stack.layout.data / "logs" / "mosquitto.log"
    stack.broker.start()
    stack.hub.start()
    with _relay(stack.broker_port) as (relay, read):
        config = _write_config(stack, node, pole, port=relay.port, speed=speed)
        start = datetime.now(UTC) - timedelta(hours=hours + 2)
        words = ["-m", "bench.air.child", str(config), str(speed), start.isoformat()]
        agent = Child(node, [sys.executable, *words], log=stack.layout.data / "logs" / f"{node}.log")
        try:
            # Before the hub listens the node would say everything twice.
            wait_until(
                lambda: "broker_connected" in stack.hub.log_text(), within_s=60, what="the hub to listen"
            )
            time.sleep(1.0)
            agent.start()
            wait_until(lambda: stack.ask(nodes_seen) == 1, within_s=60, what="the node to reach the hub")
            time.sleep(2 * METERED_REPORT_S / speed)
            began_at = _next_second()
            beginning = read()
            lived_h = _live(hours, speed=speed, progress=progress)
            end, ended_at = read(), datetime.now()  # noqa: DTZ005 - mosquitto's log has local time
            stack.broker.stop()  # it writes the rest of its log
        finally:
            for child in (agent, stack.hub, stack.broker):
                child.kill()
    packets = _packets(log, node, began_at, ended_at)
    return _report(beginning, end - beginning, packets, lived_h=lived_h, speed=speed)


def _live(hours: float, *, speed: float, progress: Callable[[int], None]) -> float:
    """Wait so many short hours; returns how many it really were."""
    began_s = time.monotonic()
    while (lived_s := (time.monotonic() - began_s) * speed) < hours * 3600:
        progress(int(lived_s / 3600))
        time.sleep(0.2)
    return lived_s / 3600


def _next_second() -> datetime:
    """Wait for it: mosquitto's log has whole seconds."""
    time.sleep(1.0 - time.time() % 1.0)
    return datetime.now().replace(microsecond=0)  # noqa: DTZ005 - see `run_air`


def _report(
    beginning: Traffic, steady: Traffic, packets: Counter[str], *, lived_h: float, speed: float
) -> AirReport:
    share = DAY_H / lived_h

    def kb(size: float) -> float:
        return round(size * share / 1000, 1)

    mqtt = packets["samples"] + packets["other"] + packets["confirmations"] + packets["headers"]
    total = beginning.air_bytes / 1000 + steady.air_bytes * share / 1000
    return AirReport(
        kb_per_day=round(total, 1),
        within_budget=total <= BUDGET_KB,
        connecting=round(beginning.air_bytes / 1000, 1),
        samples=kb(packets["samples"]),
        other_messages=kb(packets["other"]),
        confirmations=kb(packets["confirmations"]),
        mqtt_headers=kb(packets["headers"]),
        tls=kb(steady.payload_bytes - mqtt),
        tcp_ip=kb(steady.segments * SEGMENT_HEADERS),
        segments_per_day=round(beginning.segments + steady.segments * share),
        telemetry_messages=packets["telemetry_messages"],
        samples_made=round(lived_h * 120),
        pings=packets["PINGREQ"],
        hours=round(lived_h, 2),
        speed=speed,
    )


def _packets(log: Path, node: str, began_at: datetime, ended_at: datetime) -> Counter[str]:
    """Bytes by cause of what mosquitto took from and gave to the node, MQTT's headers apart."""
    found: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        stamp = line[:19]
        if not (stamp[:1].isdigit() and began_at.isoformat() <= stamp <= ended_at.isoformat()):
            continue
        if publish := _PUBLISH.search(line):
            _, client, qos, topic, size = publish.groups()
            if client != node:
                continue
            kind = topic.rpartition("/")[2]
            cause = {"telemetry": "samples", "stored": "confirmations"}.get(kind, "other")
            found[cause] += int(size)
            found["telemetry_messages"] += kind == "telemetry"
            # Fixed header (type, 2 bytes of length), topic, packet id, length of the properties.
            found["headers"] += 3 + 2 + len(topic) + (2 if qos != "0" else 0) + 1
        elif (small := _SMALL.search(line)) and small[3] == node:
            found[small[2]] += 1
            found["headers"] += 4 if small[2] == "PUBACK" else 2
    return found


@contextmanager
def _relay(to_port: int) -> Iterator[tuple[Relay, Callable[[], Traffic]]]:
    """A relay on a loop of its own thread, beside this one's waiting, and how to read its counters."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="relay")
    thread.start()
    relay = Relay(to_port)

    async def read() -> Traffic:
        return relay.traffic()

    try:
        asyncio.run_coroutine_threadsafe(relay.start(), loop).result(10)
        yield relay, lambda: asyncio.run_coroutine_threadsafe(read(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(relay.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _log_every_packet(config: Path) -> None:
    config.write_text(config.read_text(encoding="utf-8") + "log_type debug\n", encoding="utf-8")


def _write_config(stack: Stack, node: str, pole: str, *, port: int, speed: float) -> Path:
    """A metered node with its defaults. What passes in real time is put in short seconds: the keep-alive that
    paho counts, and the limit for answers, which must not become milliseconds.
    """
    directory = stack.layout.node_dir(node)
    path = directory / "air.toml"
    keepalive_s = max(5, round(METERED_REPORT_S * 1.1 / speed))
    path.write_text(
        f'node = "{node}"\ncommune = "{COMMUNE}"\ndata_dir = "{directory}/data"\nclock = "trusted"\n'
        f'[link]\nkind = "metered"\nanswer_within_s = {min(86_400, 60 * speed)}\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {port}\nkeepalive_s = {keepalive_s}\n'
        f'ca_file = "{directory}/ca.crt"\ncert_file = "{directory}/node.crt"\n'
        f'key_file = "{directory}/node.key"\n'
        f'[[poles]]\ncode = "{pole}"\nlatitude = 21.4731\nlongitude = 105.255\nlamp_rated_w = {RATED_W}\n'
        + "".join(f'[poles.{part}]\ndriver = "mock"\n' for part in ("lamp", "photocell", "meter"))
        + f'[[poles.cameras]]\ncode = "{pole}-C1"\ndriver = "mock"\n',
        encoding="utf-8",
    )
    return path
