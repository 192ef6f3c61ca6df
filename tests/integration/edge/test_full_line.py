"""A line at 9600 baud with 32 lamp boards, one of them dead, and what a round of it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.config import LampSettings, MeterSettings, SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import BoardLamp
from edge.firmware_bridge.bridge import Bridge
from simulators.lamp_board import LampBoard
from tests.support.modbus_units import lamp_board, meter, serving
from tests.support.serial_line import SerialLine
from tests.support.waiting import until

DEAD = 17
SAMPLE_INTERVAL_S = 30.0


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    line = SerialLine(tmp_path)
    yield line
    line.close()


def lamps_on(bridge: Bridge) -> dict[int, BoardLamp]:
    return {
        address: bridge.lamp(
            LampSettings(driver="serial", line="rs485", profile="lamp-board", address=address),
            f"TG-{address:04}",
        )
        for address in range(1, 33)
    }


def at(lamp: BoardLamp, level: float) -> bool:
    try:
        return lamp.level() == level
    except DriverError:
        return False


async def test_a_dead_board_is_its_own_poles_fault_and_the_other_31_keep_their_rhythm(
    line: SerialLine, capsys: pytest.CaptureFixture[str]
) -> None:
    boards = {
        address: LampBoard(address=address, serial_number=address, seconds=time.monotonic)
        for address in range(1, 33)
    }
    bridge = Bridge([SerialLineSettings(name="rs485", port=line.node_port)])
    lamps = lamps_on(bridge)
    meters = {
        address: bridge.meter(
            MeterSettings(driver="serial", line="rs485", profile="pzem004t-100a", address=address)
        )
        for address in range(101, 133)
    }
    units = [lamp_board(address, board) for address, board in boards.items()]
    units += [meter(address, [2284, 0, 0, address, 0, 0, 0, 500, 95, 0]) for address in meters]
    async with serving(line, units):
        line.units -= {DEAD, 100 + DEAD}
        bridge.start()
        living = [address for address in lamps if address != DEAD]
        try:
            rounds = []
            for level in (1.0, 0.4, 0.0):
                begun_s = time.monotonic()
                for lamp in lamps.values():
                    set_level(lamp, level)
                await until(
                    lambda level=level: all(at(lamps[address], level) for address in living),  # type: ignore[misc]
                    what=f"31 boards at {level}",
                    limit_s=SAMPLE_INTERVAL_S,
                )
                rounds.append(time.monotonic() - begun_s)
            assert all(boards[address].level() == 0 for address in living)
            begun_s = time.monotonic()
            readings = await asyncio.gather(*(meter.read() for meter in meters.values()))
            meters_s = time.monotonic() - begun_s
            watts = [reading and reading.power_w for reading in readings]
            assert watts == [None if address == 100 + DEAD else address / 10 for address in meters]
            await until(lambda: silent(lamps[DEAD]), what="the dead board to be told", limit_s=20)
            told = [notice for notice in bridge.notices if notice.kind == "board_silent"]
            assert [(notice.poles, notice.active) for notice in told] == [(("TG-0017",), True)]
            set_level(lamps[DEAD], 0.0)
            line.units.add(DEAD)
            await until(
                lambda: not silent(lamps[DEAD]) and lamps[DEAD].level() == 0.0,
                what="its return",
                limit_s=40,
            )
        finally:
            bridge.close()
    with capsys.disabled():
        print(f"\n31 of 32 boards answered a new level after {', '.join(f'{s:.1f} s' for s in rounds)}")
        print(f"31 of 32 meters were read in {meters_s:.1f} s, the dead one found silent")
    assert max(rounds) + meters_s < SAMPLE_INTERVAL_S


def set_level(lamp: BoardLamp, level: float) -> None:
    try:
        lamp.set_level(level)
    except DriverError:
        assert silent(lamp)


def silent(lamp: BoardLamp) -> bool:
    try:
        lamp.level()
    except DriverError:
        return True
    return False
