"""Timing on a virtual clock: a port whose bytes come when the test says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import SerialLineSettings
from edge.firmware_bridge.modbus.exchange import Exchange, ModbusRefusalError, Timing
from edge.firmware_bridge.modbus.frames import Reply, Request, crc16, read_registers, write_register
from edge.firmware_bridge.modbus.port import POLL_S

Answer = Callable[[bytes], list[tuple[float, bytes]]]
TIMING = Timing.of(SerialLineSettings(name="rs485", port="/dev/ttyS9"))
VOLTS = read_registers(1, 4, 0, 1)
WATTS = read_registers(1, 4, 3, 1)


class VirtualPort:
    """Answers each request by `answers`, in order; the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.now_s = 1000.0
        self.sent: list[tuple[float, bytes]] = []
        self._answers = list(answers)
        self._coming: list[tuple[float, bytes]] = []

    def come(self, after_s: float, data: bytes) -> None:
        self._coming.append((self.now_s + after_s, data))

    @property
    def in_waiting(self) -> int:
        return sum(len(data) for at_s, data in self._coming if at_s <= self.now_s)

    def read(self, size: int) -> bytes:
        first_s = min((at_s for at_s, _ in self._coming), default=float("inf"))
        self.now_s = max(self.now_s, min(first_s, self.now_s + POLL_S))
        come = b"".join(data for at_s, data in sorted(self._coming) if at_s <= self.now_s)
        self._coming = [(at_s, data) for at_s, data in self._coming if at_s > self.now_s]
        if come[size:]:
            self._coming.append((self.now_s, come[size:]))
        return come[:size]

    def write(self, data: bytes, /) -> None:
        self.sent.append((self.now_s, data))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        for after_s, piece in answer(data):
            self.come(after_s, piece)

    def close(self) -> None:
        self._coming.clear()

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now_s += seconds


def exchange(port: VirtualPort) -> Exchange:
    return Exchange(port, TIMING, seconds=lambda: port.now_s, sleep=port.sleep)


def reply(value: int, unit: int = 1) -> bytes:
    frame = bytes([unit, 4, 2]) + value.to_bytes(2, "big")
    return frame + crc16(frame)


def answering(value: int, after_s: float = 0.05) -> Answer:
    return lambda request: [(after_s, reply(value))]


def silent(request: bytes) -> list[tuple[float, bytes]]:
    return []


def value_of(found: Reply | None) -> int | None:
    return None if found is None else int.from_bytes(found.body[1:], "big")


def test_the_line_is_silent_for_three_and_a_half_characters_before_each_request() -> None:
    port = VirtualPort(answering(2284))
    asked = exchange(port)
    for _ in range(3):
        assert value_of(asked.ask(VOLTS)) == 2284
    ends = [sent_s + 0.05 for sent_s, _ in port.sent]
    gaps = [sent_s - end_s for end_s, (sent_s, _) in zip(ends, port.sent[1:], strict=False)]
    assert min(gaps) >= 3.5 * 10 / 9600


def test_above_19200_baud_that_silence_is_fixed_and_parity_makes_characters_longer() -> None:
    fast = Timing.of(SerialLineSettings(name="a", port="p", baud=115200))
    assert fast.silence_s == 0.00175
    even = Timing.of(SerialLineSettings(name="a", port="p", parity="even"))
    assert even.char_s == pytest.approx(11 / 9600)


def test_what_lies_on_the_line_before_the_request_is_dropped() -> None:
    port = VirtualPort(answering(2284))
    port.come(0.0, reply(9999))
    asked = exchange(port)
    assert value_of(asked.ask(VOLTS)) == 2284
    assert asked.counts.stray_bytes == 7


def test_silence_costs_its_time_and_no_more() -> None:
    port = VirtualPort(silent)
    asked = exchange(port)
    begun_s = port.now_s
    assert asked.ask(VOLTS, attempts=1) is None
    assert port.now_s - begun_s < TIMING.answer_within_s + 0.06
    assert (asked.counts.silent, asked.counts.retries) == (1, 0)


def test_a_reply_that_begins_at_the_last_moment_may_end() -> None:
    pieces = [(0.307, reply(2284)[:3]), (0.33, reply(2284)[3:])]
    asked = exchange(VirtualPort(lambda request: pieces))
    assert value_of(asked.ask(VOLTS, attempts=1)) == 2284


def test_a_late_reply_is_never_taken_for_what_was_asked_next() -> None:
    """Volts answered 0.9 s late, in the very time in which watts are asked."""
    port = VirtualPort(answering(2284, after_s=0.9), answering(601))
    asked = exchange(port)
    assert asked.ask(VOLTS, attempts=1) is None
    assert value_of(asked.ask(WATTS)) == 601
    assert port.sent[1][0] - port.sent[0][0] >= 1.0, "its time was waited out"


def test_other_shapes_need_not_wait_for_a_late_reply() -> None:
    port = VirtualPort(silent, lambda request: [(0.05, request)])
    asked = exchange(port)
    assert asked.ask(VOLTS, attempts=1) is None
    begun_s = port.now_s
    assert asked.ask(write_register(1, 0, 5)) is not None
    assert port.now_s - begun_s < 0.2


def test_a_damaged_reply_is_asked_for_again_at_once() -> None:
    damaged = reply(2284)[:4] + b"\xff" + reply(2284)[5:]
    port = VirtualPort(lambda request: [(0.05, damaged)], answering(2284))
    asked = exchange(port)
    assert value_of(asked.ask(VOLTS)) == 2284
    assert (asked.counts.damaged, asked.counts.retries) == (1, 1)
    assert port.sent[1][0] - port.sent[0][0] < 0.2


def test_a_busy_unit_is_asked_again_and_another_refusal_is_final() -> None:
    def refusing(code: int) -> Answer:
        frame = bytes([1, 0x84, code])
        return lambda request: [(0.05, frame + crc16(frame))]

    assert value_of(exchange(VirtualPort(refusing(6), answering(5))).ask(VOLTS)) == 5
    port = VirtualPort(refusing(2), answering(5))
    with pytest.raises(ModbusRefusalError, match="illegal address"):
        exchange(port).ask(VOLTS)
    assert len(port.sent) == 1


def test_an_echo_is_learned_from_a_read_and_confirms_no_write() -> None:
    def echo_and_reply(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.008, request), (0.05, reply(2284))]

    asked = exchange(VirtualPort(echo_and_reply, lambda request: [(0.008, request)]))
    assert value_of(asked.ask(VOLTS)) == 2284
    assert asked.ask(write_register(1, 0, 5), attempts=1) is None, "nobody but ourselves said that"


def test_a_line_that_babbles_ends_too() -> None:
    port = VirtualPort(lambda request: [(n * 0.001, b"\x55") for n in range(5000)])
    begun_s = port.now_s
    assert exchange(port).ask(VOLTS) is None
    assert port.now_s - begun_s < 5


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([VOLTS, write_register(1, 0, 5)]))
def test_whatever_comes_back_is_a_right_reply_a_refusal_or_silence(
    pieces: list[bytes], request: Request
) -> None:
    coming = [(0.01 * place, piece) for place, piece in enumerate(pieces)]
    try:
        found = exchange(VirtualPort(lambda sent: coming)).ask(request)
    except ModbusRefusalError:
        return
    if found is not None:
        frame = bytes([request.unit, request.function]) + found.body
        assert frame + crc16(frame) in b"".join(pieces)


def test_requests_of_one_shape_are_those_whose_replies_look_alike() -> None:
    assert VOLTS.shape == WATTS.shape
    other: Request = read_registers(1, 4, 0, 2)
    assert other.shape != VOLTS.shape
