"""InfluxDB goes away under load and comes back: what is lost, what memory it takes, how fast it catches up.

A real broker, hub and InfluxDB; the messages are sent at a steady rate before, during and after the outage, so
that catching up happens beside the load. In the end InfluxDB is asked for every (node, epoch, seq).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bench.audit import received_count
from bench.children import ChildError, answers, wait_until
from bench.stack import COMMUNE, Plan, Stack
from hub.ingest.reads import stats
from hub.telemetry.factory import open_store
from hub.telemetry.port import StoreUnavailableError, TelemetryStore
from protocol import Kind, LampReading, MeterReading, Sample, Telemetry, encode, topic

_IN_FLIGHT = 4000
_BEFORE_S = 5.0
_LOOK_EVERY_S = 0.5
_CAUGHT_UP_S = 1.0
"""Caught up is: no more waits than is sent in this time."""


@dataclass(frozen=True, slots=True)
class OutageReport:
    """`lost`: sent and acknowledged, and not in InfluxDB; `twice`: points beyond one per seq."""

    minutes: float
    rate_msgs_per_s: float
    made: int
    stored: int
    lost: int
    twice: int
    outbox_peak_points: int
    catch_up_s: float
    """From InfluxDB's first answer until no more waits than a second's load; the load goes on meanwhile."""
    catch_up_points_per_s: float
    catch_up_ratio: float
    """Points written per second while the backlog shrinks, in terms of the load that goes on beside it."""
    hub_rss_before_mb: float
    hub_rss_peak_mb: float
    hub_rss_after_mb: float

    @property
    def sound(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return self.lost == self.twice == 0


def run_outage(
    data: Path, *, minutes: float, rate: int, nodes: int, progress: Callable[[int], None]
) -> OutageReport:
    """Work in `data`; `progress` is told the seconds of outage. Raises ChildError when a process fails."""
    stack = Stack(Plan(data=data, agents=nodes, interval_s=3600, influx=True))
    stack.prepare()
    _open_broker_for_measuring(stack)
    assert stack.influx is not None
    stack.influx.start()
    stack.broker.start()
    stack.hub.start()
    sender, watch = _Sender(stack, rate), _Watch(stack)
    try:
        sender.wait_for_hub()
        sender.start()
        watch.look_for(_BEFORE_S)
        before_mb = watch.rss_mb
        stack.influx.kill()
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < 60 * minutes:
            watch.look_for(_LOOK_EVERY_S)
            progress(int(elapsed))
        stack.influx.start(wait=False)
        catch_up_s, per_s = _catch_up(stack, watch, rate, outage_s=60 * minutes)
        sender.stop()
        wait_until(
            lambda: stack.ask(received_count) > sender.made and watch.look() == 0,
            within_s=120,
            every_s=0.25,
            what="the hub to pass on the last messages",
        )
        stored, twice = _count(stack, sender)
        return OutageReport(
            minutes=minutes,
            rate_msgs_per_s=round(sender.made / sender.seconds, 1),
            made=sender.made,
            stored=stored,
            lost=sender.made - stored,
            twice=twice,
            outbox_peak_points=watch.peak_points,
            catch_up_s=round(catch_up_s, 1),
            catch_up_points_per_s=round(per_s, 1),
            catch_up_ratio=round(per_s * sender.seconds / sender.made, 2),
            hub_rss_before_mb=round(before_mb, 1),
            hub_rss_peak_mb=round(watch.peak_mb, 1),
            hub_rss_after_mb=round(watch.rss_mb, 1),
        )
    finally:
        sender.halt()
        for child in (stack.hub, stack.broker, stack.influx):
            child.kill()


class _Sender(threading.Thread):
    """One sample per message, the nodes in turn, evenly spread over time; each node has one epoch."""

    def __init__(self, stack: Stack, rate: int) -> None:
        super().__init__(name="outage-sender")
        self._stack = stack
        self._rate = rate
        self._ended = threading.Event()
        self._room = threading.Semaphore(_IN_FLIGHT)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="outage-load", protocol=mqtt.MQTTv5
        )
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._next = self._messages()
        self.epochs = {node: uuid4() for node, _ in stack.nodes}
        self.made = 0
        self._began_s = 0.0
        self.seconds = 0.0
        """How long it has sent, known once it is stopped."""

    def wait_for_hub(self) -> None:
        """Send one message at a time until the hub has one: before it has subscribed they go nowhere."""
        self._client.connect("127.0.0.1", self._stack.broker_port)
        self._client.loop_start()
        node, pole = self._stack.nodes[0]
        probe = uuid4()

        def heard() -> bool:
            self._client.publish(
                topic(COMMUNE, node, Kind.TELEMETRY), _message(node, pole, probe, 1), qos=1
            )
            return self._stack.ask(received_count) > 0

        # However many of them come, (node, epoch, seq) is the same: they are one.
        wait_until(heard, within_s=60, every_s=0.3, what="the hub to subscribe")

    def run(self) -> None:
        """Send until `stop`."""
        self._client.on_publish = lambda *_: self._room.release()
        self._began_s = time.monotonic()
        while not self._ended.wait(0.02):
            due = self._rate * (time.monotonic() - self._began_s)
            while self.made < due and not self._ended.is_set() and self._room.acquire(timeout=1.0):
                name, payload = next(self._next)
                self._client.publish(name, payload, qos=1)
                self.made += 1

    def halt(self) -> None:
        """Send no more."""
        self._ended.set()
        self._client.disconnect()
        self._client.loop_stop()

    def stop(self) -> None:
        """Send no more, and wait until the broker has acknowledged all."""
        self._ended.set()
        self.join()
        self.seconds = time.monotonic() - self._began_s
        for _ in range(_IN_FLIGHT):
            if not self._room.acquire(timeout=30):
                raise ChildError("the broker left messages unacknowledged for 30 s")

    def last_seqs(self) -> Iterator[tuple[str, str, int]]:
        """(node, epoch, last seq) of what was sent."""
        for place, (node, _) in enumerate(self._stack.nodes):
            yield node, str(self.epochs[node]), (self.made - place - 1) // len(self._stack.nodes) + 1

    def _messages(self) -> Iterator[tuple[str, bytes]]:
        seq = 0
        while True:
            seq += 1
            for node, pole in self._stack.nodes:
                payload = _message(node, pole, self.epochs[node], seq)
                yield topic(COMMUNE, node, Kind.TELEMETRY), payload


@dataclass(slots=True)
class _Watch:
    """Looks at the hub from outside: what waits, and what it takes of memory, its child processes included."""

    stack: Stack
    peak_points: int = 0
    rss_mb: float = 0.0
    peak_mb: float = 0.0

    def look(self) -> int:
        """How many points wait for InfluxDB now."""
        waiting = int(self.stack.ask(stats)["outbox"]["points"])
        self.rss_mb = sum(_rss_mb(pid) for pid in _family(self.stack.hub.pid))
        self.peak_points = max(self.peak_points, waiting)
        self.peak_mb = max(self.peak_mb, self.rss_mb)
        return waiting

    def look_for(self, seconds: float) -> None:
        """Look again and again for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(min(_LOOK_EVERY_S, max(0.0, end - time.monotonic())))


