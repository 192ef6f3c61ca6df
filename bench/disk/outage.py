"""A month without the hub, replayed in minutes: what the node keeps, how large that is, and how it comes back.

The agent is a process of its own whose time jumps while its broker is away; then a real mosquitto and a real
hub start, time is real, and the hub's database is asked until everything has come.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from bench.audit import audit, made_by, received_count
from bench.children import ChildError, wait_until
from bench.kills import telemetry_waiting
from bench.stack import Plan, Stack
from hub.ingest import reads
from hub.ingest.tables import node_event, received

HOME = Path(__file__).resolve().parents[2]
DRAIN_WITHIN_S = 900.0
LAST_MOMENT_S = 5.0
"""So long before its end an agent may have made what it still holds, on a busy machine."""


@dataclass(frozen=True, slots=True)
class OutageReport:
    """`made` counts all seqs: samples, events, receipts. Sound: none lost, none twice, gaps told exactly."""

    days: float
    interval_s: float
    outage_replayed_s: float
    made: int
    dropped_and_told: int
    """For want of room or for age; the hub was told each of them."""
    lost: int
    """Neither stored, nor told as dropped, nor still on the node."""
    still_on_node: int
    """Made as the agent was stopped: it had no time to hear that they are stored, or to send them."""
    twice: int
    complaints: list[str]
    largest_file_mb: float
    """Of file and log together, 10⁶ bytes."""
    rss_mb: float
    peak_rss_mb: float
    rss_after_mb: float
    first_live_s: float
    """From the broker's return to the first sample of the present in the hub."""
    drained_s: float
    """From the same moment to the last of the past."""
    times_real_time: float
    """Seconds of history per second of draining."""
    load_average: float

    @property
    def sound(self) -> bool:
        """Whether everything made is stored once, or told as dropped, but for what the last moment left."""
        last_moment = self.still_on_node <= LAST_MOMENT_S / self.interval_s + 1
        return self.lost == self.twice == 0 and last_moment and not self.complaints


def run_outage(
    data: Path,
    *,
    days: float,
    interval_s: float = 30.0,
    max_mb: int = 64,
    progress: Callable[[int], None] = lambda _: None,
) -> OutageReport:
    """Replay it in `data`; `progress` hears of the days done. Raises ChildError."""
    with tempfile.TemporaryDirectory(prefix="ngonden-outage-", dir=_quick_folder()) as outbox:
        return _Outage(data, Path(outbox), days, interval_s, max_mb, progress).run()


def _quick_folder() -> str | None:
    """Memory where there is some: the outage is about sizes, and 90,000 syncs would take most of its time."""
    shared = Path("/dev/shm")  # noqa: S108 - made by tempfile
    return str(shared) if os.access(shared, os.W_OK) else None


