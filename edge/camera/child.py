"""A process of its own for one heavy piece of work: bytes in, bytes out, bounded, and gone."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from edge.drivers.ports import DriverError

NO_RESULT = 3
"""The child's exit code when it worked and the camera did not; the last line on its stderr says why."""
_ROOT = str(Path(__file__).parents[2])
_PROGRAM = (
    "import sys, importlib; sys.path.insert(0, sys.argv[1]); importlib.import_module(sys.argv[2]).main()"
)


class NoResultError(Exception):
    """The child did its work, and there is nothing to give."""


async def run(module: str, given: bytes, *, within_s: float) -> bytes:
    """Run `module`'s main() with `given` on its standard input; what it writes is the result.

    Raises NoResultError for exit code 3, DriverError when it can't start, breaks or takes longer.
    """
    what = module.rpartition(".")[2]
    try:
        # Isolated from the environment and the working directory, as the agent itself is. What is secret
        # goes over standard input: arguments stand in the machine's list of processes.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _PROGRAM,
            _ROOT,
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise DriverError(f"{what}: its process can't start: {error}") from None
    try:
        async with asyncio.timeout(within_s):
            result, complaint = await process.communicate(given)
    except TimeoutError:
        raise DriverError(f"{what}: its process took more than {within_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    last = complaint.decode(errors="replace").strip().rpartition("\n")[2][:200]
    if process.returncode == NO_RESULT:
        raise NoResultError(last)
    if process.returncode != 0:
        raise DriverError(f"{what}: its process ended with {process.returncode}: {last}")
    return result
