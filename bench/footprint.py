"""What one agent costs a Pi: resident memory while it works, and the time until its lamp is under control."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.children import Child, ChildError, wait_until
from bench.kills import nodes_seen
from bench.stack import Plan, Stack

_UNDER_CONTROL = re.compile(r"lamp_under_control\b.*?start_s[^0-9]{1,4}([0-9.]+)")
SETTLED_S = 10.0


@dataclass(frozen=True, slots=True)
class FootprintReport:
    """`rss_mb` in 10⁶ bytes while connected and sampling; `start_s` from exec to the first decision."""

    rss_mb: float
    start_s: float
    starts: list[float]


def run_footprint(data: Path, *, starts: int) -> FootprintReport:
    """Start one agent `starts` times beside a real broker and hub; medians. Raises ChildError."""
    stack = Stack(Plan(data=data, agents=1, interval_s=1.0))
    stack.prepare()
    stack.broker.start()
    stack.hub.start()
    agent = stack.agents[0]
    memory: list[float] = []
    times: list[float] = []
    try:
        for number in range(starts):
            agent.start()
            wait_until(
                partial(_has_started, agent, number + 1),
                within_s=30,
                what="the agent to take control of its lamp",
            )
            times.append(_starts(agent)[-1])
            if number == starts - 1:
                wait_until(
                    lambda: stack.ask(nodes_seen) == 1, within_s=30, what="the agent to reach the hub"
                )
                time.sleep(SETTLED_S)
                memory.append(agent.rss_mb())
            agent.stop()
    finally:
        for child in (agent, stack.hub, stack.broker):
            child.kill()
    return FootprintReport(round(statistics.median(memory), 1), round(statistics.median(times), 3), times)


def _has_started(agent: Child, times: int) -> bool:
    return len(_starts(agent)) == times


def _starts(agent: Child) -> list[float]:
    found = [float(value) for value in _UNDER_CONTROL.findall(agent.log_text())]
    if not found and "lamp_under_control" in agent.log_text():
        raise ChildError("the agent's log says lamp_under_control without start_s")
    return found
