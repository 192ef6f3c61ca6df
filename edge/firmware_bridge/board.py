"""A lamp board on a line: what its lamps should do, what it says they do, and how it fares.

The lamp loop only leaves its wish here. The line's thread drives the board, reads back what is in effect,
and repeats the wish before the board's hold time ends, but only while the lamp loop shows that it lives:
the board is to take its safe level when the host hangs, not only when it is dead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge.drivers.ports import DriverError
from edge.firmware_bridge.modbus.exchange import ModbusRefusalError
from edge.firmware_bridge.modbus.frames import (
    Request,
    identification_of,
    read_identification,
    write_coil,
    write_coils,
    write_register,
    write_registers,
)
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.turns import Ask
from edge.firmware_bridge.profile import LampRole, Profile, ProfileError, values_of
from edge.firmware_bridge.values import Block, Value, Words, read_words, value_in

LOOP_LIVES_S = 30.0
"""The lamp loop asks each second; one that has not asked for so long hangs."""
LOOK_AGAIN_S = 1.0
REFRESH_S = 20.0
"""At most so long between two looks at a board."""
SILENT_AFTER_MISSES = 3

Detail = dict[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the hub should hear of: an event of each of these poles, or of the node."""

    kind: str
    poles: tuple[str, ...] = ()
    active: bool | None = None
    detail: Detail = field(default_factory=dict)


Tell = Callable[[Notice], None]


