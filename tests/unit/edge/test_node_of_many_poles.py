"""One node, 32 poles: each with its own decision, diagnosis and counters, and a feeder's head above them."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from uuid import uuid4

import msgspec
import pytest

from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_meter import MockMeter
from edge.drivers.ports import DriverError
from edge.lamp.lamp_control import Maintenance
from edge.lamp.lighting import Lighting
from edge.outbox.journal import Journal
from edge.sampling import Sampler
from protocol.messages import CabinetReading, Event, MeterReading, Sample
from tests.support.nodes import EVENING, NODE, no_cameras, node_config

POLES = 32
SILENT = "TG-0017"
DEAD = "TG-0005"


class SilentBoardLamp(MockLamp):
    """A lamp on a board that does not answer: what it does now is not known."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = False

    def set_level(self, level: float) -> None:
        if self.silent:
            raise DriverError("board 17: no answer")
        super().set_level(level)

    def level(self) -> float | None:
        if self.silent:
            raise DriverError("board 17: no answer")
        return super().level()


class HeadMeter:
    """One phase at the feeder's head: what its lamps draw, and what is drawn beside them."""

    def __init__(self, lamps: Sequence[MockLamp]) -> None:
        self.lamps = lamps
        self.tapped_w = 0.0
        self.volts = 226.0
        self._jitter = Random(7)

    async def read(self) -> MeterReading | None:
        power_w = sum(lamp.glow() * 60 + 0.4 for lamp in self.lamps) + self.tapped_w
        volts = self.volts + self._jitter.random() if self.volts else 0.0
        amps = power_w / volts if volts else 0.0
        return MeterReading(
            power_w=round(power_w, 1) if volts else 0.0, voltage_v=volts, current_a=round(amps, 3)
        )

    def close(self) -> None:
        pass


class Cabinet:
    """A whole node in memory, ticking at 30 s."""

    def __init__(self, folder: Path) -> None:
        self.clock = MockClock(EVENING)
        self.executor = ThreadPoolExecutor(1)
        config = node_config(folder)
        codes = [f"TG-{number:04d}" for number in range(1, POLES + 1)]
        poles = [msgspec.structs.replace(config.poles[0], code=code) for code in codes]
        self.config = msgspec.structs.replace(config, poles=poles)
        self.lamps = {code: SilentBoardLamp() for code in codes}
        self.meters = {
            code: MockMeter(lamp, lamp_rated_w=60, random=Random(n), seconds=self.clock.monotonic)
            for n, (code, lamp) in enumerate(self.lamps.items())
        }
        self.phases = [HeadMeter([*self.lamps.values()][at::3]) for at in range(3)]
        self.supply_present: bool | None = None
        self.journal = Journal(folder, node=NODE, clock=self.clock, executor=self.executor)
        self.start()

    def start(self) -> None:
        devices = {code: PoleDevices(self.lamps[code], meter=self.meters[code]) for code in self.lamps}
        self.lighting = Lighting(self.config, devices, self.clock)
        self.lighting.step()
        self.sampler = Sampler(
            self.config,
            devices,
            lighting=self.lighting,
            cameras=no_cameras(self.config, self.clock),
            journal=self.journal,
            clock=self.clock,
            random=Random(1),
            cabinet=lambda: CabinetReading(supply_present=self.supply_present),
            phases=self.phases,
        )

    async def run(self, minutes: float) -> dict[str, Sample]:
        """Tick on; the newest sample of every pole."""
        for _ in range(int(minutes * 2)):
            self.clock.advance(30)
            self.lighting.step()
            await self.sampler.tick()
        newest = (await self.journal.outbox.read("samples", 0, 100_000))[-POLES:]
        return {sample.pole: sample for sample in newest if isinstance(sample, Sample)}

    async def events(self) -> list[tuple[str | None, str, bool | None]]:
        told = await self.journal.outbox.read("urgent", 0, 10_000)
        return [(event.pole, event.kind, event.active) for event in told if isinstance(event, Event)]


@pytest.fixture
async def cabinet(tmp_path: Path) -> AsyncIterator[Cabinet]:
    cabinet = Cabinet(tmp_path)
    await cabinet.journal.open()
    yield cabinet
    await cabinet.journal.outbox.close()
    cabinet.executor.shutdown()


async def test_one_silent_board_is_that_boards_fault_alone(cabinet: Cabinet) -> None:
    await cabinet.run(2)
    cabinet.lamps[SILENT].silent = True
    cabinet.meters[SILENT].silent = True
    samples = await cabinet.run(15)
    assert samples[SILENT].faults == ["meter_stale"]
    assert samples[SILENT].lamp.reason == "output_fault"
    assert samples[SILENT].meter is None
    others = [sample for code, sample in samples.items() if code != SILENT]
    assert len(others) == POLES - 1
    assert all(sample.faults == [] and sample.meter is not None for sample in others)
    assert {sample.lamp.effect_level for sample in others} == {1.0}
    head = samples["TG-0001"].cabinet
    assert head is not None
    assert (head.unknown_poles, head.lamps_w, len(head.phases)) == (1, None, 3)
    assert samples["TG-0002"].cabinet is None, "once a tick, in the first pole's sample"
    assert await cabinet.events() == [(SILENT, "meter_stale", True)]


