"""Time that jumps: a month passes at once, and a real socket brings real seconds."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from simulators.virtual_time import VirtualClock, VirtualLoop

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_a_month_passes_at_once_and_in_order(loop: VirtualLoop) -> None:
    clock, seen = VirtualClock(loop, START), list[tuple[str, datetime]]()

    async def sleeper(name: str, days: float) -> None:
        await asyncio.sleep(days * 86_400)
        seen.append((name, clock.now()))

    async def both() -> None:
        await asyncio.gather(sleeper("month", 30), sleeper("day", 1))

    before_s = time.monotonic()
    loop.run_until_complete(both())
    assert time.monotonic() - before_s < 5
    assert [name for name, _ in seen] == ["day", "month"]
    late = [abs(at - START - timedelta(days=days)) for (_, at), days in zip(seen, (1, 30), strict=True)]
    assert max(late) < timedelta(seconds=1)


def test_work_for_threads_is_done_in_place_while_time_jumps(loop: VirtualLoop) -> None:
    async def work() -> tuple[int, float]:
        before_s = loop.time()
        thread = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        return thread, loop.time() - before_s

    assert loop.run_until_complete(work()) == (threading.get_ident(), 0)


def test_with_a_socket_to_listen_on_a_second_takes_a_second(loop: VirtualLoop) -> None:
    async def listen() -> float:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            await asyncio.sleep(3600)
            loop.add_reader(ours, lambda: None)
            before_s = time.monotonic()
            await asyncio.sleep(0.2)
            loop.remove_reader(ours)
        return time.monotonic() - before_s

    assert loop.run_until_complete(listen()) >= 0.19
    assert loop.is_live
