"""Finding the real servers that a test needs: skip with a reason, or fail where CI insists."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Callable
from typing import NoReturn

import pytest

SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
"""Debian puts servers into /usr/sbin, which is not on everyone's PATH."""


def missing(what: str) -> NoReturn:
    """Skip the test; with NGONDEN_REQUIRE_SERVERS=1 fail it."""
    if os.environ.get("NGONDEN_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{what} is missing, and NGONDEN_REQUIRE_SERVERS=1 says it must be here")
    pytest.skip(f"{what} is not installed on this machine")


def require_program(name: str) -> str:
    """The program's path; skips or fails the test where it is not installed."""
    return shutil.which(name, path=SEARCH) or missing(f"the program {name}")


PORTS = range(10_000, 32_000)
"""Below the range from which the kernel gives ports to outgoing connections and to binds on port 0 (32768
and up on Linux): one drawn there could be taken before a test's server binds it."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, and that no other connection will be given."""
    for _ in range(1_000):
        port = secrets.choice(PORTS)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no free port among {PORTS.start} to {PORTS.stop}: see what listens (ss -lnt)")


def port_answers(port: int) -> bool:
    """Whether someone listens on this loopback port."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(
    condition: Callable[[], object], *, what: str, limit_s: float = 10.0, every_s: float = 0.02
) -> None:
    """Return as soon as `condition` holds; raises AssertionError naming `what` after `limit_s`."""
    give_up_at = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > give_up_at:
            raise AssertionError(f"waited {limit_s} s in vain for: {what}")
        time.sleep(every_s)
