"""The lamp board of docs/lamp-board.md as its firmware would behave, on any clock."""

from __future__ import annotations

from collections.abc import Callable

MAGIC = 0x4E44
MAP_VERSION = 1
NO_SENSOR = 0x8000
LEVEL, SAFE_LEVEL, HOLD_S, ADDRESS = range(4)
"""Its holding registers."""


class LampBoard:
    """One board; `seconds` is a steady clock.

    `temperature` and `faults` are the registers' raw values; `stuck_at` is a level at which its output hangs.
    """

    def __init__(
        self,
        *,
        address: int = 1,
        serial_number: int = 1,
        firmware: tuple[int, int] = (1, 0),
        seconds: Callable[[], float],
    ) -> None:
        self.serial_number = serial_number
        self.firmware = firmware
        self.temperature = 310
        self.faults = 0
        self.stuck_at: int | None = None
        self._seconds = seconds
        self._kept = {SAFE_LEVEL: 1000, HOLD_S: 60, ADDRESS: address}
        self.restart()

    def restart(self) -> None:
        """Power came back: safe level until the host speaks; what lies in flash is kept."""
        self._started_s = self._seconds()
        self._wish: int | None = None
        self._told_s = self._started_s

    def level(self) -> int:
        """The level in effect, in thousandths."""
        if self.stuck_at is not None:
            return self.stuck_at
        if self._wish is None or self.hold_left_s() == 0:
            self._wish = None
            return self._kept[SAFE_LEVEL]
        return self._wish

    def hold_left_s(self) -> int:
        """Whole seconds until the safe level, 0 when it is in effect."""
        if self._wish is None:
            return 0
        return max(0, int(self._told_s + self._kept[HOLD_S] - self._seconds() + 0.999))

    def input_registers(self) -> list[int]:
        """What function 4 reads from 0x0000 on."""
        level = self.level()
        uptime_s = int(self._seconds() - self._started_s)
        major, minor = self.firmware
        return [
            MAGIC,
            MAP_VERSION,
            major << 8 | minor,
            0,
            self.serial_number >> 16,
            self.serial_number & 0xFFFF,
            uptime_s >> 16,
            uptime_s & 0xFFFF,
            level,
            self.temperature,
            self.faults,
            self.hold_left_s(),
        ]

    def holding_registers(self) -> list[int]:
        """What function 3 reads from 0x0000 on."""
        return [self.level(), *(self._kept[register] for register in (SAFE_LEVEL, HOLD_S, ADDRESS))]

    def write(self, register: int, value: int) -> bool:
        """Function 6 or 16; False for what the board refuses (exception 3)."""
        highest = {LEVEL: 1000, SAFE_LEVEL: 1000, HOLD_S: 3600, ADDRESS: 247}
        lowest = {HOLD_S: 2, ADDRESS: 1}
        if register not in highest or not lowest.get(register, 0) <= value <= highest[register]:
            return False
        if register == LEVEL:
            self._wish, self._told_s = value, self._seconds()
        else:
            self._kept[register] = value
        return True
