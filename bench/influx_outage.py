"""InfluxDB goes away under load and comes back: what is lost, what memory it takes, how fast it catches up.

A real broker, hub and InfluxDB; the messages are sent at a steady rate before, during and after the outage, so
that catching up happens beside the load. In the end InfluxDB is asked for every (node, epoch, seq).

**Catch-up** begins when the backlog is largest: InfluxDB has opened its files and the hub has noticed.
It ends when no more waits than is sent in a second. Its ratio is the points that InfluxDB took per second
in that time, old ones and new ones, divided by the messages that were sent per second in the same time. At
5, four fifths of what InfluxDB takes is backlog, and an outage is worked off in a quarter of its length.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.children import ChildError, answers, wait_until
from bench.stack import COMMUNE, Plan, Stack
from hub.ingest.reads import stats
from hub.telemetry.factory import open_store
from hub.telemetry.port import StoreUnavailableError, TelemetryStore
from simulators.traffic.steady import SteadySender

_BEFORE_S = 5.0
_LOOK_EVERY_S = 0.5
_CAUGHT_UP_S = 1.0
"""Caught up is: no more waits than is sent in this time."""


@dataclass(frozen=True, slots=True)
class OutageReport:
    """`lost`: sent and acknowledged, and not in InfluxDB; `twice`: points beyond one per seq."""

    minutes: float
    asked_msgs_per_s: float
    reached_msgs_per_s: float
    """What the sender came to, from its first message to its last."""
    made: int
    stored: int
    lost: int
    twice: int
    outbox_peak_points: int
    outbox_peak_mb: float
    """What the database took on disk at most, in megabytes."""
    back_until_falling_s: float
    """From InfluxDB's first answer until the backlog was largest."""
    catch_up_s: float
    """From then until no more waits than a second's load."""
    catch_up_points_per_s: float
    catch_up_load_msgs_per_s: float
    """What was sent per second meanwhile."""
    catch_up_ratio: float
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
    sender = SteadySender(stack.nodes, commune=COMMUNE, rate=rate, host="127.0.0.1", port=stack.broker_port)
    watch = _Watch(stack)
    try:
        _wait_for_hub(stack, sender)
        sender.start()
        watch.look_for(_BEFORE_S)
        before_mb = watch.rss_mb
        stack.influx.kill()
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < 60 * minutes:
            watch.look_for(_LOOK_EVERY_S)
            progress(int(elapsed))
        stack.influx.start(wait=False)
        caught_up = _catch_up(stack, watch, sender, rate, outage_s=60 * minutes)
        sender.stop()
        wait_until(
            lambda: watch.look() == 0 and watch.samples_stored > sender.made,
            within_s=120,
            every_s=0.25,
            what="the hub to pass on the last messages",
        )
        stored, twice = _count(stack, sender)
        return OutageReport(
            minutes=minutes,
            asked_msgs_per_s=rate,
            reached_msgs_per_s=round(sender.made / sender.seconds, 1),
            made=sender.made,
            stored=stored,
            lost=sender.made - stored,
            twice=twice,
            outbox_peak_points=watch.peak_points,
            outbox_peak_mb=round(watch.peak_file_mb, 1),
            back_until_falling_s=round(caught_up.until_falling_s, 1),
            catch_up_s=round(caught_up.seconds, 1),
            catch_up_points_per_s=round(caught_up.points_per_s, 1),
            catch_up_load_msgs_per_s=round(caught_up.load_per_s, 1),
            catch_up_ratio=round(caught_up.points_per_s / caught_up.load_per_s, 2),
            hub_rss_before_mb=round(before_mb, 1),
            hub_rss_peak_mb=round(watch.peak_mb, 1),
            hub_rss_after_mb=round(watch.rss_mb, 1),
        )
    finally:
        sender.halt()
        for child in (stack.hub, stack.broker, stack.influx):
            child.kill()


@dataclass(slots=True)
class _Watch:
    """Looks at the hub from outside: what waits, and what it takes of memory, its child processes included."""

    stack: Stack
    peak_points: int = 0
    points_written: int = 0
    samples_stored: int = 0
    rss_mb: float = 0.0
    peak_mb: float = 0.0
    peak_file_mb: float = 0.0

    def look(self) -> int:
        """How many points wait for InfluxDB now."""
        told = self.stack.ask(stats)
        waiting = int(told["outbox"]["points"])
        self.points_written = int(told["telemetry"]["points_written"])
        self.samples_stored = int(told["samples_stored"])
        self.rss_mb = sum(_rss_mb(pid) for pid in _family(self.stack.hub.pid))
        self.peak_points = max(self.peak_points, waiting)
        self.peak_mb = max(self.peak_mb, self.rss_mb)
        self.peak_file_mb = max(self.peak_file_mb, _database_mb(self.stack))
        return waiting

    def look_for(self, seconds: float) -> None:
        """Look again and again for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(min(_LOOK_EVERY_S, max(0.0, end - time.monotonic())))


@dataclass(frozen=True, slots=True)
class _CaughtUp:
    until_falling_s: float
    seconds: float
    points_per_s: float
    load_per_s: float


def _catch_up(
    stack: Stack, watch: _Watch, sender: SteadySender, rate: int, *, outage_s: float
) -> _CaughtUp:
    looks: list[tuple[float, int, int, int]] = []
    answered_s: float | None = None

    def caught_up() -> bool:
        nonlocal answered_s
        waiting = watch.look()
        looks.append((time.monotonic(), waiting, watch.points_written, sender.made))
        if answered_s is None:
            answered_s = looks[-1][0] if answers(stack.influx_port) else None
            return False
        return waiting <= rate * _CAUGHT_UP_S

    wait_until(caught_up, within_s=max(120.0, 3 * outage_s), every_s=0.2, what="the hub to catch up")
    assert answered_s is not None
    began_s, _, had_written, had_sent = max(looks, key=lambda look: look[1])
    ended_s, _, written, sent = looks[-1]
    seconds = max(0.1, ended_s - began_s)
    return _CaughtUp(
        until_falling_s=max(0.0, began_s - answered_s),
        seconds=seconds,
        points_per_s=(written - had_written) / seconds,
        load_per_s=max(1, sent - had_sent) / seconds,
    )


def _wait_for_hub(stack: Stack, sender: SteadySender) -> None:
    """Send one message at a time until the hub has one: before it has subscribed they go nowhere."""

    def heard() -> bool:
        sender.probe()
        return int(stack.ask(stats)["samples_stored"]) > 0

    wait_until(heard, within_s=60, every_s=0.3, what="the hub to subscribe")


def _count(stack: Stack, sender: SteadySender) -> tuple[int, int]:
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


def _database_mb(stack: Stack) -> float:
    path = Path(stack.database_url.removeprefix("sqlite:///"))
    files = [path, path.with_name(f"{path.name}-wal")]
    return sum(one.stat().st_size for one in files if one.exists()) / 1e6


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
