import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import structlog

from edge.log import LineLogger, configure_logging


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_is_key_and_value() -> None:
    stream = io.StringIO()
    LineLogger(stream).info("event=x")
    assert stream.getvalue() == "event=x\n"


def test_a_full_disk_and_a_closed_stream_lose_the_line_and_nothing_else() -> None:
    LineLogger(FullDisk()).error("event=lost")
    stream = io.StringIO()
    stream.close()
    LineLogger(stream).error("event=lost")


def test_the_agents_log_says_when_what_and_where() -> None:
    configure_logging()
    stream = io.StringIO()
    logger = structlog.wrap_logger(LineLogger(stream)).bind(node="tg-0001")
    logger.warning("broker_lost", error="no route")
    line = stream.getvalue()
    assert line.startswith("timestamp=20")
    assert "level=warning event=broker_lost node=tg-0001" in line
    assert 'error="no route"' in line


def test_a_log_on_a_full_disk_leaves_a_clean_exit() -> None:
    program = (
        "from edge.log import LineLogger, unbuffered_stderr; LineLogger(unbuffered_stderr()).info('lost')"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stderr=full,
            env=buffered,
            cwd=Path(__file__).parents[3],
            timeout=30,
            check=False,
        )
    assert done.returncode == 0
