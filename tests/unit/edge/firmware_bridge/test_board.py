"""A lamp board looked after on a virtual clock; the board is the simulator's model of its firmware."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest

from edge.config import SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import LOOP_LIVES_S, Board, BoardLamp, Notice
from edge.firmware_bridge.modbus.frames import Reply, Request, crc16, find_reply
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.turns import SilentError
from edge.firmware_bridge.profile import ProfileError, Profiles
from simulators.lamp_board import LampBoard

LINE = SerialLineSettings(name="rs485", port="/dev/no-such-line")


@dataclass
class Bench:
    """One board at address 1, its keeper, and a clock. Turns are given when they are due."""

    hold_s: int = 60
    safe_level: float = 1.0
    now_s: float = 1000.0
    mute: bool = False
    writes: list[tuple[int, int]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.firmware = LampBoard(serial_number=77, firmware=(1, 2), seconds=lambda: self.now_s)
        self.board = Board(
            Line(LINE),
            Profiles().get("lamp-board"),
            1,
            hold_s=self.hold_s,
            safe_level=self.safe_level,
            tell=self.notices.append,
            seconds=lambda: self.now_s,
        )
        self.board.poles.append("TG-0042")
        self.lamp = BoardLamp(self.board, 1)

    def ask(self, request: Request) -> Reply:
        if self.mute:
            raise SilentError
        first, count = struct.unpack(">HH", request.body)
        if request.function == 6:
            assert self.firmware.write(first, count)
            self.writes.append((first, count))
            body = request.body
        else:
            table = self.firmware.holding_registers() if request.function == 3 else []
            words = (table or self.firmware.input_registers())[first : first + count]
            body = bytes([2 * count]) + struct.pack(f">{count}H", *words)
        frame = bytes([1, request.function]) + body
        found = find_reply(frame + crc16(frame), request)
        assert isinstance(found, Reply)
        return found

    def turn(self) -> None:
        try:
            self.board.turn(self.ask, self.now_s)
        except SilentError:
            self.board.missed("Modbus unit 1 does not answer")

    def run(self, seconds: float, *, loop_lives: bool = True) -> None:
        """Let time pass, the lamp loop asking each second."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1.0
            if self.board.due_s() <= self.now_s:
                self.turn()
            if loop_lives and self.board.silent is None:
                self.lamp.level()

    def told(self, kind: str) -> list[Notice]:
        return [notice for notice in self.notices if notice.kind == kind]


def test_a_wish_is_driven_read_back_and_told_as_it_was_wished() -> None:
    bench = Bench()
    assert bench.lamp.level() is None, "before the board first said something"
    bench.lamp.set_level(1 / 3)
    assert bench.board.urgent()
    bench.turn()
    assert bench.firmware.level() == 333
    assert bench.lamp.level() == 1 / 3
    assert not bench.board.urgent()


def test_safe_level_and_hold_time_are_written_once_and_only_where_they_differ() -> None:
    bench = Bench(hold_s=60, safe_level=0.5)
    bench.run(100)
    assert [write for write in bench.writes if write[0] in (1, 2)] == [(1, 500)]


def test_an_unchanged_wish_is_repeated_before_the_hold_time_ends() -> None:
    bench = Bench(safe_level=0.0)
    bench.lamp.set_level(1.0)
    for _ in range(600):
        bench.run(1)
        assert bench.firmware.level() == 1000
    assert bench.firmware.hold_left_s() >= 2 * 60 / 3 - 1


def test_a_board_goes_to_its_safe_level_when_the_lamp_loop_hangs() -> None:
    """The line's thread lives on; the loop that decides does not."""
    bench = Bench(safe_level=0.2)
    bench.lamp.set_level(0.0)
    bench.run(10)
    bench.run(LOOP_LIVES_S + 60 + 20, loop_lives=False)
    assert bench.firmware.level() == 200
    bench.run(21)
    assert bench.firmware.level() == 0, "the loop is back"