async def test_a_dead_lamp_is_told_by_event_and_stands_in_its_samples_until_mended(
    cabinet: Cabinet,
) -> None:
    cabinet.lamps[DEAD].burnt_out = True
    samples = await cabinet.run(7)
    assert samples[DEAD].faults == ["lamp_failure"]
    assert samples["TG-0006"].faults == []
    head = samples["TG-0001"].cabinet
    assert head is not None
    assert head.lamps_w == pytest.approx(31 * 60, rel=0.05)
    cabinet.lamps[DEAD].burnt_out = False
    assert (await cabinet.run(7))[DEAD].faults == []
    assert await cabinet.events() == [(DEAD, "lamp_failure", True), (DEAD, "lamp_failure", False)]


async def test_tapping_between_the_head_and_the_lamps_is_the_cabinets_event(cabinet: Cabinet) -> None:
    await cabinet.run(2)
    cabinet.phases[1].tapped_w = 900
    await cabinet.run(35)
    assert await cabinet.events() == [(None, "feeder_loss", True)]


async def test_an_open_phase_is_told_once_and_its_lamps_by_their_own_meters(cabinet: Cabinet) -> None:
    await cabinet.run(7)
    cabinet.phases[2].volts = 0.0
    for lamp in cabinet.phases[2].lamps:
        assert isinstance(lamp, SilentBoardLamp)
        lamp.burnt_out = True
    samples = await cabinet.run(8)
    told = await cabinet.events()
    assert told.count((None, "phase_open", True)) == 1
    dark = {code for code, sample in samples.items() if sample.faults == ["lamp_failure"]}
    assert dark == {code for code, lamp in cabinet.lamps.items() if lamp in cabinet.phases[2].lamps}


async def test_while_the_supply_is_lost_nothing_is_told(cabinet: Cabinet) -> None:
    await cabinet.run(2)
    cabinet.supply_present = False
    for meter in cabinet.meters.values():
        meter.silent = True
    samples = await cabinet.run(60)
    assert all(sample.faults == [] for sample in samples.values())
    assert await cabinet.events() == []


async def test_in_maintenance_a_pole_is_told_nothing_of(cabinet: Cabinet) -> None:
    cabinet.lamps[DEAD].burnt_out = True
    light = cabinet.lighting.lights[DEAD]
    light.maintenance = Maintenance(EVENING, 1e9, uuid4(), EVENING)
    cabinet.clock.is_synced = False
    assert (await cabinet.run(60))[DEAD].faults == []
    assert await cabinet.events() == []


async def test_counters_come_hourly_and_at_a_change_of_the_lamp(cabinet: Cabinet) -> None:
    first = await cabinet.run(0.5)
    assert first[DEAD].counters is not None
    assert (await cabinet.run(0.5))[DEAD].counters is None
    await cabinet.run(120)
    samples = await cabinet.journal.outbox.read("samples", 0, 100_000)
    told = [s for s in samples if isinstance(s, Sample) and s.pole == DEAD and s.counters is not None]
    assert len(told) == 3, "the first, and two hours"
    cabinet.clock.jump_to(EVENING.replace(hour=5, day=22))
    counted = (await cabinet.run(0.5))[DEAD].counters
    assert counted is not None
    assert counted.burning_s == pytest.approx(2 * 3600 + 60, abs=31)
    assert counted.energy_wh == pytest.approx(121, abs=4)


async def test_counters_and_faults_outlive_the_agent(cabinet: Cabinet) -> None:
    cabinet.lamps[DEAD].burnt_out = True
    await cabinet.run(30)
    cabinet.sampler.supply_lost()
    await cabinet.sampler.save()
    before = cabinet.lighting.lights["TG-0001"].count.totals()
    cabinet.start()
    await cabinet.sampler.restore()
    samples = await cabinet.run(0.5)
    assert samples[DEAD].faults == ["lamp_failure"]
    counted = samples["TG-0001"].counters
    assert counted is not None
    assert counted.burning_s == pytest.approx(before.burning_s + 30, abs=1)
    assert counted.energy_wh >= before.energy_wh > 25
    assert counted.supply_losses == 1


async def test_the_card_is_spared_notes_are_written_every_ten_minutes(cabinet: Cabinet) -> None:
    written = 0
    before: dict[str, bytes] = {}
    for _ in range(60):
        await cabinet.run(0.5)
        notes = await cabinet.journal.outbox.notes("lamp/")
        written += notes != before
        before = notes
    assert written <= 3
