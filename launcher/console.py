"""What the person in front of the terminal sees: one line per event, each child under its own name."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TextIO

_RESET = "\x1b[0m"
_COLORS = {"broker": "35", "hub": "36", "web": "34", "sim": "33", "up": "1;32"}
_WIDTH = 6


class Console:
    """Prefixes lines with who says them: coloured on a terminal, plain anywhere else.

    Lines go to standard error, so that standard output holds only the facts of `--json`.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self.colored = self._stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str) -> None:
        """A line of the launcher itself."""
        self.line("up", text)

    def line(self, who: str, text: str) -> None:
        """One line of a child."""
        name = f"{who:<{_WIDTH}}"
        if self.colored:
            name = f"\x1b[{_COLORS.get(who, '37')}m{name}{_RESET}"
        print(f"{name} | {text}", file=self._stream, flush=True)

    async def relay(self, who: str, reader: asyncio.StreamReader) -> None:
        """Pass a child's output on until it ends; a line too long to hold is cut, not lost track of."""
        while True:
            try:
                raw = await reader.readline()
            except ValueError:
                # asyncio has dropped what did not fit its buffer; the next line is whole again.
                self.line(who, "(a line over 64 kB is left out)")
                continue
            if not raw:
                return
            self.line(who, raw.decode("utf-8", errors="replace").rstrip("\r\n"))
