"""A line's thread, on ports that the test opens."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError

import pytest

from edge.config import SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.modbus.frames import Reply, crc16, read_registers
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.port import POLL_S, SerialPort
from edge.firmware_bridge.modbus.turns import Ask

SETTINGS = SerialLineSettings(name="rs485", port="/dev/ttyS9", answer_within_s=0.05)
LIMIT_S = 20


class EchoingValues:
    """Answers one register for every unit but those in `mute`: its own address."""

    def __init__(self, mute: set[int]) -> None:
        self.mute = mute
        self.gone = False
        self._coming = b""
        self.asked: list[int] = []

    @property
    def in_waiting(self) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        return len(self._coming)

    def read(self, size: int) -> bytes:
        if not self._coming:
            time.sleep(POLL_S / 4)
        come, self._coming = self._coming[:size], self._coming[size:]
        return come

    def write(self, data: bytes, /) -> None:
        self.asked.append(data[0])
        if data[0] not in self.mute:
            frame = bytes([data[0], 4, 2, 0, data[0]])
            self._coming += frame + crc16(frame)

    def close(self) -> None: ...


def ask(line: Line, unit: int) -> Reply | None:
    return line.do(unit, lambda put: put(read_registers(unit, 4, 0, 1))).result(LIMIT_S)


def test_a_dead_units_questions_end_at_once_while_it_is_left_alone() -> None:
    port = EchoingValues({2})
    line = Line(SETTINGS, open_port=lambda settings: port)
    assert ask(line, 2) is None
    assert ask(line, 2) is None
    asked = len(port.asked)
    assert ask(line, 2) is None
    assert len(port.asked) == asked, "it is being left alone"
    answer = ask(line, 1)
    assert answer is not None
    assert answer.body == bytes([2, 0, 1])
    line.close()


def test_whatever_one_units_work_throws_the_others_have_their_turns() -> None:
    line = Line(SETTINGS, open_port=lambda settings: EchoingValues(set()))

    def broken(put: Ask) -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(DriverError, match="Modbus unit 1: ZeroDivisionError: a bug"):
        line.do(1, broken).result(LIMIT_S)
    assert ask(line, 2) is not None
    line.close()


def test_a_question_nobody_waits_for_any_more_is_not_put() -> None:
    port, hold = EchoingValues(set()), threading.Event()
    line = Line(SETTINGS, open_port=lambda settings: port)
    busy = line.do(1, lambda put: hold.wait(LIMIT_S))
    late = line.do(2, lambda put: put(read_registers(2, 4, 0, 1)))
    assert late.cancel()
    hold.set()
    assert busy.result(LIMIT_S) is True
    assert ask(line, 3) is not None
    assert port.asked == [3]
    line.close()


def test_closing_ends_what_waits() -> None:
    hold = threading.Event()
    line = Line(SETTINGS, open_port=lambda settings: EchoingValues(set()))
    started = threading.Event()

    def busy(put: Ask) -> None:
        started.set()
        hold.wait(LIMIT_S)

    line.do(1, busy)
    assert started.wait(LIMIT_S)
    waiting = line.do(2, lambda put: put(read_registers(2, 4, 0, 1)))
    closing = threading.Thread(target=line.close)
    closing.start()
    deadline_s = time.monotonic() + LIMIT_S
    while not is_closed(line):
        assert time.monotonic() < deadline_s
    hold.set()
    closing.join(LIMIT_S)
    with pytest.raises(CancelledError):
        waiting.result(LIMIT_S)
    assert is_closed(line)


def is_closed(line: Line) -> bool:
    question = line.do(9, lambda put: put(read_registers(9, 4, 0, 1)))
    return question.done() and "closed" in str(question.exception(LIMIT_S))


def test_an_adapter_that_goes_and_comes_is_opened_anew_and_told_once_each_way() -> None:
    first, second = EchoingValues(set()), EchoingValues(set())
    ports: list[SerialPort | OSError] = [first, OSError(2, "No such file or directory"), second]
    told: list[tuple[str, str]] = []

    def open_next(settings: SerialLineSettings) -> SerialPort:
        port = ports.pop(0)
        if isinstance(port, OSError):
            raise port
        return port

    line = Line(SETTINGS, open_port=open_next, on_change=lambda what, why: told.append((what, why)))
    assert ask(line, 1) is not None
    first.gone = True
    with pytest.raises(DriverError, match="Input/output error"):
        ask(line, 1)
    with pytest.raises(DriverError):
        ask(line, 1)
    deadline_s = time.monotonic() + LIMIT_S
    while line.lost is not None and time.monotonic() < deadline_s:
        threading.Event().wait(0.02)
    assert ask(line, 1) is not None
    assert [what for what, _ in told] == ["serial_line_lost", "serial_line_back"]
    line.close()
