"""What time it is, and whether that can be believed.

A Pi has no clock battery: after a power cut it runs in 1970 or in last week until the network tells it.
The kernel knows whether someone disciplines its clock (`adjtimex(2)`, the flag STA_UNSYNC), whichever
time daemon that is; asking it needs neither a D-Bus library nor a child process. What never lies is the
steady clock of this boot: a `Moment` holds both, so that a wrong wall time can be mended later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID, uuid4

from protocol.plausibility import EARLIEST

_STA_UNSYNC = 0x40
_TIME_ERROR = 5
_ASK_AGAIN_S = 5.0
_TORN_S = 0.005
"""A wall reading that took longer than this between two steady ones is taken again: someone else ran."""

Quality = Literal["synced", "unsynced"]
"""The clock's word as the contract writes it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on both clocks: aware UTC, and seconds of this boot's steady clock."""

    utc: datetime
    mono_s: float
    boot: UUID
    synced: bool

    @property
    def quality(self) -> Quality:
        """Whether `utc` can be believed, as the contract writes it."""
        return "synced" if self.synced else "unsynced"

    @property
    def offset_s(self) -> float:
        """Wall (seconds since 1970) minus steady: the same for every moment of a boot with a right clock."""
        return self.utc.timestamp() - self.mono_s


class Clock(Protocol):
    """Wall time, steady time, and the wall time's quality."""

    def now(self) -> datetime:
        """Aware UTC. May jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; their zero means nothing."""
        ...

    def synced(self) -> bool:
        """Whether `now` can be believed."""
        ...

    def moment(self) -> Moment:
        """Now, on both clocks at once."""
        ...


class SystemClock:
    """The machine's own clock. `trusted` skips the question to the kernel."""

    def __init__(self, quality: Literal["kernel", "trusted"] = "kernel") -> None:
        self._trusted = quality == "trusted"
        self._answer = False
        self._asked_at_s = float("-inf")
        self._boot = boot_id()

    def now(self) -> datetime:
        """The machine's time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the machine started, suspended ones included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def synced(self) -> bool:
        """The kernel's word, asked at most every 5 s; never true before the project existed."""
        if not self._trusted and self.monotonic() - self._asked_at_s >= _ASK_AGAIN_S:
            self._asked_at_s = self.monotonic()
            self._answer = kernel_clock_is_synced()
        return (self._trusted or self._answer) and self.now() >= EARLIEST

    def moment(self) -> Moment:
        """The wall read between two steady readings, so that a step in between can't pair them wrongly."""
        for _ in range(5):
            before_s, now, after_s = self.monotonic(), self.now(), self.monotonic()
            if after_s - before_s <= _TORN_S:
                break
        return Moment(now, round((before_s + after_s) / 2, 3), self._boot, self.synced())


class MockClock:
    """Time in the hand of a test: it stands until `advance` moves it. Ships beside the real one."""

    def __init__(self, now: datetime, *, synced: bool = True) -> None:
        self._now = now
        self._monotonic_s = 1000.0
        self.is_synced = synced
        self.boot = uuid4()

    def now(self) -> datetime:
        """The time that was set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far, from 1000."""
        return self._monotonic_s

    def synced(self) -> bool:
        """What the test says."""
        return self.is_synced

    def moment(self) -> Moment:
        """Both clocks as the test has set them."""
        return Moment(self._now, self._monotonic_s, self.boot, self.is_synced)

    def reboot(self, now: datetime, *, synced: bool = False) -> None:
        """A new boot: the steady clock begins again, the wall stands where the test puts it."""
        self._now, self._monotonic_s, self.is_synced, self.boot = now, 10.0, synced, uuid4()

    def advance(self, seconds: float) -> None:
        """Let time pass, on the wall and steadily."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def jump_to(self, now: datetime) -> None:
        """Set the wall clock, as a time daemon does; the steady one does not notice."""
        self._now = now


def boot_id() -> UUID:
    """The kernel's name for this boot (random(4)); one of our own, good for this process, elsewhere."""
    try:
        return UUID(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return uuid4()


def kernel_clock_is_synced() -> bool:
    """Ask the kernel; False where it can't be asked (not Linux)."""
    answer = _adjtimex()()
    return answer is not None and answer[0] != _TIME_ERROR and not answer[1] & _STA_UNSYNC


def kernel_clock_error_s() -> float | None:
    """The greatest error that the kernel reckons with, seconds; None where it can't be asked."""
    answer = _adjtimex()()
    return None if answer is None else answer[2] / 1e6


@cache
def _adjtimex() -> Callable[[], tuple[int, int, int] | None]:
    """A call that returns (clock state, status bits, greatest error in µs), or None."""
    import ctypes

    class Timex(ctypes.Structure):
        """The head of `struct timex`; the rest is only given room (208 bytes on 64-bit Linux)."""

        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_byte * 256),
        )

    try:
        call = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return lambda: None

    def ask() -> tuple[int, int, int] | None:
        timex = Timex()  # modes = 0: read only, needs no privilege
        state = call(ctypes.byref(timex))
        return None if state < 0 else (state, timex.status, timex.maxerror)

    return ask
