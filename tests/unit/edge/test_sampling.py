import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from edge.camera.devices import CameraDevices
from edge.camera.surroundings import of_node
from edge.camera.watch import CameraWatch
from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.mock_camera import MockCamera
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_meter import MockMeter
from edge.drivers.ports import DriverError
from edge.lamp.lighting import Lighting
from edge.outbox.journal import Journal
from edge.sampling import Sampler
from protocol.messages import BatteryReading, Event, MeterReading, Sample
from tests.support.hub_side import eventually
from tests.support.nodes import EVENING, NODE, POLE, node_config


class BrokenMeter:
    async def read(self) -> MeterReading | None:
        raise DriverError("meter: line noise")

    def close(self) -> None:
        pass


class Charger:
    """A solar lamp's battery; None is a controller that does not answer."""

    def __init__(self, reading: BatteryReading | None) -> None:
        self.reading = reading

    async def read(self) -> BatteryReading | None:
        return self.reading

    def close(self) -> None:
        pass


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.clock = MockClock(EVENING)
        self.lamp = MockLamp()
        self.meter = MockMeter(self.lamp, lamp_rated_w=60, random=Random(1), seconds=self.clock.monotonic)
        self.camera = MockCamera()
        self.executor = ThreadPoolExecutor(1)
        self.journal = Journal(tmp_path, node=NODE, clock=self.clock, executor=self.executor)
        cameras = [{"code": "CAM-1", "driver": "mock"}]
        self.config = node_config(tmp_path, camera_interval_s=30, pole={"cameras": cameras})
        self.devices = {
            POLE: PoleDevices(
                self.lamp, meter=self.meter, cameras={"CAM-1": CameraDevices(reach=self.camera)}
            )
        }

    def sampler(self) -> Sampler:
        lighting = Lighting(self.config, self.devices, self.clock)
        lighting.step()
        return Sampler(
            self.config,
            self.devices,
            lighting=lighting,
            cameras=self.watch(),
            journal=self.journal,
            clock=self.clock,
            random=Random(1),
        )

    def watch(self) -> CameraWatch:
        cameras = {code: pole.cameras for code, pole in self.devices.items()}
        lighting = Lighting(self.config, self.devices, self.clock)
        around = of_node(lighting, cabinet=lambda: None, faults=lambda _: [])
        return CameraWatch(
            self.config, cameras, clock=self.clock, surroundings=around, tell=self.journal.later
        )

    async def newest(self) -> Sample:
        sample = (await self.journal.outbox.read("samples", 0, 1000))[-1]
        assert isinstance(sample, Sample)
        return sample


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.journal.open()
    yield bench
    await bench.journal.outbox.close()
    bench.executor.shutdown()


async def test_a_sample_says_what_is_in_effect_and_what_is_measured(bench: Bench) -> None:
    await bench.sampler().tick()
    sample = await bench.newest()
    assert (sample.seq, sample.pole, sample.time, sample.clock) == (1, POLE, EVENING, "synced")
    assert (sample.lamp.effect_level, sample.lamp.reason) == (1.0, "sun")
    assert sample.meter is not None
    assert sample.meter.power_w == pytest.approx(60, rel=0.06)
    assert sample.dark is None
    assert sample.cameras == [], "nobody has knocked yet"


async def test_a_clock_that_is_not_synchronised_is_said_so(bench: Bench) -> None:
    bench.clock.is_synced = False
    await bench.sampler().tick()
    assert (await bench.newest()).clock == "unsynced"


async def test_a_silent_or_broken_meter_is_unknown_not_zero(bench: Bench) -> None:
    bench.meter.silent = True
    await bench.sampler().tick()
    assert (await bench.newest()).meter is None
    bench.devices = {POLE: PoleDevices(bench.lamp, meter=BrokenMeter())}
    await bench.sampler().tick()
    assert (await bench.newest()).meter is None


async def test_samples_of_a_tick_and_what_was_posted_are_one_transaction(bench: Bench) -> None:
    bench.journal.later("device_reset")
    await bench.sampler().tick()
    events = await bench.journal.outbox.read("urgent", 0, 10)
    assert [(event.seq, type(event)) for event in events] == [(2, Event)]


async def test_the_interval_can_change_while_it_runs(bench: Bench) -> None:
    sampler = bench.sampler()
    sampler.interval_s = 3600
    running = asyncio.create_task(sampler.run())
    await eventually(lambda: bench.journal.outbox.queued == 1, what="the first sample, at once")
    sampler.set_interval(0.05)
    # The clock stands still: only the change itself makes a sample.
    await eventually(lambda: bench.journal.outbox.queued >= 2, what="a sample at the change")
    running.cancel()


async def test_a_solar_lamps_battery_is_in_its_sample(bench: Bench) -> None:
    charger = Charger(BatteryReading(battery_v=12.9, charge_share=0.8))
    bench.devices = {POLE: PoleDevices(bench.lamp, battery=charger)}
    await bench.sampler().tick()
    assert (await bench.newest()).battery == charger.reading
    charger.reading = None
    await bench.sampler().tick()
    assert (await bench.newest()).battery is None


async def test_the_present_that_a_hub_hears_first_carries_the_counters(bench: Bench) -> None:
    sampler = bench.sampler()
    await sampler.tick()
    await sampler.tick()
    assert (await bench.newest()).counters is None
    sampler.soon()
    await sampler.tick()
    assert (await bench.newest()).counters is not None
