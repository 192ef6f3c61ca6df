"""The supervisor against real processes: small Python programs that live, fall and cling."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from launcher.console import Console
from launcher.supervisor import Child, ChildSpec, Patience
from tests.support.waiting import until

QUICK = Patience(first_pause_s=0.01, longest_pause_s=0.05, steady_after_s=0.3)
WAITS = "import time\nprint('here', flush=True)\ntime.sleep(60)"
FALLS = "print('here', flush=True); raise SystemExit(3)"
CLINGS = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS


class Screen:
    """What a person would have read, and children that end with the test."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.console = Console(self._stream)
        self.children: list[Child] = []

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def child(self, program: str, *, stop_within_s: float = 5.0, patience: Patience = QUICK) -> Child:
        argv = [sys.executable, "-c", program]
        spec = ChildSpec(name="child", argv=argv, stop_within_s=stop_within_s, patience=patience)
        child = Child(spec, self.console)
        self.children.append(child)
        return child


@pytest.fixture
async def screen() -> AsyncIterator[Screen]:
    screen = Screen()
    yield screen
    for child in screen.children:
        child.kill()
        await child.stop()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_child_runs_under_its_name_and_ends_when_asked(screen: Screen) -> None:
    child = screen.child(WAITS)
    child.start()
    await until(lambda: "child  | here" in screen.text)
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not alive(pid)
    assert child.ends == 0
    assert "started again" not in screen.text


async def test_a_child_that_falls_is_started_again_and_its_loss_is_told_once(screen: Screen) -> None:
    # However slow the machine is: what falls at once has not stayed.
    child = screen.child(FALLS, patience=replace(QUICK, steady_after_s=60.0))
    child.start()
    await until(lambda: child.ends >= 4)
    assert screen.text.count("ended with code 3; it is started again until it stays") == 1


async def test_a_killed_child_comes_back_and_its_return_is_told_once(screen: Screen) -> None:
    child = screen.child(WAITS)
    child.start()
    await until(lambda: "here" in screen.text)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: "back after" in screen.text)
    assert child.pid not in (None, first)
    assert screen.text.count("was ended by SIGKILL") == 1
    assert screen.text.count("back after") == 1


async def test_pauses_between_restarts_grow(screen: Screen) -> None:
    child = screen.child(FALLS, patience=Patience(first_pause_s=0.05, longest_pause_s=1.0))
    clock = asyncio.get_running_loop().time
    child.start()
    ended_s = []
    for count in (1, 2, 3, 4):
        await until(lambda count=count: child.ends >= count)  # type: ignore[misc]
        ended_s.append(clock())
    assert ended_s[3] - ended_s[2] > ended_s[1] - ended_s[0]
    assert ended_s[3] - ended_s[2] >= 0.2


async def test_a_child_that_does_not_heed_is_killed_after_its_limit(screen: Screen) -> None:
    child = screen.child(CLINGS, stop_within_s=0.2)
    child.start()
    await until(lambda: "here" in screen.text)
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not alive(pid)
    assert "not gone after" in screen.text


async def test_stopping_between_two_attempts_does_not_wait_for_the_pause(screen: Screen) -> None:
    child = screen.child(FALLS, patience=Patience(first_pause_s=60, longest_pause_s=60))
    child.start()
    await until(lambda: child.ends == 1)
    async with asyncio.timeout(2):
        await child.stop()


async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pid"
    supervisor = f"""
import asyncio, sys
from launcher.console import Console
from launcher.supervisor import Child, ChildSpec
async def main():
    write = "import os, time; open({str(pids)!r} + '.new', 'w').write(str(os.getpid())); " \\
            "os.rename({str(pids)!r} + '.new', {str(pids)!r}); time.sleep(60)"
    child = Child(ChildSpec(name="child", argv=[sys.executable, "-c", write]), Console())
    child.start()
    await asyncio.sleep(60)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", supervisor)
    await until(pids.exists)
    pid = int(pids.read_text())
    assert alive(pid)
    process.kill()
    await process.wait()
    await until(lambda: not alive(pid), what="the child to die")


async def test_a_line_too_long_to_hold_does_not_stop_the_rest(screen: Screen) -> None:
    child = screen.child("print('x' * 300_000); print('after', flush=True)\nimport time; time.sleep(60)")
    child.start()
    await until(lambda: "child  | after" in screen.text)
    assert "is left out" in screen.text


def test_lines_are_plain_where_nobody_sees_colour() -> None:
    stream = io.StringIO()
    Console(stream).line("hub", "đã sẵn sàng")
    assert stream.getvalue() == "hub    | đã sẵn sàng\n"
