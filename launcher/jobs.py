"""The hub's own commands, run once each: what `ngonden up` does at a first start, an administrator can too."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from launcher.console import Console
from launcher.errors import LaunchError


def ngonden(*arguments: str) -> list[str]:
    """The command line of this same program in another process."""
    return [sys.executable, "-m", "ngonden", *arguments]


async def run_job(who: str, what: str, arguments: Sequence[str], console: Console) -> None:
    """Run one command to its end, its output under `who`; raises LaunchError where it fails.

    Cancelled, it kills the command: each of them is one transaction, or can be repeated.
    """
    process = await asyncio.create_subprocess_exec(
        *ngonden(*arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        process_group=0,
    )
    assert process.stdout is not None
    try:
        await console.relay(who, process.stdout)
        code = await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        raise
    if code != 0:
        raise LaunchError(f"{what} failed with code {code}; the lines of {who!r} above say why")
