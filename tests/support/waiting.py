"""Waiting for a condition on the event loop, with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], object], *, what: str = "the condition", limit_s: float = 10.0) -> None:
    """Return as soon as `holds`; raises AssertionError naming `what` after `limit_s`."""
    try:
        async with asyncio.timeout(limit_s):
            while not holds():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"waited {limit_s} s in vain for: {what}") from None
