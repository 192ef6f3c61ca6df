"""Time that jumps: an event loop for replaying a month in minutes, and the clock that belongs to it.

While nothing is connected, a loop that would sleep jumps to its next timer instead; work for threads is done at
once, in place, so that no time passes in between. With the first socket that is watched the loop is live: from
then on a second takes a second.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack
from uuid import uuid4

from edge.clock import Moment

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_BEGIN_S = 1000.0
"""What a machine has run for when an agent starts."""


class _JumpingSelector(selectors.EpollSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._loop.is_live or timeout is None:
            return super().select(timeout)
        ready = super().select(0)
        if not ready and timeout > 0:
            self._loop.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds are its own until it is live."""

    def __init__(self) -> None:
        self._virtual_s = _BEGIN_S
        self._ahead_s: float | None = None
        super().__init__(_JumpingSelector(self))

    @property
    def is_live(self) -> bool:
        """Whether a second takes a second."""
        return self._ahead_s is not None

    def time(self) -> float:
        """Its own seconds, from 1000."""
        return self._virtual_s if self._ahead_s is None else time.monotonic() + self._ahead_s

    def jump(self, seconds: float) -> None:
        """Let time pass, without waiting; only before it is live."""
        self._virtual_s += seconds

    def go_live(self) -> None:
        """From now on time passes as for everyone."""
        if self._ahead_s is None:
            self._ahead_s = self._virtual_s - time.monotonic()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """In place while time jumps, in a thread once it is live."""
        if self.is_live:
            return super().run_in_executor(executor, func, *args)
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it was, it belongs to who waits for it
            done.set_exception(error)
        return done

    def add_reader(
        self, fd: FileDescriptorLike, callback: Callable[[Unpack[Ts]], object], *args: *Ts
    ) -> None:
        """A socket to listen on: the world outside keeps real time, and so does the loop now."""
        self.go_live()
        super().add_reader(fd, callback, *args)


class VirtualClock:
    """The node's clocks on a VirtualLoop: right all the time, and `start` when the loop begins."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start
        self._boot = uuid4()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._start + timedelta(seconds=self._loop.time() - _BEGIN_S)

    def monotonic(self) -> float:
        """The loop's seconds."""
        return self._loop.time()

    def synced(self) -> bool:
        """Always."""
        return True

    def moment(self) -> Moment:
        """Now, on both clocks at once."""
        return Moment(self.now(), round(self.monotonic(), 3), self._boot, True)

    def catch_up(self) -> None:
        """Jump to the machine's own time, where that is ahead."""
        self._loop.jump(max(0.0, (datetime.now(UTC) - self.now()).total_seconds()))