class Board:
    """One board, the keeper of its unit on the line. `poles` gathers those whose lamps hang on it."""

    def __init__(
        self,
        line: Line,
        profile: Profile,
        address: int,
        *,
        hold_s: int,
        safe_level: float,
        tell: Tell,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        if profile.lamp is None:
            raise ProfileError(f"device profile {profile.name!r} is of no lamp board")
        self.lamp: LampRole = profile.lamp
        self.poles: list[str] = []
        self.silent: str | None = None
        """Why nothing can be said of its lamps."""
        self._line, self._profile, self._address = line, profile, address
        self._hold_s, self._safe_level = hold_s, safe_level
        self._tell, self._seconds = tell, seconds
        self._wishing = threading.Lock()
        self._wishes: dict[int, int] = {}
        self._driven: dict[int, int] = {}
        self._loop_seen_s = float("-inf")
        self._due_s = float("-inf")
        self._misses = 0
        self._told_silent = False
        self._introduced = False
        self._uptime_s: float | None = None
        self._faults: tuple[str, ...] = ()
        holds = self.lamp.hold_s_register is not None
        self._refresh_s = min(REFRESH_S, hold_s / 3) if holds else REFRESH_S
        self._blocks = _status_blocks(profile, self.lamp)

    def wish(self, channel: int, level: float) -> None:
        """What this channel's lamp should do from now on."""
        self._loop_seen_s = self._seconds()
        raw = self.lamp.raw(level)
        with self._wishing:
            if self._wishes.get(channel) == raw:
                return
            self._wishes[channel] = raw
            self._due_s = float("-inf")
        self._line.wake()

    def driven(self, channel: int) -> int | None:
        """What the board last said this channel does; None before it did, or before a wish was left."""
        self._loop_seen_s = self._seconds()
        return self._driven.get(channel) if channel in self._wishes else None

    def due_s(self) -> float:
        """When the board is to be looked at next."""
        return self._due_s

    def urgent(self) -> bool:
        """Whether a lamp does not do yet what it should."""
        return any(self._driven.get(channel) != raw for channel, raw in self._wishes.copy().items())

    def turn(self, ask: Ask, now_s: float) -> None:
        """Drive, read back, look how it fares; raises SilentError, ModbusRefusalError."""
        with self._wishing:
            wishes = dict(self._wishes)
        if not self._introduced:
            self._set_up(ask)
        self._drive(ask, wishes, now_s)
        words = read_words(ask, self._address, self._blocks)
        for channel in range(1, self.lamp.channels + 1):
            self._driven[channel] = words[self.lamp.read_function, self.lamp.read_first + channel - 1]
        self._has_answered(ask, words)
        # A wish that came meanwhile is due at once; a board that did something else is asked soon again.
        obeyed = all(self._driven.get(channel) == raw for channel, raw in wishes.items())
        with self._wishing:
            if wishes == self._wishes:
                self._due_s = now_s + (self._refresh_s if obeyed else LOOK_AGAIN_S)

    def missed(self, reason: str, *, line_lost: bool = False) -> None:
        """It did not answer, or refused; a lost line is told as such and not as every board's silence."""
        self._misses += 1
        self._due_s = self._seconds() + LOOK_AGAIN_S
        if self._misses == SILENT_AFTER_MISSES:
            self.silent = f"{self._profile.name} at address {self._address}: {reason}"
            self._driven.clear()
            with self._wishing:
                # When it is back, the lamp loop says anew what is right then.
                self._wishes.clear()
            self._introduced = False
            self._told_silent = not line_lost
            if self._told_silent:
                self._notice("board_silent", active=True, error=reason[:200])

    def _set_up(self, ask: Ask) -> None:
        """What a board must know before it is relied on. Written only where it differs: flash wears."""
        lamp = self.lamp
        if lamp.hold_s_register is None or lamp.safe_level_register is None:
            return
        wanted = {
            lamp.safe_level_register: lamp.raw(self._safe_level),
            lamp.hold_s_register: self._hold_s,
        }
        for register, value in wanted.items():
            words = read_words(ask, self._address, [Block(function=3, first=register, count=1)])
            if words[3, register] != value:
                ask(write_register(self._address, register, value))

    def _drive(self, ask: Ask, wishes: Mapping[int, int], now_s: float) -> None:
        holds = self.lamp.hold_s_register is not None
        if holds and now_s - self._loop_seen_s > LOOP_LIVES_S:
            return
        for channel, raw in wishes.items():
            if holds or self._driven.get(channel) != raw:
                ask(lamp_write(self.lamp, self._address, channel, raw))

    def _has_answered(self, ask: Ask, words: Words) -> None:
        role = self._profile.board
        uptime_s = _known(words, role.uptime_s)
        restarted = uptime_s is not None and self._uptime_s is not None and uptime_s < self._uptime_s
        self._uptime_s = uptime_s
        self._misses = 0
        self.silent = None
        if self._told_silent:
            self._told_silent = False
            self._notice("board_silent", active=False)
        if restarted:
            # Its volatile settings may be the factory's again.
            self._set_up(ask)
        if restarted or not self._introduced:
            self._introduced = True
            serial = _known(words, role.serial_number)
            self._notice(
                "board_found",
                firmware=read_firmware(ask, self._profile, self._address),
                serial_number=None if serial is None else int(serial),
                restarted=restarted,
            )
        self._note_faults(_known(words, role.faults))

    def _note_faults(self, bits: float | None) -> None:
        names = self._profile.board.fault_names
        faults = tuple(name for place, name in enumerate(names) if name and int(bits or 0) >> place & 1)
        if faults != self._faults:
            self._faults = faults
            self._notice("board_fault", active=bool(faults), faults=", ".join(faults))

    def _notice(self, kind: str, active: bool | None = None, **detail: str | int | bool | None) -> None:
        place: Detail = {
            "line": self._line.settings.name,
            "address": self._address,
            "profile": self._profile.name,
        }
        told: Detail = {key: value for key, value in detail.items() if value is not None}
        self._tell(Notice(kind, tuple(self.poles), active, place | told))


class BoardLamp:
    """One lamp on a board. `active_high` False lights it with the output off (a relay's rest contact)."""

    def __init__(self, board: Board, channel: int, *, active_high: bool = True) -> None:
        if channel > board.lamp.channels:
            raise ProfileError(f"lamp channel {channel}: the board has {board.lamp.channels}")
        if not active_high and not board.lamp.switches:
            raise ProfileError("`active_high` is for boards that switch; this one dims")
        self._board = board
        self._channel = channel
        self._active_high = active_high
        self._wish: float | None = None

    def set_level(self, level: float) -> None:
        """Wish for a level, 0.0 to 1.0, and return at once; raises DriverError while the board is silent."""
        self._wish = level
        self._board.wish(self._channel, self._turned(level))
        self._raise_if_silent()

    def level(self) -> float | None:
        """What the board last said it does, None before it first did; raises DriverError while it is silent."""
        raw = self._board.driven(self._channel)
        self._raise_if_silent()
        if raw is None:
            return None
        lamp, wish = self._board.lamp, self._wish
        if wish is not None and not lamp.switches and lamp.raw(wish) == raw:
            return wish
        return self._turned(lamp.level(raw))

    def close(self) -> None:
        """Let the board go: its hold time ends and it takes its safe level."""

    def _turned(self, level: float) -> float:
        return level if self._active_high else float(level <= 0)

    def _raise_if_silent(self) -> None:
        if self._board.silent is not None:
            raise DriverError(self._board.silent)


def lamp_write(lamp: LampRole, unit: int, channel: int, raw: int) -> Request:
    """What brings one output to this raw level."""
    place = lamp.write_first + channel - 1
    match lamp.write_function:
        case 5:
            return write_coil(unit, place, bool(raw))
        case 15:
            return write_coils(unit, place, [bool(raw)])
        case 6:
            return write_register(unit, place, raw)
        case 16:
            return write_registers(unit, place, [raw])


def read_firmware(ask: Ask, profile: Profile, unit: int) -> str | None:
    """The firmware's version, None where the device does not tell; raises SilentError."""
    firmware = profile.firmware
    if firmware is None:
        return None
    try:
        if firmware.identification is not None:
            return identification_of(ask(read_identification(unit))).get(firmware.identification)
        assert firmware.register is not None, "Firmware refuses to have neither"
        block = Block(function=firmware.function, first=firmware.register, count=1)
        words = read_words(ask, unit, [block])
    except ModbusRefusalError:
        return None
    return firmware.written(words[firmware.function, firmware.register])


def _status_blocks(profile: Profile, lamp: LampRole) -> list[Block]:
    """What a look at the board reads: how it fares, and its outputs."""
    outputs = lamp.read_block()
    blocks = profile.blocks(values_of(profile.board).values())
    covered = any(
        block.function == outputs.function
        and block.first <= outputs.first
        and outputs.first + outputs.count <= block.first + block.count
        for block in blocks
    )
    return blocks if covered else [*blocks, outputs]


def _known(words: Words, value: Value | None) -> float | None:
    return None if value is None else value_in(words, value)
