"""Thousands of questions on a line that glitches: not one wrong value, and nearly all are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from edge.config import SerialLineSettings
from edge.firmware_bridge.modbus.frames import Reply, Request, read_registers, registers_of
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.turns import Ask
from tests.support.modbus_units import meter, serving
from tests.support.serial_line import Pieces, SerialLine

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
    assert outcomes["right"] >= 0.98 * requests
