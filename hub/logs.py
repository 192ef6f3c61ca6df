"""How the hub's processes log: one line per event with its facts as key=value, to standard error."""

from __future__ import annotations

import sys

import structlog


def configure_logs() -> None:
    """Readable lines, in colour where a person looks at them; a traceback without the variables' values.

    Those would be passwords and session tokens in a file, and a page's request takes seconds to draw.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def first_line(error: Exception) -> str:
    """What an error says, without the statement and the help that SQLAlchemy puts below."""
    return (str(error) or repr(error)).splitlines()[0]
