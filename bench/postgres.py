"""A PostgreSQL of a bench's own: a cluster in its folder, on loopback, on a free port, gone with the bench."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import psycopg

from bench.children import ChildError, free_port, wait_until

_DEBIAN = Path("/usr/lib/postgresql")


class BenchPostgres:
    """`with BenchPostgres() as server:` makes a cluster and runs it; `settings` go beside the defaults.

    PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, so the folder is one of
    its own. Raises ChildError where PostgreSQL is missing or does not start.
    """

    def __init__(self, *, settings: tuple[str, ...] = ()) -> None:
        self._bin = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="ngonden-bench-pg-"))
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: list[str] = []
        self.port = free_port()

    @property
    def url(self) -> str:
        """The database's SQLAlchemy address."""
        return f"postgresql+psycopg://ngonden@127.0.0.1:{self.port}/postgres"

    @property
    def address(self) -> str:
        """The same as libpq writes it."""
        return f"host=127.0.0.1 port={self.port} user=ngonden dbname=postgres"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            self._become_a_user()
        data = str(self._folder / "data")
        initdb = [str(self._bin / "initdb"), "-D", data, "-U", "ngonden", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(
            [*self._as_user, *initdb, "--locale=C.UTF-8", "--no-sync"],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if made.returncode != 0:
            raise ChildError(f"initdb failed: {made.stderr.strip()}")
        words = [*self._as_user, str(self._bin / "postgres"), "-D", data, "-p", str(self.port)]
        for setting in (
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._folder}",
            *self._settings,
        ):
            words += ["-c", setting]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd="/")
        try:
            wait_until(self._answers, within_s=60, every_s=0.2, what="PostgreSQL to start")
        except ChildError:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def cpu_s(self, backends: Iterable[int]) -> float:
        """Processor seconds of these live backends' process ids and of all that have ended."""
        assert self._process is not None
        return sum(_ticks(pid, 11, 12) for pid in backends) + _ticks(self._process.pid, 13, 14)

    def stop(self) -> None:
        """End the server and remove its files; does nothing a second time."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _become_a_user(self) -> None:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            raise ChildError(
                "PostgreSQL does not run as root: the system user postgres is missing"
            ) from None
        os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _ticks(pid: int, first: int, last: int) -> float:
    """Seconds out of /proc: fields 11 and 12 behind the name are its own, 13 and 14 its ended children's."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return sum(map(int, fields[first : last + 1])) / os.sysconf("SC_CLK_TCK")


def _programs() -> Path:
    """The newest PostgreSQL's folder of programs: Debian keeps them off everyone's PATH."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ChildError("PostgreSQL is missing: install the package postgresql")
    return Path(on_path).resolve().parent
