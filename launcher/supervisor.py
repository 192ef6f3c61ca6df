"""Children that are kept alive: started, restarted with growing pauses, and stopped in order.

Each child leads a process group of its own, so that Ctrl-C reaches this process alone and the order of
stopping is ours. `setpriv --pdeathsig` has the kernel kill a child whose supervisor was killed: no broker
or simulator is ever left behind on its port.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from launcher.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Pauses before a restart, doubling from the first to the longest."""

    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    steady_after_s: float = 5.0
    """A child that has run so long is back; its next end starts with the shortest pause again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run. `stop_within_s` is how long it may take after SIGTERM before it is killed."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_within_s: float = 10.0
    patience: Patience = Patience()


class Child:
    """One supervised process."""

    def __init__(self, spec: ChildSpec, console: Console) -> None:
        self.spec = spec
        self.ends = 0
        """How often it has ended by itself."""
        self._console = console
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process now running, None between two."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Begin to keep it alive."""
        self._task = asyncio.create_task(self._keep_alive(), name=self.spec.name)

    async def stop(self) -> None:
        """Ask it to end, kill it after its limit; returns when it is gone."""
        self._stopping.set()
        if self._task is None:
            return
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._task], timeout=self.spec.stop_within_s)
        if not done:
            self._console.line(self.spec.name, f"not gone after {self.spec.stop_within_s:.0f} s: killed")
            self._signal(signal.SIGKILL)
        await self._task

    def kill(self) -> None:
        """End it at once."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                return

    async def _keep_alive(self) -> None:
        clock = asyncio.get_running_loop().time
        patience = self.spec.patience
        pause_s = patience.first_pause_s
        lost_at_s: float | None = None
        while not self._stopping.is_set():
            started_s = clock()
            code = await self._run_once(lost_at_s)
            if self._stopping.is_set():
                return
            self.ends += 1
            if clock() - started_s >= patience.steady_after_s:
                pause_s, lost_at_s = patience.first_pause_s, None
            if lost_at_s is None:
                lost_at_s = clock()
                self._console.line(self.spec.name, f"{_ending(code)}; it is started again until it stays")
            await _wait(self._stopping, pause_s)
            pause_s = min(pause_s * 2, patience.longest_pause_s)

    async def _run_once(self, lost_at_s: float | None) -> int:
        process = await asyncio.create_subprocess_exec(
            *_dying_with_us(self.spec.argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.spec.env},
            process_group=0,
        )
        self._process = process
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        assert process.stdout is not None
        back = None if lost_at_s is None else asyncio.create_task(self._say_when_back(lost_at_s))
        try:
            await self._console.relay(self.spec.name, process.stdout)
            return await process.wait()
        finally:
            if back is not None:
                back.cancel()

    async def _say_when_back(self, lost_at_s: float) -> None:
        steady_s = self.spec.patience.steady_after_s
        await asyncio.sleep(steady_s)
        away_s = asyncio.get_running_loop().time() - lost_at_s - steady_s
        self._console.line(self.spec.name, f"back after {away_s:.1f} s")


def _dying_with_us(argv: Sequence[str]) -> list[str]:
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), *argv]


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
