import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.clock import MockClock
from edge.config import NodeConfig, SupplySettings
from edge.devices import CabinetDevices, Devices, PoleDevices
from edge.drivers.mock_inputs import MockDoor, MockMotion, MockSupply, MockThermometer
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.ports import DriverError
from edge.inputs.last_gasp import GaspSteps, LastGasp
from edge.inputs.rules import (
    Motion,
    Supply,
    Word,
    follow,
    follow_motion,
    follow_supply,
    is_too_hot,
    shutdown_is_due,
)
from edge.inputs.watch import Detail, InputWatch, Matter
from tests.support.hub_side import eventually
from tests.support.nodes import EVENING, POLE, node_config

POWEROFF = ["systemctl", "poweroff"]


def believed(readings: Sequence[bool | None], hold_s: float) -> list[bool | None]:
    word, words = Word(), []
    for second, reading in enumerate(readings):
        word = follow(word, reading, now_s=second, hold_s=hold_s)
        words.append(word.believed)
    return words


def test_a_word_is_believed_once_it_has_held() -> None:
    assert believed([False] * 3, 2) == [None, None, False]
    assert believed([False, False, False, True, True, True], 2)[2:] == [False, False, False, True]


def test_a_rattling_door_is_one_word() -> None:
    rattling = [False, False, False, True, False, True, False, False]
    assert believed(rattling, 2)[2:] == [False] * 6


def test_an_input_that_does_not_answer_is_believed_nothing_of() -> None:
    assert believed([True, True, None, True, True], 1) == [None, True, None, None, True]


def test_heat_ends_below_its_hysteresis_only() -> None:
    was, story = None, []
    for temperature_c in (60.0, 70.0, 66.0, 65.1, 64.9, 69.9, None):
        was = is_too_hot(was, temperature_c, high_c=70, hysteresis_c=5)
        story.append(was)
    assert story == [False, True, True, True, False, False, None]


def test_motion_without_a_pause_for_hours_is_a_broken_sensor() -> None:
    motion = Motion()
    for now_s in range(0, 3600, 600):
        motion = follow_motion(motion, True, now_s=now_s)
    assert not motion.stuck(now_s=3599, stuck_after_s=3600)
    assert motion.stuck(now_s=3600, stuck_after_s=3600)
    assert follow_motion(motion, None, now_s=3600) == motion, "a missing answer is no rest"
    rested = follow_motion(motion, False, now_s=3601)
    assert not rested.stuck(now_s=99_999, stuck_after_s=3600)


def test_a_shutdown_is_due_after_its_time_and_never_once_the_mains_is_back() -> None:
    supply = follow_supply(Supply(), True, now_s=0)
    supply = follow_supply(supply, False, now_s=10)
    assert not shutdown_is_due(supply, now_s=69, after_s=60)
    assert shutdown_is_due(supply, now_s=70, after_s=60)
    assert not shutdown_is_due(supply.asked(70), now_s=129, after_s=60)
    assert shutdown_is_due(supply.asked(70), now_s=130, after_s=60), "one that did not come about"
    back = follow_supply(supply, True, now_s=71)
    assert not shutdown_is_due(back, now_s=999, after_s=60)


def test_a_node_that_is_started_without_mains_is_not_shut_down() -> None:
    supply = follow_supply(Supply(), False, now_s=0)
    assert not shutdown_is_due(supply, now_s=9999, after_s=60)


def test_an_input_that_no_longer_answers_shuts_nothing_down() -> None:
    supply = follow_supply(follow_supply(Supply(), True, now_s=0), False, now_s=1)
    assert not shutdown_is_due(follow_supply(supply, None, now_s=2), now_s=999, after_s=60)


