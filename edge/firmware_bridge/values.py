"""From registers to values with units, as a device's profile says. Pure."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.firmware_bridge.modbus.frames import (
    BIT_READS,
    Reply,
    Request,
    bits_of,
    read_bits,
    read_registers,
    registers_of,
)
from edge.firmware_bridge.modbus.turns import Ask

Register = Annotated[int, Meta(ge=0, le=0xFFFF)]
Function = Literal[1, 2, 3, 4]
Type = Literal["bit", "u16", "s16", "u32", "s32", "f32"]
_FORMATS = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "f32": ">f"}


class Block(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Neighbouring registers, coils or inputs that are read with one question."""

    function: Function
    first: Register
    count: Annotated[int, Meta(ge=1, le=125)]

    def request(self, unit: int) -> Request:
        """The question for this block."""
        if self.function in BIT_READS:
            return read_bits(unit, self.function, self.first, self.count)
        return read_registers(unit, self.function, self.first, self.count)

    def words(self, reply: Reply) -> list[int]:
        """The reply's registers, or its bits as 0 and 1."""
        if self.function in BIT_READS:
            return [int(bit) for bit in bits_of(reply, self.count)]
        return registers_of(reply)


class Value(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one value stands, and how it is written there."""

    function: Function = 4
    register: Register
    type: Type = "u16"
    words: Literal["high_first", "low_first"] = "high_first"
    """Which register of two comes first."""
    scale: float = 1.0
    """Multiplied with, to reach the unit in the value's name."""
    absolute: bool = False
    """Drops the sign: a current clamp that sits the wrong way round shows power below zero."""
    invalid: int | None = None
    """The raw value by which the device says that it doesn't know."""

    def __post_init__(self) -> None:
        """Bits are read as bits, registers as registers."""
        if (self.type == "bit") != (self.function in BIT_READS):
            raise ValueError('functions 1 and 2 read type = "bit", functions 3 and 4 every other type')

    @property
    def size(self) -> int:
        """Registers, or bits, that it takes."""
        return 2 if self.type in ("u32", "s32", "f32") else 1

    def within(self, block: Block) -> bool:
        """Whether it is read with this block."""
        first, last = self.register, self.register + self.size
        return self.function == block.function and (
            block.first <= first and last <= block.first + block.count
        )

    def of(self, words: Sequence[int]) -> float | None:
        """The value in its registers; None where the device says that it doesn't know."""
        if self.type == "bit":
            return float(words[0])
        ordered = words if self.words == "high_first" else list(reversed(words))
        packed = b"".join(struct.pack(">H", word) for word in ordered)
        if self.invalid is not None and int.from_bytes(packed, "big") == self.invalid:
            return None
        (raw,) = struct.unpack(_FORMATS[self.type], packed)
        if not math.isfinite(raw):
            return None
        value = round(float(raw) * self.scale, 3)
        return abs(value) if self.absolute else value


Words = Mapping[tuple[int, int], int]
"""What was read: (function, register) → the word there."""


def words_of(block: Block, reply: Reply) -> dict[tuple[int, int], int]:
    """The words of one block under their places."""
    return {(block.function, block.first + place): word for place, word in enumerate(block.words(reply))}


def value_in(words: Words, value: Value) -> float | None:
    """One value out of what was read."""
    return value.of([words[value.function, value.register + place] for place in range(value.size)])


def read_words(ask: Ask, unit: int, blocks: Iterable[Block]) -> dict[tuple[int, int], int]:
    """Read these blocks of a unit; raises SilentError, ModbusRefusalError."""
    words: dict[tuple[int, int], int] = {}
    for block in blocks:
        words |= words_of(block, ask(block.request(unit)))
    return words
