"""`ngonden up` as a person runs it, for tests: one command, everything real."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.servers import free_port, require_program, wait_until

COMMAND = (sys.executable, "-m", "ngonden", "up")

START_LIMIT_S = 100.0
"""A loaded machine with one core is slow; how fast it is when idle is measured, not tested."""


class Stack:
    """One run of `ngonden up --json`; its standard error is kept in a file."""

    def __init__(self, data: Path, *arguments: str, port: int) -> None:
        require_program("mosquitto")
        self.port = port
        self.log = data.parent / "up.log"
        self._out = data.parent / "up.out"
        with self.log.open("wb") as log, self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [*COMMAND, "--data", str(data), "--port", str(port), "--json", *arguments],
                stdout=out,
                stderr=log,
            )

    def facts(self) -> dict[str, Any]:
        """What it printed when it was ready; fails with its log when it ended instead."""
        wait_until(
            lambda: self._out.read_bytes().endswith(b"\n") or self.process.poll() is not None,
            what="`ngonden up` to be ready",
            limit_s=START_LIMIT_S,
        )
        text = self._out.read_text(encoding="utf-8")
        assert text, self.log.read_text(encoding="utf-8")
        return dict(json.loads(text))

    def ended(self, limit_s: float = 60.0) -> int:
        """Its exit code."""
        return self.process.wait(limit_s)


@contextlib.contextmanager
def running(data: Path, *arguments: str, port: int | None = None) -> Iterator[Stack]:
    """Run it, and kill it in the end."""
    stack = Stack(data, *arguments, port=port or free_port())
    try:
        yield stack
    finally:
        # Its children die with it, see the test below.
        stack.process.kill()
        stack.process.wait()
