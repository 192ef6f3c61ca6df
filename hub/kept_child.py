"""A helper process that is kept running beside the hub, and never outlives it.

Parent and child speak over the child's pipes: bytes to its standard input, lines from its standard output. The
end of its input ends the child, whatever ended the parent; a child that ends by itself is started again.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

import structlog

NICENESS = 10
"""Below the ingest: what is taken in can wait for a helper, what is not taken in waits on the nodes."""

_LOWEST = 19
"""`step_back` adds it; the system goes no lower."""

ENDS_WITHIN_S = 3.0
"""A child that is longer at the end of its work is killed; it must bear that at any moment anyway."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_STEADY_AFTER_S = 10.0
_log = structlog.get_logger(__name__)


def helper_argv(command: str, config: str, *more: str) -> list[str]:
    """How `ngonden hub run` starts its helper `ngonden hub COMMAND`, at lower priority."""
    nice = shutil.which("nice")
    # From its first import on: a hub that starts must not wait for its own helper.
    first = [nice, "-n", str(NICENESS)] if nice else []
    return [*first, sys.executable, "-m", "ngonden", "hub", command, "--config", config, *more]


def leave_signals_to_parent() -> None:
    """For the child: a terminal signals both, and the parent ends the child in order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def step_back() -> None:
    """For the child, once it has started: take the processor only where nobody else wants it.

    At the priority it starts with it takes a tenth of a core from an ingest in a rush, whose rate beside a bare
    subscriber's then falls from over 0.9 to about 0.8. Starting so low, it might not come up beside a busy hub.
    """
    os.nice(_LOWEST)


class KeptChild:
    """Keeps one child running between `start` and `stop`."""

    def __init__(
        self,
        name: str,
        argv: Callable[[], Sequence[str]],
        *,
        on_line: Callable[[bytes], None] = lambda _: None,
        first_after_s: float = 0.0,
        ends_within_s: float = ENDS_WITHIN_S,
    ) -> None:
        """`argv` is asked at each start, the first of which is so many seconds after `start`.

        `on_line` gets each line of the child, in a thread of this object. `name` is the log's word for it.
        """
        self.starting = threading.RLock()
        """Held while `argv` is asked and the child started, while it is told something, and by whoever changes
        what `argv` reads."""
        self._name = name
        self._argv = argv
        self._on_line = on_line
        self._first_after_s = first_after_s
        self._ends_within_s = ends_within_s
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"{name}-keeper")

    @property
    def pid(self) -> int | None:
        """The child's process id; None between two."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Begin to keep it running; returns at once."""
        self._thread.start()

    def tell(self, word: bytes) -> None:
        """Write to the child's standard input; one that is not there hears nothing."""
        with self.starting:
            child = self._child
            if child is None or child.stdin is None:
                return
            try:
                child.stdin.write(word)
                child.stdin.flush()
            except (OSError, ValueError):
                return  # it has ended; its keeper sees to that

    def stop(self) -> None:
        """End it after its work at hand, by force after `ends_within_s`; what it told is taken in by then."""
        self._stop.set()
        child = self._child
        if child is not None and child.stdin is not None:
            _close(child.stdin)
        self._thread.join(self._ends_within_s)
        while self._thread.is_alive():
            # It may have been started a moment ago, so it is looked for anew.
            child = self._child
            if child is not None:
                child.kill()
            self._thread.join(0.1)

    def _run(self) -> None:
        self._stop.wait(self._first_after_s)
        pause_s = _FIRST_PAUSE_S
        while not self._stop.is_set():
            started_s = time.monotonic()
            code = self._one_life()
            if self._stop.is_set():
                return
            if time.monotonic() - started_s > _STEADY_AFTER_S:
                pause_s = _FIRST_PAUSE_S
            _log.warning(f"{self._name}_ended", code=code, restart_in_s=pause_s)
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _one_life(self) -> int:
        with self.starting:
            child = subprocess.Popen(list(self._argv()), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._child = child
        assert child.stdout is not None
        assert child.stdin is not None
        if self._stop.is_set():
            _close(child.stdin)
        with child.stdout as lines:
            for line in lines:
                self._on_line(line)
        _close(child.stdin)
        return child.wait()


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # the other side has gone first
