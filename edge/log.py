"""How the agent's log looks: one line of key=value per event, to standard error, UTC.

A log that can't be written (its disk is full, its reader is gone) is no reason to let anything else fail,
so lines are lost in silence there. structlog's own loggers and the standard library's would raise, or
write the complaint to the same full disk.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import BinaryIO, TextIO, cast

import structlog

STDERR_FILENO = 2


class LineLogger:
    """Writes lines to a stream, as long as it takes them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write one line, or lose it."""
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write(line + "\n")
            self._stream.flush()

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg


def unbuffered_stderr() -> TextIO:
    """Standard error without the interpreter's buffer.

    A line that a full disk refuses would stay in that buffer, fail once more when the process ends, and
    turn a clean exit into status 120.
    """
    raw = io.FileIO(STDERR_FILENO, "w", closefd=False)
    return io.TextIOWrapper(
        cast(BinaryIO, raw), encoding="utf-8", errors="backslashreplace", write_through=True
    )


def configure_logging() -> None:
    """Set up structlog for a process that is an agent; others configure their own."""
    stream = unbuffered_stderr()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event", "node"], bool_as_flag=False
            ),
        ],
        logger_factory=lambda *_: LineLogger(stream),
        cache_logger_on_first_use=True,
    )
