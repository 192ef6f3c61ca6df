"""What happens in the storm night, and when. Local time, the evening of 12 September 2026 in Trạm Thản."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from simulators.storm.air import Air, Hub
from simulators.storm.log import StormLog
from simulators.storm.road import COMMUNE, Road
from simulators.virtual_time import VirtualLoop
from simulators.world import LOCAL

BEGIN = datetime(2026, 9, 12, 15, 50, tzinfo=LOCAL)
END = datetime(2026, 9, 12, 23, 45, tzinfo=LOCAL)
LOOK_EVERY_S = 5.0
CABINET = ["TG-0101", "TG-0102", "TG-0103"]
ALONE = "TG-0042"


class BusyLoop(VirtualLoop):
    """Every step of the program takes a microsecond.

    Without it, a moment that is not due by a rounding error would never come.
    """

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Let the microsecond pass."""
        self.jump(1e-6)
        return super().call_soon(callback, *args, context=context)


@dataclass(frozen=True, slots=True)
class NightReport:
    """The log, and what the hub had in the morning."""

    lines: list[str]
    samples: int
    events: int
    twice: int
    gaps: int
    """Nodes of which the hub's sequence has a hole."""


def run_night(*, seed: int = 1) -> NightReport:
    """Play the night; the same seed writes the same log."""
    loop = BusyLoop()
    began_s = loop.time()

    def now() -> datetime:
        return BEGIN + timedelta(seconds=loop.time() - began_s)

    log = StormLog(now)
    hub = Hub(log, now, COMMUNE)
    before = structlog.get_config()
    log.listen()
    try:
        with (
            asyncio.Runner(loop_factory=lambda: loop) as runner,
            tempfile.TemporaryDirectory(prefix="ngonden-storm-") as folder,
            ThreadPoolExecutor(1) as executor,
        ):
            runner.run(_play(loop, log, hub, Path(folder), executor, seed))
    finally:
        structlog.configure(**before)
    return NightReport(
        log.lines(),
        hub.samples,
        len(hub.events),
        hub.twice,
        sum(known.have.ranges > 1 for known in hub.nodes.values()),
    )


async def _play(
    loop: VirtualLoop, log: StormLog, hub: Hub, folder: Path, executor: ThreadPoolExecutor, seed: int
) -> None:
    air = Air(hub)
    road = Road(loop, log, air, folder, seed=seed)
    metered = {"kind": "metered", "report_interval_s": 300}
    cabinet = {"door": {"driver": "mock"}, "supply": {"driver": "mock"}}
    road.build("tg-0101", CABINET, has_input=True, link=metered, cabinet=cabinet)
    road.build("tg-0042", [ALONE], has_input=False, camera="CAM-0042")
    for name in road.nodes:
        road.start(name, executor)
    todo = sorted(_script(road, air, executor), key=lambda act: act[0])
    while log.now() < END:
        road.step()
        hub.look_around()
        while todo and _at(todo[0][0]) <= log.now():
            _, told, act = todo.pop(0)
            log.say("road", told)
            act()
        await asyncio.sleep(LOOK_EVERY_S)
    for name in road.nodes:
        await road.stop(name)


def _at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return BEGIN.replace(hour=hour, minute=minute)


def _script(
    road: Road, air: Air, executor: ThreadPoolExecutor
) -> list[tuple[str, str, Callable[[], None]]]:
    """(when, what people see, what it does)."""

    def lamp(code: str, **changes: object) -> Callable[[], None]:
        def act() -> None:
            for name, value in changes.items():
                setattr(road.pole(code).lamp, name, value)

        return act

    def tap(code: str, watts: float) -> Callable[[], None]:
        return lambda: setattr(road.pole(code).meter, "tapped_w", watts)

    def door(is_open: bool) -> Callable[[], None]:
        return lambda: setattr(road.nodes["tg-0101"].door, "is_open", is_open)

    def camera(**changes: bool) -> Callable[[], None]:
        def act() -> None:
            for name, value in changes.items():
                setattr(road.pole(ALONE).camera, name, value)

        return act

    def cycling() -> None:
        lamp_ = road.pole(ALONE).lamp
        lamp_.cycles_since_s = asyncio.get_running_loop().time()

    return [
        ("16:00", "lightning welds TG-0101's contactor", lamp("TG-0101", stuck_on=True)),
        ("16:40", "an electrician frees it", lamp("TG-0101", stuck_on=False)),
        ("17:05", "storm clouds: it is dark early", lambda: setattr(road, "clouds", True)),
        ("18:05", "a stall taps the line behind TG-0103's meter: 180 W", tap("TG-0103", 180.0)),
        ("18:20", "CAM-0042 freezes: the same picture again and again", camera(frozen=True)),
        ("19:15", "the feeder loses its mains", road.cut_mains),
        ("19:33", "the feeder has mains again", lambda: road.return_mains(executor)),
        ("19:34", "CAM-0042 comes up anew with the mains", camera(frozen=False)),
        ("21:10", "a torn plastic sheet hangs over CAM-0042's lens", camera(covered=True)),
        ("20:00", "4G dies for tg-0101: connected, and nothing passes", lambda: air.dead.add("tg-0101")),
        ("20:20", "the stall packs up", tap("TG-0103", 0.0)),
        ("20:45", "TG-0102's lamp burns out", lamp("TG-0102", burnt_out=True)),
        ("22:00", "4G is back for tg-0101", lambda: air.dead.discard("tg-0101")),
        ("22:20", "someone opens the cabinet's door", door(True)),
        ("22:31", "the door is closed", door(False)),
        ("22:35", f"{ALONE}'s lamp begins to cycle", cycling),
    ]
