"""How the agent's log looks: one line of key=value per event, to standard error, UTC."""

from __future__ import annotations

import sys

import structlog


def configure_logging() -> None:
    """Set up structlog for a process that is an agent; others configure their own."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event", "node"], bool_as_flag=False
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
