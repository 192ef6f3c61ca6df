"""The road: its feeder, lamps that die and cycle, a line that is tapped, nodes that lose their power."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from edge.agent import Agent
from edge.camera.picture.look import look
from edge.camera.picture.words import Answer, Question
from edge.clock import Moment
from edge.config import NodeConfig
from edge.devices import CabinetDevices, Devices, PoleDevices
from edge.drivers.mock_inputs import MockDoor, MockSupply
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_meter import MockMeter
from edge.drivers.mock_photocell import MockPhotocell
from edge.lamp.lighting import Lighting
from protocol.messages import MeterReading
from simulators.storm.air import Air
from simulators.storm.camera import StormCamera
from simulators.storm.log import StormLog
from simulators.virtual_time import VirtualLoop
from simulators.world import mains_v, sun_elevation_deg

LATITUDE, LONGITUDE = 21.4731, 105.255
RATED_W = 60.0
COMMUNE = "tram-than"
BOOT_S = 38.0
"""From mains to the agent's first decision on a Pi."""
NTP_AFTER_S = 155.0
CARRIED_S = 75.0
"""How long the cabinet's supercapacitor carries its node."""
CYCLE_ON_S, CYCLE_OFF_S = 420.0, 150.0
"""A worn-out discharge lamp: hot it goes out, cooled down it strikes again."""
FOG_DEG = 14.0
"""Under storm clouds it is dark to a sensor while the sun still stands so high."""


async def _look_here(question: Question) -> Answer:
    """In this process: a child's time is not virtual."""
    return look(question)


class NodeClock:
    """One machine's clocks: after a power cut it begins in 1970, until the network tells it the time."""

    def __init__(self, loop: VirtualLoop, truth: Callable[[], datetime]) -> None:
        self._loop = loop
        self._truth = truth
        self._boots = 0
        self._booted_s = loop.time() - 86_400.0
        self._behind = timedelta()
        self._boot = UUID(int=1)

    def boot(self, *, at: datetime | None) -> None:
        """The machine starts; its wall clock stands at `at`, or is right."""
        self._boots += 1
        self._boot = UUID(int=self._boots + 1)
        self._booted_s = self._loop.time()
        self._behind = timedelta() if at is None else self._truth() - at

    def set_right(self) -> None:
        """The time daemon has stepped it."""
        self._behind = timedelta()

    def now(self) -> datetime:
        """What the wall clock shows."""
        return self._truth() - self._behind

    def monotonic(self) -> float:
        """Seconds since this machine's start."""
        return self._loop.time() - self._booted_s

    def synced(self) -> bool:
        """Whether it was set since the start."""
        return not self._behind

    def moment(self) -> Moment:
        """Now, on both clocks."""
        return Moment(self.now(), round(self.monotonic(), 3), self._boot, self.synced())


class StormLamp(MockLamp):
    """A lamp that needs mains, and may cycle by itself."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__()
        self._seconds = seconds
        self.has_mains = True
        self.cycles_since_s: float | None = None

    def glow(self) -> float:
        """Its light as someone on the road sees it."""
        if not self.has_mains:
            return 0.0
        if self.cycles_since_s is not None:
            in_cycle_s = (self._seconds() - self.cycles_since_s) % (CYCLE_ON_S + CYCLE_OFF_S)
            if in_cycle_s >= CYCLE_ON_S:
                return 0.0
        return super().glow()


class StormMeter(MockMeter):
    """A meter on the same mains; `tapped_w` is what someone else draws behind it."""

    tapped_w = 0.0

    async def read(self) -> MeterReading | None:
        """One reading with the neighbours' share."""
        reading = await super().read()
        if reading is None or not self.tapped_w:
            return reading
        return msgspec.structs.replace(reading, power_w=round(reading.power_w + self.tapped_w, 2))


@dataclass(slots=True)
class Pole:
    """One pole's devices, as the night moves them."""

    code: str
    lamp: StormLamp
    meter: StormMeter
    photocell: MockPhotocell
    camera: StormCamera | None = None
    shown: str = ""
    decided: str = ""


@dataclass(slots=True)
class Node:
    """One machine: its poles, its inputs, its power, and the agent while it runs."""

    config: NodeConfig
    clock: NodeClock
    poles: list[Pole]
    has_input: bool
    supply: MockSupply = field(default_factory=MockSupply)
    door: MockDoor = field(default_factory=MockDoor)
    running: asyncio.Task[None] | None = None
    lighting: Lighting | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.config.node

    def devices(self) -> Devices:
        """What its agent gets."""
        cabinet = CabinetDevices(door=self.door, supply=self.supply) if self.has_input else CabinetDevices()
        poles = {
            pole.code: PoleDevices(
                lamp=pole.lamp,
                photocell=pole.photocell,
                meter=pole.meter,
                cameras=pole.camera.for_agent() if pole.camera is not None else {},
            )
            for pole in self.poles
        }
        return Devices(poles, cabinet)


