from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import structlog

from edge.log import LineLogger


@pytest.fixture(autouse=True)
def _log_as_an_agent_does() -> Iterator[None]:
    """A log that fails with the disk is the agent's own affair, see `edge.log`."""
    structlog.configure(logger_factory=lambda *_: LineLogger(sys.stderr))
    yield
    structlog.reset_defaults()
