"""What a node sees, at its interval: one sample per pole, all of a tick stored as one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random

import msgspec
import structlog

from edge.camera.watch import CameraWatch
from edge.clock import Clock
from edge.config import NodeConfig
from edge.devices import PoleDevices
from edge.drivers.ports import DriverError
from edge.lamp.lighting import Lighting, PoleLight
from edge.outbox.journal import FIRST_SEQ, Journal
from edge.waiting import wait_for
from protocol.messages import CabinetReading, Config, MeterReading, Sample

METER_WITHIN_S = 10.0
"""Drivers have their own, shorter limits; on a line that 16 silent meters share this one is reached."""


class Sampler:
    """Reads the devices of every pole. A silent one is left out of the sample: unknown, not zero.

    What `cabinet` says travels in the first pole's sample.
    """

    def __init__(
        self,
        config: NodeConfig,
        devices: Mapping[str, PoleDevices],
        *,
        lighting: Lighting,
        cameras: CameraWatch,
        journal: Journal,
        clock: Clock,
        random: Random,
        cabinet: Callable[[], CabinetReading | None] = lambda: None,
    ) -> None:
        self.interval_s = config.sample_interval_s
        self._devices = devices
        self._lighting = lighting
        self._cameras = cameras
        self._journal = journal
        self._clock = clock
        self._random = random
        self._cabinet = cabinet
        self._silent: set[str] = set()
        self._interval_changed = asyncio.Event()
        self._log = structlog.get_logger().bind(node=config.node)

    def configure(self, wanted: Config) -> None:
        """Go by the hub's configuration from now on."""
        self.set_interval(wanted.sample_interval_s)

    def set_interval(self, interval_s: float) -> None:
        """Sample at another interval from now on, seconds."""
        if interval_s != self.interval_s:
            self.interval_s = interval_s
            self._interval_changed.set()

    async def run(self) -> None:
        """Sample at once and then at the interval, for ever; nodes started together drift apart at once."""
        due_s = self._clock.monotonic()
        await self.tick()
        due_s += self.interval_s * self._random.uniform(0.2, 1.0)
        while True:
            if await wait_for(self._interval_changed, max(0.0, due_s - self._clock.monotonic())):
                self._interval_changed.clear()
                due_s = self._clock.monotonic()
            await self.tick()
            # After a stall, samples are not made up for: they would all show the same moment.
            due_s = max(due_s + self.interval_s, self._clock.monotonic())

    async def tick(self) -> None:
        """One sample of every pole, stored together."""
        lights = self._lighting.lights.values()
        samples = await asyncio.gather(*(self._sample(light) for light in lights))
        samples[0] = msgspec.structs.replace(samples[0], cabinet=self._cabinet())
        await self._journal.record(samples)

    async def measure(self, pole: str) -> MeterReading | None:
        """One reading of a pole's meter; None when it has none or is silent."""
        meter = self._devices[pole].meter
        if meter is None:
            return None
        device = f"meter of {pole}"
        try:
            async with asyncio.timeout(METER_WITHIN_S):
                reading = await meter.read()
        except Exception as error:  # noqa: BLE001 - whatever one driver throws, the other poles are told of
            self._note_silent(device, _words(error))
            return None
        if reading is None:
            self._note_silent(device, "no answer")
        else:
            self._note_answer(device)
        return reading

    async def _sample(self, light: PoleLight) -> Sample:
        meter = await self.measure(light.code)
        moment = self._journal.moment()
        return Sample(
            seq=FIRST_SEQ,
            pole=light.code,
            time=moment.utc,
            clock=moment.quality,
            boot=moment.boot,
            mono_s=moment.mono_s,
            lamp=light.reading(),
            meter=meter,
            dark=light.dark,
            cameras=self._cameras.readings(light.code),
        )

    def _note_silent(self, device: str, error: str) -> None:
        if device not in self._silent:
            self._silent.add(device)
            self._log.warning("device_silent", device=device, error=error)

    def _note_answer(self, device: str) -> None:
        if device in self._silent:
            self._silent.discard(device)
            self._log.info("device_answers_again", device=device)


def _words(error: Exception) -> str:
    if isinstance(error, DriverError):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