class Road:
    """All of it. Methods are what the night does."""

    def __init__(self, loop: VirtualLoop, log: StormLog, air: Air, folder: Path, *, seed: int) -> None:
        self._loop = loop
        self._log = log
        self._air = air
        self._folder = folder
        self._seed = seed
        self.clouds = False
        self.nodes: dict[str, Node] = {}
        self._works: set[asyncio.Task[None]] = set()

    def build(
        self, name: str, codes: list[str], *, has_input: bool, camera: str | None = None, **more: Any
    ) -> None:
        """Set up a node with mock drivers; the agent begins with `start`."""
        clock = NodeClock(self._loop, self._log.now)
        poles = [self._pole(code) for code in codes]
        watched: list[dict[str, Any]] = []
        if camera is not None:
            poles[0].camera = StormCamera(camera, seed=self._seed)
            watched = [{"code": camera, "driver": "mock", "picture_interval_s": 300}]
        settings: dict[str, Any] = {
            "node": name,
            "commune": COMMUNE,
            "data_dir": str(self._folder / name),
            "broker": {"host": "127.0.0.1"},
            "poles": [
                {
                    "code": code,
                    "latitude": LATITUDE,
                    "longitude": LONGITUDE,
                    "lamp_rated_w": RATED_W,
                    "lamp": {"driver": "mock"},
                    "photocell": {"driver": "mock"},
                    "meter": {"driver": "mock"},
                    "cameras": watched if code == codes[0] else [],
                }
                for code in codes
            ],
            **more,
        }
        config = msgspec.convert(settings, NodeConfig)
        self.nodes[name] = Node(config, clock, poles, has_input)

    def pole(self, code: str) -> Pole:
        """One pole by its code."""
        return next(pole for node in self.nodes.values() for pole in node.poles if pole.code == code)

    def start(self, name: str, executor: Executor) -> None:
        """Begin the node's agent, the real one."""
        node = self.nodes[name]
        devices = node.devices()
        node.lighting = Lighting(node.config, devices.poles, node.clock)
        agent = Agent(
            node.config,
            devices,
            node.clock,
            lighting=node.lighting,
            executor=executor,
            random=Random(f"{self._seed}/{name}"),  # noqa: S311 - spreads load
            wire=self._air,
            look_at=_look_here,
        )
        node.running = asyncio.create_task(agent.run(asyncio.Event()), name=name)

    async def stop(self, name: str) -> None:
        """The node's power is gone: its agent ends in the middle of whatever it does."""
        node = self.nodes[name]
        running, node.running, node.lighting = node.running, None, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def cut_mains(self) -> None:
        """The feeder goes dead: lamps and meters at once, nodes as long as something carries them."""
        for node in self.nodes.values():
            node.supply.present = False
            for pole in node.poles:
                pole.lamp.has_mains, pole.meter.silent = False, True
            self._begin(self._drain(node))

    def return_mains(self, executor: Executor) -> None:
        """The feeder is live again; machines boot, with their clocks in 1970."""
        for node in self.nodes.values():
            node.supply.present = True
            for pole in node.poles:
                pole.lamp.has_mains, pole.meter.silent = True, False
            if node.running is None:
                self._begin(self._boot(node, executor))

    async def _drain(self, node: Node) -> None:
        if node.has_input:
            await asyncio.sleep(CARRIED_S)
            self._log.say("road", f"{node.name}'s supercapacitor is empty")
        else:
            self._log.say("road", f"{node.name} goes dead with the mains")
        await self.stop(node.name)

    async def _boot(self, node: Node, executor: Executor) -> None:
        # A pin without a program is an input, and the relays are wired so that an input lights the road.
        for pole in node.poles:
            pole.lamp.set_level(1.0)
        await asyncio.sleep(BOOT_S)
        node.clock.boot(at=datetime(1970, 1, 1, 0, 0, 38, tzinfo=UTC))
        self._log.say("road", f"{node.name} has booted; its clock says 1970-01-01 00:00")
        self.start(node.name, executor)
        await asyncio.sleep(NTP_AFTER_S)
        node.clock.set_right()
        self._log.say("road", f"{node.name}'s clock is set by the network")

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)

    def step(self) -> None:
        """Move sky and mains to now, and note what a passer-by sees change."""
        now = self._log.now()
        height_deg = sun_elevation_deg(LATITUDE, LONGITUDE, now)
        for node in self.nodes.values():
            for number, pole in enumerate(node.poles):
                if pole.camera is not None:
                    pole.camera.by_day, pole.camera.lit = height_deg > -2.0, pole.lamp.glow() > 0
                pole.photocell.dark = height_deg < (FOG_DEG if self.clouds else -2.0)
                pole.meter.mains_v = mains_v(seed=self._seed, feeder="F1", along=number / 5, now=now)
                self._note_decision(node, pole)
                shown = "lit" if pole.lamp.glow() > 0 else "dark"
                if shown != pole.shown:
                    if pole.lamp.cycles_since_s is None:
                        self._log.say("road", f"{pole.code} is {shown}")
                    pole.shown = shown

    def _note_decision(self, node: Node, pole: Pole) -> None:
        decision = node.lighting.lights[pole.code].decision if node.lighting is not None else None
        if decision is None:
            return
        decided = f"{pole.code} {'on' if decision.level else 'off'}, by {decision.reason}"
        if decided != pole.decided:
            pole.decided = decided
            self._log.say(node.name, f"decides: {decided}")

    def _pole(self, code: str) -> Pole:
        seconds = self._loop.time
        lamp = StormLamp(seconds)
        noise = Random(f"{self._seed}/{code}")  # noqa: S311 - noise
        return Pole(
            code,
            lamp,
            StormMeter(lamp, lamp_rated_w=RATED_W, random=noise, seconds=seconds),
            MockPhotocell(),
        )
