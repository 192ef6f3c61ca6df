"""Waiting for something or for a time, whichever is first."""

from __future__ import annotations

import asyncio
from contextlib import suppress


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
