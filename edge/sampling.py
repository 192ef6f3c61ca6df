"""What a node sees, at its interval: one sample per pole, all of a tick stored as one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Protocol, TypeVar

import msgspec
import structlog

from edge.camera.watch import CameraWatch
from edge.clock import Clock
from edge.config import NodeConfig
from edge.devices import PoleDevices
from edge.drivers.ports import Meter
from edge.hearing import Hearing
from edge.lamp.inspection import NOTES, Findings, Inspection, PoleFindings
from edge.lamp.lighting import Lighting, PoleLight
from edge.outbox.journal import FIRST_SEQ, Journal
from edge.waiting import wait_for
from protocol.messages import BatteryReading, CabinetReading, Config, MeterReading, Sample

R_co = TypeVar("R_co", covariant=True)

METER_WITHIN_S = 10.0
"""Drivers have their own, shorter limits; on a line that 16 silent meters share this one is reached."""


class Readable(Protocol[R_co]):
    """What answers with a reading, or with None while it is silent."""

    async def read(self) -> R_co | None:
        """One reading; raises DriverError."""
        ...


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
        phases: Sequence[Meter] = (),
    ) -> None:
        """`phases`: the meters at the feeder's head."""
        self.interval_s = config.sample_interval_s
        self._devices = devices
        self._lighting = lighting
        self._cameras = cameras
        self._journal = journal
        self._clock = clock
        self._random = random
        self._cabinet = cabinet
        self._phases = phases
        self._faults: dict[str, list[str]] = {}
        self._inspection = Inspection(
            config,
            lighting,
            metered={code for code, pole in devices.items() if pole.meter is not None},
            phases=len(phases),
            monotonic_s=clock.monotonic(),
        )
        self._interval_changed = asyncio.Event()
        self._hearing = Hearing(structlog.get_logger().bind(node=config.node))

    def configure(self, wanted: Config) -> None:
        """Go by the hub's configuration from now on."""
        self.set_interval(wanted.sample_interval_s)
        for pole in wanted.poles:
            if pole.pole in self._devices:
                self._inspection.revise(pole.pole, pole.lamp_rated_w, pole.power_tolerance_share)

    def set_interval(self, interval_s: float) -> None:
        """Sample at another interval from now on, seconds."""
        if interval_s != self.interval_s:
            self.interval_s = interval_s
            self._interval_changed.set()

    def soon(self) -> None:
        """Sample now, with the counters: the hub is there again and should see the present before the past."""
        self._inspection.tell_counters()
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

    async def restore(self) -> None:
        """Take up what an earlier run has learned and counted; before the first tick."""
        self._inspection.restore(await self._journal.outbox.notes(NOTES))

    def faults(self, pole: str) -> list[str]:
        """What the last tick found wrong with a pole's lamp circuit, by event kind."""
        return self._faults.get(pole, [])

    def to_save(self) -> Mapping[str, bytes | None]:
        """Counters and diagnoses as notes, for the end."""
        return self._inspection.to_save()

    async def save(self) -> None:
        """Store what waits, and counters and diagnoses with it: the mains has gone."""
        await self._journal.record(notes=self.to_save())

    def supply_lost(self) -> None:
        """The mains has gone away once more."""
        self._inspection.supply_lost()

    async def tick(self) -> None:
        """One sample of every pole, and what the diagnoses make of them, stored together."""
        lights = self._lighting.lights
        meters, batteries, phases = await asyncio.gather(
            asyncio.gather(*(self.measure(pole) for pole in lights)),
            asyncio.gather(*(self._charge(pole) for pole in lights)),
            asyncio.gather(*(self._ask(f"meter of phase {n}", m) for n, m in enumerate(self._phases, 1))),
        )
        measured = dict(zip(lights, meters, strict=True))
        charged = dict(zip(lights, batteries, strict=True))
        cabinet = self._cabinet()
        found = self._inspection.look(
            measured,
            phases,
            supply_present=None if cabinet is None else cabinet.supply_present,
            monotonic_s=self._clock.monotonic(),
        )
        self._faults = {pole: findings.faults for pole, findings in found.poles.items()}
        for pole, change in found.changes:
            self._journal.later(change.kind, pole=pole, active=change.active, detail=change.detail)
        samples = [
            self._sample(light, measured[code], charged[code], found.poles[code])
            for code, light in lights.items()
        ]
        cabinet = _with_feeder(cabinet, phases, found)
        if cabinet is not None:
            samples[0] = msgspec.structs.replace(samples[0], cabinet=cabinet)
        await self._journal.record(samples, notes=found.notes)

    async def measure(self, pole: str) -> MeterReading | None:
        """One reading of a pole's meter; None when it has none or is silent."""
        meter = self._devices[pole].meter
        return None if meter is None else await self._ask(f"meter of {pole}", meter)

    async def _charge(self, pole: str) -> BatteryReading | None:
        battery = self._devices[pole].battery
        return None if battery is None else await self._ask(f"battery of {pole}", battery)

    async def _ask(self, device: str, asked: Readable[R_co]) -> R_co | None:
        try:
            async with asyncio.timeout(METER_WITHIN_S):
                reading = await asked.read()
        except Exception as error:  # noqa: BLE001 - whatever one driver throws, the other poles are told of
            self._hearing.silent(device, error)
            return None
        if reading is None:
            self._hearing.silent(device, "no answer")
        else:
            self._hearing.answers(device)
        return reading

    def _sample(
        self,
        light: PoleLight,
        meter: MeterReading | None,
        battery: BatteryReading | None,
        found: PoleFindings,
    ) -> Sample:
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
            faults=found.faults,
            counters=found.counters,
            battery=battery,
        )


def _with_feeder(
    cabinet: CabinetReading | None, phases: Sequence[MeterReading | None], found: Findings
) -> CabinetReading | None:
    """The cabinet's reading with what its feeder's meters say, where it has any."""
    if not phases:
        return cabinet
    return msgspec.structs.replace(
        cabinet or CabinetReading(),
        # A silent phase is left out, as a silent meter is; the event `phase_open` says which one.
        phases=[phase for phase in phases if phase is not None],
        lamps_w=found.lamps_w,
        unknown_poles=found.unknown_poles,
    )
