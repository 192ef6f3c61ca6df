"""Modbus RTU frames: requests as bytes, and the reply that belongs to a request found in what arrived.

Pure: no port, no clock. A reply is looked for at every place in what arrived, so glitch bytes before it cost
nothing; it counts only with the request's unit, function, length and check sum, so that neither noise nor
another unit's late reply is taken for it.

Sources: Modbus over Serial Line 1.02, 2.5.1 (RTU) and 6.2.2 (CRC-16, polynomial 0xA001 reflected, low byte
first); Modbus Application Protocol 1.1b3, chapter 6 (functions) and 7 (exceptions).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_COILS = 15
WRITE_REGISTERS = 16
READ_DEVICE_IDENTIFICATION = 0x2B
EXCEPTION_BIT = 0x80

BIT_READS = frozenset({READ_COILS, READ_DISCRETE_INPUTS})
REGISTER_READS = frozenset({READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS})

_IDENTIFICATION = b"\x0e\x01\x00"
"""MEI type 14, the basic objects as one stream, from object 0 on."""

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target silent",
}
BUSY = frozenset({5, 6})
"""Refusals that mean: ask again."""


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc16(data: bytes) -> bytes:
    """The check sum of a frame, as it is sent."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return struct.pack("<H", crc)


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one unit, and what its reply must look like.

    `body` follows the function code. A reply's body begins with `reply_head` and is `reply_size` bytes long;
    None for the one function whose reply tells its own length (device identification).
    """

    unit: int
    function: int
    body: bytes
    reply_head: bytes
    reply_size: int | None

    def frame(self) -> bytes:
        """The bytes to send."""
        pdu = bytes([self.unit, self.function]) + self.body
        return pdu + crc16(pdu)

    @property
    def reply_length(self) -> int:
        """The whole reply's bytes; for an identification the least it can be."""
        return 4 + (6 if self.reply_size is None else self.reply_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Requests of one shape have replies that can't be told from each other."""
        return self.unit, self.function, self.reply_length


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply's body: what follows the function code, without the check sum."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """The unit's exception code."""

    code: int

    def __str__(self) -> str:
        """The code and what the specification calls it."""
        return f"exception {self.code} ({EXCEPTIONS.get(self.code, 'unknown')})"


def read_bits(unit: int, function: int, first: int, count: int) -> Request:
    """Ask for `count` coils (function 1) or discrete inputs (2) from `first` on."""
    assert function in BIT_READS
    size = (count + 7) // 8
    return Request(unit, function, struct.pack(">HH", first, count), bytes([size]), 1 + size)


def read_registers(unit: int, function: int, first: int, count: int) -> Request:
    """Ask for `count` holding (function 3) or input registers (4) from `first` on."""
    assert function in REGISTER_READS
    return Request(unit, function, struct.pack(">HH", first, count), bytes([count * 2]), 1 + count * 2)


def write_coil(unit: int, coil: int, on: bool) -> Request:
    """Switch one coil."""
    body = struct.pack(">HH", coil, 0xFF00 if on else 0)
    return Request(unit, WRITE_COIL, body, body, 4)


def write_register(unit: int, register: int, value: int) -> Request:
    """Set one holding register."""
    body = struct.pack(">HH", register, value)
    return Request(unit, WRITE_REGISTER, body, body, 4)


def write_coils(unit: int, first: int, states: Sequence[bool]) -> Request:
    """Switch neighbouring coils together."""
    packed = sum(on << place for place, on in enumerate(states)).to_bytes((len(states) + 7) // 8, "little")
    head = struct.pack(">HH", first, len(states))
    return Request(unit, WRITE_COILS, head + bytes([len(packed)]) + packed, head, 4)


def write_registers(unit: int, first: int, values: Sequence[int]) -> Request:
    """Set neighbouring holding registers together."""
    head = struct.pack(">HH", first, len(values))
    body = head + bytes([len(values) * 2]) + struct.pack(f">{len(values)}H", *values)
    return Request(unit, WRITE_REGISTERS, body, head, 4)


def bare(unit: int, function: int) -> Request:
    """A maker's own function without parameters, answered by its echo (PZEM's energy reset, 0x42)."""
    return Request(unit, function, b"", b"", 0)


def read_identification(unit: int) -> Request:
    """Ask for maker, product and revision (function 0x2B, MEI type 14, basic objects)."""
    return Request(unit, READ_DEVICE_IDENTIFICATION, _IDENTIFICATION, b"\x0e\x01", None)


def find_reply(received: bytes, request: Request) -> Reply | Refusal | None:
    """The reply to `request`, where a whole one stands anywhere in `received`; None while it does not.

    Never raises, whatever the bytes; of two, the first counts.
    """
    good = bytes([request.unit, request.function]) + request.reply_head
    bad = bytes([request.unit, request.function | EXCEPTION_BIT])
    for start in range(len(received) - 3):
        if received.startswith(good, start):
            size = _body_size(received, start + 2, request)
            if size is not None and _checked(received, start, 2 + size):
                return Reply(received[start + 2 : start + 2 + size])
        elif received.startswith(bad, start) and _checked(received, start, 3):
            return Refusal(received[start + 2])
    return None


def without_echo(received: bytes, request: Request) -> bytes | None:
    """What follows the request's own echo; None where `received` does not begin with it.

    Some RS-485 adapters hear themselves. A write's reply may equal its request, so only a read shows it.
    """
    frame = request.frame()
    return received[len(frame) :] if received.startswith(frame) else None


def registers_of(reply: Reply) -> list[int]:
    """The registers of a reply to `read_registers`."""
    return list(struct.unpack(f">{(len(reply.body) - 1) // 2}H", reply.body[1:]))


def bits_of(reply: Reply, count: int) -> list[bool]:
    """The first `count` states of a reply to `read_bits`."""
    packed = int.from_bytes(reply.body[1:], "little")
    return [bool(packed >> place & 1) for place in range(count)]


def identification_of(reply: Reply) -> dict[int, str]:
    """The objects of a reply to `read_identification`: 0 maker, 1 product, 2 revision."""
    objects, place = {}, 6
    for _ in range(reply.body[5]):
        number, size = reply.body[place], reply.body[place + 1]
        text = reply.body[place + 2 : place + 2 + size]
        objects[number] = text.decode("ascii", "replace").strip(" \0")
        place += 2 + size
    return objects


def _checked(received: bytes, start: int, size: int) -> bool:
    end = start + size
    return len(received) >= end + 2 and crc16(received[start:end]) == received[end : end + 2]


def _body_size(received: bytes, start: int, request: Request) -> int | None:
    """How long the body at `start` is; None while that can't be told yet."""
    if request.reply_size is not None:
        return request.reply_size
    if len(received) < start + 6:
        return None
    place = start + 6
    for _ in range(received[start + 5]):
        if len(received) < place + 2:
            return None
        place += 2 + received[place + 1]
    return place - start
