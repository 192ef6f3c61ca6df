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
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, func, select

from bench.audit import Audit, Made, audit, made_by
from bench.children import Child, wait_until
from bench.stack import COMMUNE, Plan, Stack
from hub.commands.store import request_override
from hub.ingest.tables import node_state, telemetry_outbox

DRAIN_WITHIN_S = 120.0
COMMAND_SHARE = 0.3
"""How many of the kills are accompanied by a lamp command."""


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
            lambda: stack.ask(nodes_seen) == plan.agents, within_s=60, what="every agent to reach the hub"
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
        for child in stack.everyone:
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
        if rng.random() < COMMAND_SHARE:
            stack.tell(partial(_ask_for_half_light, rng.choice(stack.nodes)))
    for _, child in down:
        child.start(wait=False)
    return killed


def _ask_for_half_light(at: tuple[str, str], connection: Connection) -> None:
    """A lamp command: its receipts share the samples' numbering and must arrive as surely."""
    node, pole = at
    now = datetime.now(UTC)
    until = now + timedelta(minutes=10)
    request_override(
        connection, pole=pole, node=node, commune=COMMUNE, level=0.5, until=until, by="campaign", now=now
    )


def _drain(stack: Stack) -> list[Made]:
    """Let the agents hand over all they hold, stop everything but InfluxDB, and read what they made."""
    for child in stack.everyone:
        child.wait_ready()
    stack.quieten()
    quiet_since = datetime.now(UTC)
    wait_until(
        lambda: stack.ask(partial(handed_over, since=quiet_since, nodes=len(stack.agents))),
        within_s=DRAIN_WITHIN_S,
        every_s=0.25,
        what="the agents to hand over what they hold and the hub to pass it on",
    )
    for agent in stack.agents:
        agent.stop()
    made = made_by((node, stack.layout.node_dir(node) / "data" / "outbox.db") for node, _ in stack.nodes)
    wait_until(
        lambda: stack.ask(telemetry_waiting) == 0,
        within_s=60,
        every_s=0.25,
        what="the telemetry outbox to empty",
    )
    stack.hub.stop()
    stack.broker.stop()
    return made


def nodes_seen(connection: Connection) -> int:
    """How many nodes the hub has heard of."""
    return connection.execute(select(func.count()).select_from(node_state)).scalar_one()


def telemetry_waiting(connection: Connection) -> int:
    """How many batches have not yet reached the telemetry store."""
    return connection.execute(select(func.count()).select_from(telemetry_outbox)).scalar_one()


def handed_over(connection: Connection, *, since: datetime, nodes: int) -> bool:
    """Whether every node has said, after `since`, that its outbox is empty."""
    query = select(node_state.c.queued).where(node_state.c.last_seen_at > since)
    said = connection.execute(query).scalars().all()
    return len(said) == nodes and not any(said)
