"""The kill loop: agent, broker, hub and InfluxDB die at random moments under load, and nothing may be lost.

Each kill is SIGKILL. A process is started again after a random pause and may be hit once more while it is
still starting. At the end the agents hand over what they hold, and every seq they made is looked for.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from bench.audit import Audit, Made, audit, made_by
from bench.children import Child, ChildError, wait_until
from bench.stack import Plan, Stack
from hub.db import open_database, reading
from hub.ingest.tables import node_state, telemetry_outbox

DRAIN_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class KillReport:
    """What a campaign did and what the count says; `killed` is the number of SIGKILLs per kind of process."""

    seed: int
    killed: dict[str, int]
    seconds: float
    audit: Audit
    aside: list[str]
    """Outbox files that an agent found damaged; there must be none."""

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, nothing doubled, no outbox damaged."""
        return self.audit.sound and not self.aside


def run_kills(plan: Plan, *, kills: int, seed: int, progress: Callable[[int], None]) -> KillReport:
    """Run the whole campaign in `plan.data`; `progress` is called with the kills done so far.

    Raises ChildError when a process dies without having been killed or never comes back.
    """
    rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)
    stack = Stack(plan)
    stack.prepare()
    started = time.monotonic()
    stack.start()
    try:
        wait_until(
            lambda: nodes_seen(stack) == plan.agents, within_s=60, what="every agent to reach the hub"
        )
        killed = _kill_at_random(stack, rng, kills, progress)
        made = _drain(stack)
        seconds = time.monotonic() - started
        result = audit(made, database_url=stack.database_url, telemetry_url=stack.telemetry_url)
        aside = [
            str(path.relative_to(stack.layout.data))
            for path in stack.layout.nodes.rglob("outbox.damaged-*")
        ]
        return KillReport(seed, dict(killed), seconds, result, aside)
    finally:
        for child in _everyone(stack):
            child.kill()


def _kill_at_random(
    stack: Stack, rng: random.Random, kills: int, progress: Callable[[int], None]
) -> Counter[str]:
    killed: Counter[str] = Counter()
    kinds: dict[str, list[Child]] = {"agent": stack.agents, "mosquitto": [stack.broker], "hub": [stack.hub]}
    if stack.influx is not None:
        kinds["influxd"] = [stack.influx]
    down: list[tuple[float, Child]] = []
    while sum(killed.values()) < kills:
        time.sleep(rng.uniform(0.05, 0.9))
        now = time.monotonic()
        for due, child in list(down):
            if due <= now:
                child.start(wait=False)
                down.remove((due, child))
        kind = rng.choice(sorted(kinds))
        victim = rng.choice(kinds[kind])
        if any(child is victim for _, child in down):
            continue
        _ = victim.pid  # raises where it died without being killed
        victim.kill()
        killed[kind] += 1
        down.append((now + rng.uniform(0.0, 2.0), victim))
        progress(sum(killed.values()))
    for _, child in down:
        child.start(wait=False)
    return killed


def _drain(stack: Stack) -> list[Made]:
    """Let the agents hand over all they hold, stop everything but InfluxDB, and read what they made."""
    for child in _everyone(stack):
        child.wait_ready()
    stack.quieten()
    quiet_since = time.time()
    wait_until(
        lambda: _all_handed_over(stack, quiet_since),
        within_s=DRAIN_WITHIN_S,
        every_s=0.25,
        what="the agents to hand over what they hold and the hub to pass it on",
    )
    for agent in stack.agents:
        agent.stop()
    made = made_by((node, stack.layout.node_dir(node) / "data" / "outbox.db") for node, _ in stack.nodes)
    wait_until(
        lambda: telemetry_waiting(stack) == 0,
        within_s=60,
        every_s=0.25,
        what="the telemetry outbox to empty",
    )
    stack.hub.stop()
    stack.broker.stop()
    return made


def _everyone(stack: Stack) -> list[Child]:
    return [*stack.agents, stack.hub, stack.broker, *([stack.influx] if stack.influx else [])]


def nodes_seen(stack: Stack) -> int:
    return _count(stack, lambda: select(func.count()).select_from(node_state))


def telemetry_waiting(stack: Stack) -> int:
    return _count(stack, lambda: select(func.count()).select_from(telemetry_outbox))


def _all_handed_over(stack: Stack, since: float) -> bool:
    """Every node has said, after `since` (Unix seconds), that its outbox is empty."""
    engine = open_database(stack.database_url)
    try:
        with reading(engine).connect() as connection:
            rows = connection.execute(select(node_state.c.last_seen_at, node_state.c.queued)).all()
    finally:
        engine.dispose()
    said = [queued for seen, queued in rows if seen.timestamp() > since]
    return len(said) == len(stack.agents) and not any(said)


def _count(stack: Stack, query: Callable[[], select]) -> int:  # type: ignore[type-arg]
    engine = open_database(stack.database_url)
    try:
        with reading(engine).connect() as connection:
            return int(connection.execute(query()).scalar_one())
    finally:
        engine.dispose()


def outbox_of(data: Path, node: str) -> Path:
    """Where a provisioned node keeps its outbox."""
    return data / "nodes" / node / "data" / "outbox.db"


__all__ = ["ChildError", "KillReport", "outbox_of", "run_kills"]