@dataclass(slots=True)
class _Outage:
    data: Path
    outbox: Path
    days: float
    interval_s: float
    max_mb: int
    progress: Callable[[int], None]

    def run(self) -> OutageReport:
        stack = Stack(Plan(data=self.data, agents=1, interval_s=self.interval_s))
        stack.prepare()
        node, pole = stack.nodes[0]
        config = stack.layout.node_config(node)
        folder = stack.layout.node_dir(node) / "data"
        folder.symlink_to(self.outbox)
        started_s = time.monotonic()
        with self._agent(config) as child:
            try:
                facts = self._follow(child)
                replayed_s = time.monotonic() - started_s
                first_live_s, drained_s = self._come_back(stack, child, pole)
                rss_after_kb = _rss_kb(child.pid)
                child.terminate()
                child.wait(30)
                made = made_by([(node, folder / "outbox.db")])
                wait_until(
                    lambda: stack.ask(telemetry_waiting) == 0, within_s=300, what="the telemetry outbox"
                )
                dropped = stack.ask(_told_as_dropped)
            finally:
                child.kill()
                for process in stack.everyone:
                    process.kill()
        counted = audit(made, database_url=stack.database_url, telemetry_url=stack.telemetry_url)
        return OutageReport(
            days=self.days,
            interval_s=self.interval_s,
            outage_replayed_s=round(replayed_s, 1),
            made=counted.made,
            dropped_and_told=dropped,
            lost=counted.lost - counted.unconfirmed_loss - dropped,
            still_on_node=counted.waiting,
            twice=counted.twice,
            complaints=counted.complaints,
            largest_file_mb=round(facts["largest_bytes"] / 1e6, 2),
            rss_mb=round(facts["rss_kb"] * 1024 / 1e6, 1),
            peak_rss_mb=round(facts["peak_kb"] * 1024 / 1e6, 1),
            rss_after_mb=round(rss_after_kb * 1024 / 1e6, 1),
            first_live_s=round(first_live_s, 2),
            drained_s=round(drained_s, 1),
            times_real_time=round((counted.made - dropped) * self.interval_s / drained_s),
            load_average=round(os.getloadavg()[0], 2),
        )

    def _agent(self, config: Path) -> subprocess.Popen[str]:
        words = ["-m", "bench.disk.outage_child", str(config), str(self.days), str(self.max_mb)]
        with (self.data / "agent.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=HOME,
                text=True,
            )

    def _come_back(self, stack: Stack, child: subprocess.Popen[str], pole: str) -> tuple[float, float]:
        """Start broker and hub, and let time be real; returns what `_wait` does."""
        stack.broker.start()
        stack.hub.start()
        wait_until(lambda: stack.ask(_hub_listens), within_s=60, what="the hub to listen")
        back_at, back_s = datetime.now(UTC), time.monotonic()
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
        return self._wait(stack, pole, back_at, back_s)

    @property
    def _samples(self) -> int:
        return int(self.days * 86_400 / self.interval_s)

    def _follow(self, child: subprocess.Popen[str]) -> dict[str, int]:
        assert child.stdout is not None
        for line in child.stdout:
            facts: dict[str, int] = json.loads(line)
            if "day" not in facts:
                return facts
            self.progress(facts["day"])
        raise ChildError(f"the agent ended:\n{(self.data / 'agent.log').read_text()[-3000:]}")

    def _wait(self, stack: Stack, pole: str, back_at: datetime, back_s: float) -> tuple[float, float]:
        """Seconds until the first live sample, and until nothing waits any more."""
        first_live_s = None
        while True:
            passed_s = time.monotonic() - back_s
            if first_live_s is None and stack.ask(lambda connection: _is_live(connection, pole, back_at)):
                first_live_s = passed_s
            if first_live_s is not None and stack.ask(
                lambda connection: _has_all(connection, self._samples)
            ):
                return first_live_s, passed_s
            if passed_s > DRAIN_WITHIN_S:
                raise ChildError(
                    f"not drained after {DRAIN_WITHIN_S:g} s: {stack.ask(received_count)} came"
                )
            time.sleep(0.05)


def _is_live(connection: Connection, pole: str, since: datetime) -> bool:
    return any(one.pole == pole and one.sample_at >= since for one in reads.pole_states(connection))


def _hub_listens(connection: Connection) -> bool:
    return reads.ingest_seen_at(connection) is not None


def _has_all(connection: Connection, samples: int) -> bool:
    """Whether no seq is missing any more: all came, or were told as dropped."""
    for ranges in connection.execute(select(received.c.ranges)).scalars():
        if len(ranges) == 1 and ranges[0][0] == 1 and ranges[0][1] >= samples:
            return True
    return False


def _told_as_dropped(connection: Connection) -> int:
    rows = connection.execute(select(node_event.c.detail).where(node_event.c.kind == "outbox_overflow"))
    return sum(_dropped(row.detail) for row in rows)


def _dropped(detail: object) -> int:
    told = json.loads(detail) if isinstance(detail, str) else detail
    assert isinstance(told, dict)
    return int(told["dropped"])


def _rss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