def _catch_up(stack: Stack, watch: _Watch, rate: int, *, outage_s: float) -> tuple[float, float]:
    """Seconds until the backlog is gone, and points per second that InfluxDB took once the hub knew of it."""
    looks: list[tuple[float, int, int]] = []
    answered_s: float | None = None

    def caught_up() -> bool:
        nonlocal answered_s
        waiting = watch.look()
        looks.append((time.monotonic(), waiting, stack.ask(received_count)))
        if answered_s is None:
            answered_s = looks[-1][0] if answers(stack.influx_port) else None
            return False
        return waiting <= rate * _CAUGHT_UP_S

    wait_until(caught_up, within_s=max(120.0, 3 * outage_s), every_s=0.1, what="the hub to catch up")
    ended_s, waits, received = looks[-1]
    # Until it falls, the backlog only grows: InfluxDB opens its files, the hub waits before its next attempt.
    top = max(range(len(looks)), key=lambda at: looks[at][1])
    began_s, waited, had_received = looks[top]
    written = waited - waits + received - had_received
    assert answered_s is not None
    return ended_s - answered_s, written / max(0.1, ended_s - began_s)


def _count(stack: Stack, sender: _Sender) -> tuple[int, int]:
    store: TelemetryStore = open_store(stack.telemetry_url)
    stored = twice = 0
    try:
        for node, epoch, last in sender.last_seqs():
            tally = store.count(node, epoch)
            stored += min(tally.distinct, last)
            twice += tally.points - tally.distinct
    except StoreUnavailableError as error:
        raise ChildError(f"InfluxDB did not answer the count: {error}") from error
    finally:
        store.close()
    return stored, twice


def _message(node: str, pole: str, epoch: object, seq: int) -> bytes:
    now = datetime.now(UTC)
    sample = Sample(
        seq=seq,
        pole=pole,
        time=now,
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="photocell"),
        meter=MeterReading(power_w=60.0 + seq % 10 / 10, voltage_v=224.1, current_a=0.29),
        dark=True,
    )
    return encode(Telemetry(v=1, node=node, epoch=epoch, sent_at=now, samples=[sample]))  # type: ignore[arg-type]


def _open_broker_for_measuring(stack: Stack) -> None:
    """A broker without TLS on loopback: what is measured is the hub and its store."""
    stack.layout.broker_config.write_text(
        f"listener {stack.broker_port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay false\n"
        "max_inflight_messages 0\nmax_queued_messages 0\nconnection_messages false\n",
        encoding="utf-8",
    )
    stack.hub_config.write_text(
        f'database = "{stack.database_url}"\ntelemetry = "{stack.telemetry_url}"\n'
        f"[broker]\nport = {stack.broker_port}\n",
        encoding="utf-8",
    )


def _family(pid: int) -> set[int]:
    """The process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _rss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6
