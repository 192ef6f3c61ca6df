"""The whole commune for minutes: what `make up` starts, 219 agents, and every sample counted at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select

from bench.audit import Audit, audit, made_by
from bench.children import Child, free_port, wait_until
from bench.kills import handed_over, nodes_seen, telemetry_waiting
from bench.stack import ngonden
from hub.db import open_database, reading
from hub.ingest.histogram import Histogram
from hub.ingest.tables import ingest_stat
from provisioning.layout import Layout

SCENARIO = "all-good"
START_WITHIN_S = 240.0
SETTLE_MINUTES = 0.25

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommuneReport:
    """What was made and what became of it.

    Latency is from a sample's time to its commit, over the `latency_samples` live samples of the measured
    minutes; the start, when all nodes connect at once, is in the audit but not in the latency.
    """

    nodes: int
    minutes: float
    audit: Audit
    latency_ms_p50: float | None
    latency_ms_p99: float | None
    latency_samples: int
    first_start_s: float
    restart_s: float

    @property
    def sound(self) -> bool:
        """Whether every sample made is stored exactly once."""
        return self.audit.sound


def run_commune(
    data: Path, *, minutes: float, interval_s: float, influx: str | None, progress: Callable[[int], None]
) -> CommuneReport:
    """Run `ngonden up` in `data`, then once more with nearly no sampling, so that it hands over the rest.

    Raises ChildError when it does not start, stop, or hand over.
    """
    layout = Layout(data.resolve())
    database_url = f"sqlite:///{layout.data}/hub/hub.db"
    house = _house(layout, interval_s, influx, life="first")
    started = time.monotonic()
    house.start()
    first_start_s = time.monotonic() - started
    try:
        nodes = len(list(layout.nodes.iterdir()))
        wait_until(
            lambda: _ask(database_url, nodes_seen) == nodes,
            within_s=120,
            what=f"{nodes} nodes to come online",
        )
        _pass_minutes(SETTLE_MINUTES, lambda _: None)
        before = _ask(database_url, _latencies)
        _pass_minutes(minutes, progress)
        latency = _spent_since(before, _ask(database_url, _latencies))
        house.stop(within_s=60)
        house = _house(layout, 3600.0, influx, life="second")
        quiet_since, started = datetime.now(UTC), time.monotonic()
        house.start()
        restart_s = time.monotonic() - started
        _wait_handed_over(database_url, quiet_since, nodes)
        house.stop(within_s=60)
    finally:
        house.kill()
    made = made_by((path.name, path / "data" / "outbox.db") for path in sorted(layout.nodes.iterdir()))
    telemetry_url = f"influx+{influx}" if influx else f"sqlite:///{layout.data}/hub/telemetry.db"
    return CommuneReport(
        nodes=nodes,
        minutes=minutes,
        audit=audit(made, database_url=database_url, telemetry_url=telemetry_url),
        latency_ms_p50=latency.percentile(0.50),
        latency_ms_p99=latency.percentile(0.99),
        latency_samples=latency.count,
        first_start_s=round(first_start_s, 1),
        restart_s=round(restart_s, 1),
    )


def _house(layout: Layout, interval_s: float, influx: str | None, *, life: str) -> Child:
    port = free_port()
    argv = [*ngonden(), "up", "--data", str(layout.data), "--port", str(port), "--scenario", SCENARIO]
    argv += ["--sample-interval", str(interval_s)]
    argv += ["--influx", influx] if influx else []
    log = layout.data.with_name(f"{layout.data.name}-{life}.log")
    return Child(
        "ngonden up",
        argv,
        log=log,
        ready=lambda: log.exists() and "ready in" in log.read_text(encoding="utf-8"),
        ready_within_s=START_WITHIN_S,
    )


def _pass_minutes(minutes: float, progress: Callable[[int], None]) -> None:
    end = time.monotonic() + minutes * 60
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        progress(int(minutes * 60 - max(0.0, end - time.monotonic())))


def _latencies(connection: Connection) -> Mapping[str, int]:
    stored = connection.execute(
        select(ingest_stat.c.value).where(ingest_stat.c.key == "latency_ms")
    ).scalar()
    return dict(stored or {})


def _spent_since(before: Mapping[str, int], after: Mapping[str, int]) -> Histogram:
    return Histogram.from_json({bucket: count - before.get(bucket, 0) for bucket, count in after.items()})


def _wait_handed_over(database_url: str, since: datetime, nodes: int) -> None:
    done = partial(handed_over, since=since, nodes=nodes)
    wait_until(
        lambda: _ask(database_url, done) and _ask(database_url, telemetry_waiting) == 0,
        within_s=180,
        every_s=1.0,
        what="the agents to hand over what they hold and the hub to pass it on",
    )


def _ask(database_url: str, question: Callable[[Connection], T]) -> T:
    engine = open_database(database_url)
    try:
        with reading(engine).connect() as connection:
            return question(connection)
    finally:
        engine.dispose()