class Cabinet:
    """A node with everything wired, its clock in the test's hand, and what it told of."""

    def __init__(self, tmp_path: Path, **supply: Any) -> None:
        cabinet = {
            "door": {"driver": "mock"},
            "temperature": {"driver": "mock"},
            "supply": {"driver": "mock", **supply},
        }
        self.config: NodeConfig = node_config(
            tmp_path, pole={"motion": {"driver": "mock", "stuck_after_h": 1}}, cabinet=cabinet
        )
        self.clock = MockClock(EVENING)
        self.door, self.supply, self.warmth = MockDoor(), MockSupply(), MockThermometer()
        self.motion = MockMotion()
        self.told: list[tuple[str, str | None, bool, Detail]] = []
        self.watch = self.new_watch()

    def new_watch(self) -> InputWatch:
        devices = Devices(
            {POLE: PoleDevices(MockLamp(), motion=self.motion)},
            CabinetDevices(door=self.door, temperature=self.warmth, supply=self.supply),
        )
        return InputWatch(self.config, devices, self.clock)

    def attach(self, standing: set[Matter] | None = None) -> None:
        def tell(matter: Matter, begins: bool, detail: Detail) -> None:
            self.told.append((matter.kind, matter.pole, begins, detail))

        self.watch.attach(tell, standing or set(), GaspSteps(nothing, nothing, no_meter))

    def steps(self, seconds: float, *, every_s: float = 1.0) -> None:
        for _ in range(int(seconds / every_s) + 1):
            self.watch.step()
            self.clock.advance(every_s)

    @property
    def kinds(self) -> list[tuple[str, bool]]:
        return [(kind, begins) for kind, _, begins, _ in self.told]


async def nothing() -> None:
    pass


async def no_meter() -> bool:
    return False


@pytest.fixture
def cabinet(tmp_path: Path) -> Cabinet:
    return Cabinet(tmp_path)


def test_a_door_is_told_when_it_opens_and_when_it_closes(cabinet: Cabinet) -> None:
    cabinet.attach()
    cabinet.steps(5)
    assert cabinet.told == [], "a closed cabinet is no news"
    cabinet.door.is_open = True
    cabinet.steps(5)
    cabinet.door.is_open = False
    cabinet.steps(5)
    assert cabinet.kinds == [("cabinet_door_open", True), ("cabinet_door_open", False)]


async def test_heat_is_told_with_its_degrees(cabinet: Cabinet) -> None:
    cabinet.attach()
    for temperature_c in (50.0, 71.0, 66.0, 64.0):
        cabinet.warmth.temperature_c = temperature_c
        await cabinet.watch.feel_warmth()
        cabinet.steps(1)
    assert cabinet.told == [
        ("high_temperature", None, True, {"temperature_c": 71.0}),
        ("high_temperature", None, False, {"temperature_c": 64.0}),
    ]
    reading = cabinet.watch.reading()
    assert reading is not None
    assert (reading.temperature_c, reading.door_open, reading.supply_present) == (64.0, False, True)


def test_the_mains_is_told_before_anything_else_of_the_same_moment(cabinet: Cabinet) -> None:
    cabinet.attach()
    cabinet.steps(5)
    cabinet.door.is_open, cabinet.supply.present = True, False
    cabinet.steps(5, every_s=5)
    assert cabinet.kinds == [("supply_loss", True), ("cabinet_door_open", True)]


def test_a_stuck_motion_sensor_is_told_until_it_rests(cabinet: Cabinet) -> None:
    cabinet.attach()
    cabinet.motion.moving = True
    cabinet.steps(3600, every_s=60)
    cabinet.motion.moving = False
    cabinet.steps(1)
    assert cabinet.told == [
        ("motion_sensor_stuck", POLE, True, {}),
        ("motion_sensor_stuck", POLE, False, {}),
    ]


def test_what_ended_while_the_node_was_down_is_told_as_ended(cabinet: Cabinet) -> None:
    cabinet.door.is_open = True
    cabinet.steps(5)
    cabinet.attach({Matter("supply_loss"), Matter("cabinet_door_open")})
    cabinet.steps(5)
    assert cabinet.kinds == [("supply_loss", False)], "the door still stands open: no news"


def test_what_happens_before_there_is_an_outbox_is_told_afterwards(cabinet: Cabinet) -> None:
    cabinet.door.is_open = True
    cabinet.steps(5)
    assert cabinet.told == []
    cabinet.attach()
    cabinet.steps(1)
    assert cabinet.kinds == [("cabinet_door_open", True)]


def test_one_broken_input_does_not_silence_the_others(tmp_path: Path) -> None:
    class BrokenDoor(MockDoor):
        def read(self) -> bool | None:
            raise DriverError("door contact: gone")

    cabinet = Cabinet(tmp_path)
    cabinet.door = BrokenDoor()
    cabinet.watch = cabinet.new_watch()
    cabinet.attach()
    cabinet.steps(5)
    cabinet.supply.present = False
    cabinet.steps(5)
    assert cabinet.kinds == [("supply_loss", True)]
    reading = cabinet.watch.reading()
    assert reading is not None
    assert reading.door_open is None