def test_a_board_that_restarted_is_told_and_lit_as_before() -> None:
    bench = Bench()
    bench.lamp.set_level(0.4)
    bench.run(100)
    bench.firmware.restart()
    assert bench.firmware.level() == 1000
    bench.run(21)
    assert bench.firmware.level() == 400
    first, again = bench.told("board_found")
    assert first.detail == {
        "line": "rs485",
        "address": 1,
        "profile": "lamp-board",
        "firmware": "1.2",
        "serial_number": 77,
        "restarted": False,
    }
    assert first.poles == ("TG-0042",)
    assert again.detail["restarted"] is True


def test_a_silent_board_is_its_lamps_fault_and_is_told_once_each_way() -> None:
    bench = Bench()
    bench.lamp.set_level(1.0)
    bench.turn()
    bench.mute = True
    for _ in range(2):
        bench.turn()
        assert bench.lamp.level() == 1.0, "a single glitch is no fault"
    for _ in range(5):
        bench.turn()
    with pytest.raises(DriverError, match="lamp-board at address 1: Modbus unit 1 does not answer"):
        bench.lamp.level()
    with pytest.raises(DriverError, match="does not answer"):
        bench.lamp.set_level(0.5)
    bench.mute = False
    bench.turn()
    assert bench.lamp.level() == 0.5, "what was wished meanwhile"
    assert [notice.active for notice in bench.told("board_silent")] == [True, False]
    assert len(bench.told("board_found")) == 2, "another board may hang there now"


def test_a_board_that_is_back_does_not_do_what_was_right_before() -> None:
    bench = Bench()
    bench.lamp.set_level(0.0)
    bench.turn()
    bench.mute = True
    bench.run(80)
    bench.mute = False
    bench.turn()
    assert bench.firmware.level() == 1000, "its hold time has ended: it is night by now, for all we know"
    assert bench.lamp.level() is None, "so the lamp loop says anew what it wants"


def test_a_lost_line_is_not_told_as_every_boards_silence() -> None:
    bench = Bench()
    bench.lamp.set_level(1.0)
    bench.turn()
    for _ in range(4):
        bench.board.missed("serial line /dev/ttyS9: there is no such device", line_lost=True)
    with pytest.raises(DriverError, match="there is no such device"):
        bench.lamp.level()
    bench.turn()
    assert bench.lamp.level() is None, "in reach again, and waiting for the lamp loop's word"
    assert bench.told("board_silent") == []


def test_faults_of_a_board_are_told_by_name_when_they_change() -> None:
    bench = Bench()
    bench.turn()
    bench.firmware.faults = 0b101
    bench.turn()
    bench.turn()
    bench.firmware.faults = 0
    bench.turn()
    told = [(notice.active, notice.detail["faults"]) for notice in bench.told("board_fault")]
    assert told == [(True, "over_temperature, supply_low"), (False, "")]


def test_a_wish_that_comes_during_a_turn_is_due_at_once() -> None:
    bench = Bench()
    bench.lamp.set_level(1.0)
    asked = bench.ask

    def ask(request: Request) -> Reply:
        bench.lamp.set_level(0.0)
        return asked(request)

    bench.board.turn(ask, bench.now_s)
    assert bench.board.due_s() <= bench.now_s
    bench.turn()
    assert bench.firmware.level() == 0


def test_a_board_that_does_something_else_is_asked_again_soon() -> None:
    bench = Bench()
    bench.lamp.set_level(0.0)
    bench.firmware.stuck_at = 1000
    bench.turn()
    assert bench.lamp.level() == 1.0, "what it does, not what it was told"
    assert bench.board.due_s() == bench.now_s + 1.0


def test_what_a_board_cannot_do_is_refused_when_it_is_built() -> None:
    bench = Bench()
    with pytest.raises(ProfileError, match="the board has 1"):
        BoardLamp(bench.board, 2)
    with pytest.raises(ProfileError, match="this one dims"):
        BoardLamp(bench.board, 1, active_high=False)
