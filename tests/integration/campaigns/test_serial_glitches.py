"""Thousands of questions on a line that glitches: not one wrong value, and nearly all are answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from edge.config import LampSettings, SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import BoardLamp
from edge.firmware_bridge.bridge import Bridge
from edge.firmware_bridge.modbus.frames import Reply, Request, read_registers, registers_of
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.turns import Ask
from simulators.lamp_board import LampBoard
from tests.support.modbus_units import lamp_board, meter, serving
from tests.support.serial_line import Pieces, SerialLine
from tests.support.waiting import until

GLITCHES = ("leading byte", "dropped byte", "flipped bit", "late reply", "lost reply", "trailing noise")
SHARE = 0.1


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    line = SerialLine(tmp_path)
    yield line
    line.close()


class Glitches:
    """Disturbs a share of the replies, each kind as often as the others; `seen` counts them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.seen: Counter[str] = Counter()

    def __call__(self, reply: bytes) -> Pieces:
        if self._random.random() >= SHARE:
            return [(0.0, reply)]
        kind = self._random.choice(GLITCHES)
        self.seen[kind] += 1
        place = self._random.randrange(len(reply))
        noise = self._random.randbytes(self._random.randint(1, 3))
        match kind:
            case "leading byte":
                return [(0.0, noise + reply)]
            case "dropped byte":
                return [(0.0, reply[:place] + reply[place + 1 :])]
            case "flipped bit":
                return [(0.0, reply[:place] + bytes([reply[place] ^ 1 << place % 8]) + reply[place + 1 :])]
            case "late reply":
                return [(self._random.uniform(0.35, 0.9), reply)]
            case "lost reply":
                return []
            case _:
                return [(0.0, reply + noise)]


def asked(question: Request) -> Callable[[Ask], Reply]:
    return lambda ask: ask(question)


@pytest.mark.parametrize(
    "requests",
    [pytest.param(150, id="150"), pytest.param(1000, id="1000", marks=pytest.mark.soak)],
)
@pytest.mark.timeout(600)
async def test_no_glitch_becomes_a_value(
    line: SerialLine, requests: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Registers tell who and where they are, so that a value of another unit or place would show."""
    units, width = (1, 2, 3), 4
    values = {unit: [unit << 8 | register for register in range(40)] for unit in units}
    random = Random(7)
    line.disturb = glitches = Glitches(7)
    bus = Line(SerialLineSettings(name="rs485", port=line.node_port))
    outcomes: Counter[str] = Counter()
    async with serving(line, [meter(unit, values[unit]) for unit in units]):
        for _ in range(requests):
            unit, first = random.choice(units), random.randrange(0, 36)
            question = read_registers(unit, 4, first, width)
            answer = await asyncio.wrap_future(bus.do(unit, asked(question)))
            if answer is None:
                outcomes["unknown"] += 1
            elif registers_of(answer) == values[unit][first : first + width]:
                outcomes["right"] += 1
            else:
                outcomes["wrong"] += 1
        bus.close()
    counts = bus.counts
    with capsys.disabled():
        print(
            f"\n{requests} requests, {sum(glitches.seen.values())} glitches {dict(glitches.seen)}: "
            f"{dict(outcomes)}; "
            f"{counts.retries} retries, {counts.damaged} damaged, {counts.silent} silent, "
            f"{counts.stray_bytes} stray bytes dropped"
        )
    assert outcomes["wrong"] == 0
    assert outcomes["right"] >= 0.95 * requests


def level_of(lamp: BoardLamp) -> float | None:
    try:
        return lamp.level()
    except DriverError:
        return None


@pytest.mark.parametrize(
    "changes",
    [pytest.param(30, id="30"), pytest.param(300, id="300", marks=pytest.mark.soak)],
)
@pytest.mark.timeout(600)
async def test_no_glitch_makes_a_lamp_seem_to_obey(
    line: SerialLine, changes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whenever a lamp's level is told as wished, its board really has it."""
    random = Random(11)
    line.disturb = glitches = Glitches(11)
    boards = {unit: LampBoard(address=unit, seconds=time.monotonic) for unit in (1, 2)}
    bridge = Bridge([SerialLineSettings(name="rs485", port=line.node_port)])
    settings = {
        unit: LampSettings(driver="serial", line="rs485", profile="lamp-board", address=unit)
        for unit in boards
    }
    lamps = {unit: bridge.lamp(settings[unit], f"TG-000{unit}") for unit in boards}
    longest_s = 0.0
    async with serving(line, [lamp_board(unit, board) for unit, board in boards.items()]):
        bridge.start()
        for _ in range(changes):
            unit, raw = random.choice((1, 2)), random.randrange(1001)
            begun_s = time.monotonic()
            await until(partial(wished, lamps[unit], raw / 1000), what="the wish to be taken")
            await until(partial(is_at, lamps[unit], raw / 1000), what=f"{raw} at {unit}", limit_s=30)
            assert boards[unit].level() == raw
            longest_s = max(longest_s, time.monotonic() - begun_s)
        bridge.close()
    with capsys.disabled():
        seen = sum(glitches.seen.values())
        print(f"\n{changes} changes under {seen} glitches: the slowest took {longest_s:.1f} s")


def wished(lamp: BoardLamp, level: float) -> bool:
    """As the lamp loop does each second: again and again, also while the board is silent."""
    try:
        lamp.set_level(level)
    except DriverError:
        return False
    return True


def is_at(lamp: BoardLamp, level: float) -> bool:
    if level_of(lamp) is None:
        wished(lamp, level)
    return level_of(lamp) == level
