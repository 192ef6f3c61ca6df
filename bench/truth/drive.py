"""Lets the year pass for world and hub together: closely where something is going on, coarsely where not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from bench.truth.hub_side import HubSide
from simulators.truth.plan import Trouble
from simulators.truth.world import World

STEPS = ((10.0, 2.0), (150.0, 10.0), (1200.0, 120.0))
"""So long after something notable the hub gets a turn so often; a running hub has one each second."""
IDLE_EVERY_S = 300.0
AHEAD_S = 86_400.0
"""So long before it begins the hub is told of planned work."""


def live_through(
    world: World, hub: HubSide, plan: Sequence[Trouble], day_passed: Callable[[int, int], None]
) -> int:
    """Until the world's end; returns how often the hub had a turn.

    Of the plan the hub is told what is planned with it, a day ahead. `day_passed` is told the day, and how many
    turns there were until then.
    """
    announced = deque(one for one in plan if one.planned)
    turns, day = 0, 0
    at_s, notable_s = 0.0, 0.0
    heard_broker, heard_hub = True, True
    while world.next_s <= world.end_s:
        next_s = world.next_s
        while (turn_s := at_s + _pause_s(at_s - notable_s)) < next_s:
            at_s = turn_s
            turns += 1
            _tell(world, hub.step(at_s))
        deliveries, notable = world.advance()
        at_s = next_s
        if notable or (heard_broker, heard_hub) != (world.air.broker_up, world.air.hub_up):
            notable_s = at_s
        while announced and announced[0].begin_s - AHEAD_S <= at_s:
            work = announced.popleft()
            hub.announce(work.where, work.begin_s, work.end_s)
        if heard_hub and not world.air.hub_up:
            # A running hub writes every two seconds that it lives: this turn stands for the last of them.
            _tell(world, hub.step(at_s))
            hub.kill()
        elif not heard_hub and world.air.hub_up:
            hub.start(at_s)
        if heard_broker and not world.air.broker_up:
            hub.lose_broker()
        elif not heard_broker and world.air.broker_up:
            hub.find_broker(at_s)
        heard_broker, heard_hub = world.air.broker_up, world.air.hub_up
        if deliveries or notable:
            turns += 1
            _tell(world, hub.step(at_s, deliveries))
        if at_s // 86_400 > day:
            day = int(at_s // 86_400)
            day_passed(day, turns)
    return turns


def _pause_s(since_notable_s: float) -> float:
    for until_s, every_s in STEPS:
        if since_notable_s < until_s:
            return every_s
    return IDLE_EVERY_S


def _tell(world: World, told: list[tuple[str, bytes]]) -> None:
    for topic, payload in told:
        world.confirm(topic, payload)
