"""Tells systemd that the lamp loop turns. If it stops telling, systemd ends the agent and starts it anew.

The loop shares its event loop with everything else, so whatever hangs that (a driver that blocks, a disk that
hangs below a file that is read, an endless computation, a log nobody reads) stops the turns, and with them
the word to systemd. One datagram per word is the whole protocol (sd_notify(3)); the libraries for it are
either a C extension of the system's own Python or as long as this file and not cared for.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic

IN_TIME_S = 5.0
"""A turn that takes longer is a loop that starves everything else; systemd is not told of it."""


class Watchdog:
    """Speaks to the service manager that started this process, and to nobody where there is none."""

    def __init__(
        self,
        address: str | None,
        *,
        watchdog_s: float | None = None,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        """`address` is $NOTIFY_SOCKET: a path, or `@name` in Linux's abstract namespace."""
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._every_s = None if watchdog_s is None else watchdog_s / 4
        self._seconds = seconds
        self._told_at_s = float("-inf")
        self._socket: socket.socket | None = None
        if address:
            # Not blocking: a manager that does not read must not stop the loop that it watches.
            kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_UNIX, kind)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Watchdog:
        """As the service manager says; $WATCHDOG_PID names the process that its time limit is for."""
        usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        watched = usec.isdigit() and int(usec) > 0 and pid in ("", str(os.getpid()))
        return cls(environ.get("NOTIFY_SOCKET"), watchdog_s=int(usec) / 1e6 if watched else None)

    def ready(self) -> None:
        """Every lamp is under control."""
        self._tell("READY=1\nWATCHDOG=1")

    def turned(self, took_s: float) -> None:
        """The lamp loop has completed a turn over every pole, in so many seconds."""
        now_s = self._seconds()
        if self._every_s is None or took_s > IN_TIME_S or now_s - self._told_at_s < self._every_s:
            return
        self._told_at_s = now_s
        self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, words: str) -> None:
        if self._socket is not None and self._address is not None:
            with suppress(OSError):
                self._socket.sendto(words.encode(), self._address)
