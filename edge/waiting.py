"""Waiting for something or for a time, whichever is first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

ASK_AGAIN_S = 0.05
"""For a task that swallowed its cancel: how soon it is cancelled once more."""


async def wait_for(event: asyncio.Event, limit_s: float | None) -> bool:
    """Return when `event` is set or `limit_s` has passed; says whether it is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()
    return event.is_set()


async def wait_for_any(*events: asyncio.Event, limit_s: float) -> None:
    """Return when one of `events` is set or `limit_s` has passed."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


async def put_down(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel `tasks` until each has ended; whatever they raise is left.

    One cancel is not enough. Up to Python 3.11 `asyncio.wait_for`, which aiomqtt publishes with, drops a
    cancel that comes in the same turn as the answer it waits for (cpython issue 86296): a sender would then
    go on for ever, beside an ear that has ended.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=ASK_AGAIN_S)
