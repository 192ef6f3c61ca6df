"""Child processes under measurement: started, killed without warning, started again, and accounted for."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ChildError(RuntimeError):
    """A process under measurement did not come up, or went away by itself; the text ends with its log."""


class Child:
    """One process with its log file. `ready` is asked until it says yes or `ready_within_s` passes."""

    def __init__(
        self,
        name: str,
        argv: list[str],
        *,
        log: Path,
        ready: Callable[[], bool] = lambda: True,
        ready_within_s: float = 30.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._argv = argv
        self._log = log
        self._ready = ready
        self._ready_within_s = ready_within_s
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._spent_cpu_s = 0.0

    @property
    def pid(self) -> int:
        """The process id; raises ChildError when the process is not running."""
        if self._process is None or self._process.poll() is not None:
            raise ChildError(f"{self.name} is not running. {self._log_tail()}")
        return self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start the process; with `wait` also until it is ready, else raises ChildError."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._argv,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=self._environment,
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the process does its work; raises ChildError at the limit or when it ends first."""
        wait_until(self._alive_and_ready, within_s=self._ready_within_s, what=f"{self.name} to be ready")

    def kill(self) -> None:
        """SIGKILL, as a power cut would: no handler runs."""
        self._end(signal.SIGKILL, within_s=10)

    def stop(self, *, within_s: float = 20.0) -> None:
        """SIGTERM and wait; a process that does not end by itself is an error, after it was killed."""
        if self._process is None or self._process.poll() is not None:
            return
        try:
            self._end(signal.SIGTERM, within_s=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ChildError(
                f"{self.name} did not stop within {within_s:g} s. {self._log_tail()}"
            ) from None

    def cpu_s(self) -> float:
        """Processor seconds, user and system, of this process and those it had before a restart."""
        return self._spent_cpu_s + self._cpu_now_s()

    def helpers_cpu_s(self) -> float:
        """Processor seconds of the processes that this one has started and that run now."""
        pids = Path(f"/proc/{self.pid}/task").glob("*/children")
        helpers = [pid for each in pids for pid in each.read_text(encoding="ascii").split()]
        return sum(_process_cpu_s(int(pid)) for pid in helpers)

    def rss_mb(self) -> float:
        """Resident memory in megabytes (10⁶ bytes), from /proc."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise ChildError(f"{self.name} has no VmRSS: it is ending")

    def log_text(self) -> str:
        """All that the process has written, over all its lives."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def _alive_and_ready(self) -> bool:
        return self.pid > 0 and self._ready()

    def _cpu_now_s(self) -> float:
        if self._process is None or self._process.poll() is not None:
            return 0.0
        return _process_cpu_s(self._process.pid)

    def _end(self, how: signal.Signals, *, within_s: float) -> None:
        if self._process is None:
            return
        self._spent_cpu_s += self._cpu_now_s()
        self._process.send_signal(how)
        self._process.wait(timeout=within_s)

    def _log_tail(self) -> str:
        return "Its last words:\n" + "\n".join(self.log_text().splitlines()[-15:])


def _process_cpu_s(pid: int) -> float:
    """User and system seconds of a process, from /proc; 0 where it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def wait_until(condition: Callable[[], bool], *, within_s: float, what: str, every_s: float = 0.02) -> None:
    """Ask until `condition` holds; raises ChildError naming `what` after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise ChildError(f"waited {within_s:g} s in vain for {what}")
        time.sleep(every_s)


def program(name: str) -> str:
    """A server's path; Debian puts some where a user's PATH does not look. Raises ChildError."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ChildError(f"{name} is not installed: sudo apt-get install -y --no-install-recommends {name}")
    return found


def free_port() -> int:
    """A port of the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
