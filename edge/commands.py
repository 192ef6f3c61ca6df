"""Runs a program that the node's settings name: a modem's reset, a restart, a shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

RunCommand = Callable[[Sequence[str], float], Awaitable[str | None]]
"""Runs a program within seconds; None when it went well, else what went wrong."""


async def run_command(argv: Sequence[str], within_s: float) -> str | None:
    """Run a program to its end, or kill it after `within_s`. None when it went well, else why not."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        return f"{argv[0]}: {error.strerror}"
    try:
        async with asyncio.timeout(within_s):
            status = await process.wait()
    except TimeoutError:
        return f"{argv[0]}: no end within {within_s:g} s"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return None if status == 0 else f"{argv[0]}: exit status {status}"
