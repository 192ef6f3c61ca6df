"""A day in minutes: an event loop whose seconds are short, and a clock that runs with it.

Every sleep and every limit of the agent passes in the same proportion, so an agent with a day's settings sends
a day's messages with a day's timestamps. What the kernel does keeps real time.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from edge.clock import Moment


class _QuickSelector(selectors.EpollSelector):
    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / self._speed)


class QuickLoop(asyncio.SelectorEventLoop):
    """An event loop on which `speed` seconds pass in one."""

    def __init__(self, speed: float) -> None:
        super().__init__(_QuickSelector(speed))
        self._speed = speed

    def time(self) -> float:
        """Its own seconds."""
        return time.monotonic() * self._speed


class QuickClock:
    """A Clock that begins at `start` and runs `speed` times as fast as the machine's."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began_s = time.monotonic()
        self._boot = uuid4()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._start + timedelta(seconds=self._passed_s())

    def monotonic(self) -> float:
        """Seconds of a machine that started a day before."""
        return 86_400.0 + self._passed_s()

    def synced(self) -> bool:
        """Always."""
        return True

    def moment(self) -> Moment:
        """Now, on both clocks."""
        passed_s = self._passed_s()
        utc = (self._start + timedelta(seconds=passed_s)).astimezone(UTC)
        return Moment(utc, round(86_400.0 + passed_s, 3), self._boot, synced=True)

    def _passed_s(self) -> float:
        return (time.monotonic() - self._began_s) * self._speed
