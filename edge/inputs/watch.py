"""The loop over a node's inputs: reads them, believes what holds, tells what begins and what ends.

Telling starts when an outbox is there (`attach`). What stood when the agent ended is given back then, so
that a mains that returned while the node was down ends the `supply_loss` that it told of before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.clock import Clock
from edge.config import NodeConfig
from edge.devices import Devices
from edge.hearing import Hearing
from edge.inputs.last_gasp import GaspSteps, LastGasp
from edge.inputs.rules import Motion, Word, follow, follow_motion, is_too_hot
from edge.waiting import put_down, wait_for
from protocol.messages import CabinetReading

POLL_S = 0.5
POLL_SUPPLY_S = 0.25
"""A supercapacitor carries a node for seconds; a look costs about 0.3 ms with the waiting."""
TEMPERATURE_EVERY_S = 30.0
TEMPERATURE_WITHIN_S = 10.0

Detail = dict[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, order=True)
class Matter:
    """What an event is about: its kind, and the pole it concerns or none."""

    kind: str
    pole: str | None = None


Tell = Callable[[Matter, bool, Detail], None]
"""(what, begins or has ended, detail)."""


class InputWatch:
    """Everything that `[cabinet]` and the poles' motion sensors say."""

    def __init__(
        self, config: NodeConfig, devices: Devices, clock: Clock, *, last_gasp: LastGasp | None = None
    ) -> None:
        self.standing: set[Matter] = set()
        """What has begun and not ended, as it was told."""
        self._settings = config.cabinet
        self._cabinet = devices.cabinet
        self._motions = {
            code: pole.motion for code, pole in devices.poles.items() if pole.motion is not None
        }
        self._stuck_after_s = {pole.code: pole.motion.stuck_after_h * 3600 for pole in config.poles}
        self._clock = clock
        self._last_gasp = last_gasp or LastGasp(config.cabinet.supply, clock)
        self._tell: Tell | None = None
        self._supply = Word()
        self._door = Word()
        self._temperature_c: float | None = None
        self._motion = dict.fromkeys(self._motions, Motion())
        self._hearing = Hearing(structlog.get_logger().bind(node=config.node))

    def attach(self, tell: Tell, standing: set[Matter], steps: GaspSteps) -> None:
        """Tell from now on; `standing` is what had been told and not ended."""
        self.standing = set(standing)
        self._tell, self._last_gasp.steps = tell, steps

    def detach(self) -> None:
        """Tell no more: the outbox is closed."""
        self._tell = self._last_gasp.steps = None

    def reading(self) -> CabinetReading | None:
        """The cabinet as a sample tells it; None without a word on anything."""
        door, supply = self._door.believed, self._supply.believed
        if door is None and supply is None and self._temperature_c is None:
            return None
        return CabinetReading(temperature_c=self._temperature_c, door_open=door, supply_present=supply)

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop`."""
        cabinet = self._cabinet
        if not any((self._motions, cabinet.door, cabinet.supply, cabinet.temperature)):
            await wait_for(stop, None)
            return
        pieces = [asyncio.create_task(self._feel_warmth()), asyncio.create_task(self._last_gasp.run())]
        try:
            self.step()
            while not await wait_for(stop, POLL_S if self._cabinet.supply is None else POLL_SUPPLY_S):
                self.step()
        finally:
            await put_down(pieces)

    def step(self) -> None:
        """Read every pin once, the mains first, and tell what has changed."""
        now_s, settings = self._clock.monotonic(), self._settings
        if self._cabinet.supply is not None:
            present = self._read("supply input", self._cabinet.supply.read)
            self._supply = follow(self._supply, present, now_s=now_s, hold_s=settings.supply.debounce_s)
            believed = self._supply.believed
            self._compare(Matter("supply_loss"), None if believed is None else not believed, {})
            self._last_gasp.follow(believed)
        if self._cabinet.door is not None:
            is_open = self._read("door contact", self._cabinet.door.read)
            self._door = follow(self._door, is_open, now_s=now_s, hold_s=settings.door.debounce_s)
            self._compare(Matter("cabinet_door_open"), self._door.believed, {})
        if self._cabinet.temperature is not None:
            self._judge_warmth()
        for pole, sensor in self._motions.items():
            moves = self._read(f"motion sensor of {pole}", sensor.read)
            self._motion[pole] = follow_motion(self._motion[pole], moves, now_s=now_s)
            stuck = self._motion[pole].stuck(now_s=now_s, stuck_after_s=self._stuck_after_s[pole])
            self._compare(Matter("motion_sensor_stuck", pole), None if moves is None else stuck, {})

    async def feel_warmth(self) -> None:
        """Read the thermometer once."""
        thermometer = self._cabinet.temperature
        if thermometer is None:
            return
        try:
            async with asyncio.timeout(TEMPERATURE_WITHIN_S):
                self._temperature_c = await thermometer.read()
        except Exception as error:  # noqa: BLE001 - whatever a driver throws, the other inputs are watched
            self._temperature_c = None
            self._hearing.silent("thermometer", error)
        else:
            self._hearing.answers("thermometer")

    async def _feel_warmth(self) -> None:
        while True:
            await self.feel_warmth()
            await asyncio.sleep(TEMPERATURE_EVERY_S)

    def _judge_warmth(self) -> None:
        matter, settings = Matter("high_temperature"), self._settings.temperature
        hot = is_too_hot(
            matter in self.standing,
            self._temperature_c,
            high_c=settings.high_c,
            hysteresis_c=settings.hysteresis_c,
        )
        self._compare(matter, hot, {"temperature_c": self._temperature_c})

    def _compare(self, matter: Matter, stands: bool | None, detail: Detail) -> None:
        if self._tell is None or stands is None or stands == (matter in self.standing):
            return
        (self.standing.add if stands else self.standing.discard)(matter)
        self._tell(matter, stands, detail)

    def _read(self, device: str, read: Callable[[], bool | None]) -> bool | None:
        try:
            answer = read()
        except Exception as error:  # noqa: BLE001 - whatever a driver throws, the other inputs are watched
            self._hearing.silent(device, error)
            return None
        self._hearing.answers(device)
        return answer