async def test_a_thermometer_that_fails_is_unknown_not_cold(cabinet: Cabinet) -> None:
    class Broken:
        async def read(self) -> float | None:
            raise DriverError("DS18B20 28-000000000001: gone")

    await cabinet.watch.feel_warmth()
    devices = Devices({}, CabinetDevices(temperature=Broken()))
    watch = InputWatch(cabinet.config, devices, cabinet.clock)
    await watch.feel_warmth()
    watch.step()
    assert watch.reading() is None


class Gasp:
    """A last gasp whose steps write down their order."""

    def __init__(self, *, command: list[str] | None = None) -> None:
        self.story: list[str] = []
        self.clock = MockClock(EVENING)
        self.measured = False
        self.sending: asyncio.Event | None = None
        self.error: str | None = None
        settings = SupplySettings(driver="mock", shutdown_command=command or [], shutdown_after_s=60)
        self.gasp = LastGasp(settings, self.clock, command=self._command)
        self.gasp.steps = GaspSteps(self._send, self._save, self._mains_measured)

    async def _send(self) -> None:
        self.story.append("send")
        if self.sending is not None:
            await self.sending.wait()

    async def _save(self) -> None:
        self.story.append("save")

    async def _mains_measured(self) -> bool:
        self.story.append("ask the meter")
        return self.measured

    async def _command(self, command: Sequence[str], within_s: float) -> str | None:
        self.story.append(" ".join(command))
        return self.error

    async def through(self, *words: tuple[float, bool | None]) -> list[str]:
        """Let the supply say these words, each after so many seconds."""
        running = asyncio.create_task(self.gasp.run())
        for seconds, present in words:
            self.clock.advance(seconds)
            self.gasp.follow(present)
            for _ in range(5):
                await asyncio.sleep(0)
        running.cancel()
        return self.story


async def test_the_last_gasp_sends_then_saves_then_shuts_down() -> None:
    story = await Gasp(command=POWEROFF).through((0, True), (1, False), (59, False), (1, False), (1, False))
    assert story == ["send", "save", "ask the meter", "save", "systemctl poweroff"]


async def test_mains_that_returns_in_time_cancels_the_shutdown() -> None:
    story = await Gasp(command=POWEROFF).through((0, True), (1, False), (59, False), (1, True), (99, True))
    assert story == ["send", "save"]


async def test_without_a_command_the_node_runs_on() -> None:
    story = await Gasp().through((0, True), (1, False), (999, False), (999, False))
    assert story == ["send", "save"]


async def test_a_meter_that_measures_mains_overrules_a_cut_wire() -> None:
    gasp = Gasp(command=POWEROFF)
    gasp.measured = True
    story = await gasp.through((0, True), (1, False), (60, False), (60, False))
    assert story == ["send", "save", "ask the meter", "ask the meter"]


async def test_a_shutdown_that_fails_is_tried_again() -> None:
    gasp = Gasp(command=POWEROFF)
    gasp.error = "systemctl: exit status 1"
    story = await gasp.through((0, True), (1, False), (60, False), (30, False), (30, False))
    assert story.count("systemctl poweroff") == 2


async def test_with_no_outbox_at_all_the_shutdown_still_comes() -> None:
    gasp = Gasp(command=POWEROFF)
    gasp.gasp.steps = None
    assert await gasp.through((0, True), (1, False), (60, False)) == ["systemctl poweroff"]


async def test_a_real_command_is_run(tmp_path: Path) -> None:
    witness = tmp_path / "shut-down"
    cabinet = Cabinet(tmp_path, debounce_s=0, shutdown_after_s=1, shutdown_command=["touch", str(witness)])
    cabinet.attach()
    stop = asyncio.Event()
    running = asyncio.create_task(cabinet.watch.run(stop))
    await eventually(lambda: cabinet.watch.reading() is not None, what="a first word")
    cabinet.supply.present = False
    await eventually(lambda: ("supply_loss", True) in cabinet.kinds, what="the loss")
    cabinet.clock.advance(1)
    await eventually(witness.exists, what="the command's work")
    stop.set()
    await running
