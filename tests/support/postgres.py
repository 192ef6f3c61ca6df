"""A real PostgreSQL for tests: its own cluster in a folder of its own, on loopback, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from tests.support.servers import free_port, missing, wait_until

_DEBIAN = Path("/usr/lib/postgresql")


class Postgres:
    """`with Postgres() as server:` makes a cluster, runs it, and removes it.

    PostgreSQL refuses to run as root: then it runs as the system's user `postgres`. It forgets durability
    (fsync off), which no test of ours is about.
    """

    def __init__(self) -> None:
        self._bin = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="ngonden-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: list[str] = []
        self._databases = 0
        self.port = free_port()
        if os.geteuid() == 0:
            user = _system_user()
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as_user = [
                "setpriv",
                f"--reuid={user.pw_uid}",
                f"--regid={user.pw_gid}",
                "--clear-groups",
            ]

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def new_database(self, template: str = "template0") -> str:
        """Make a database, empty or as a copy of `template`, and return its SQLAlchemy address."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return f"postgresql+psycopg://ngonden@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End the server and remove its folder; does nothing a second time."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once, without a checkpoint: the files go anyway
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        data = str(self._folder / "data")
        initdb = [str(self._bin / "initdb"), "-D", data, "-U", "ngonden", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*self._as_user, *initdb, "--locale=C.UTF-8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
        )
        settings = [
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._folder}",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=60",
        ]
        server = [str(self._bin / "postgres"), "-D", data, "-p", str(self.port)]
        for setting in settings:
            server += ["-c", setting]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen([*self._as_user, *server], stdout=log, stderr=log, cwd="/")
        wait_until(self._answers, what=f"PostgreSQL on port {self.port}", limit_s=30)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _address(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=ngonden dbname={database}"


def _programs() -> Path:
    """The newest PostgreSQL's folder of programs: Debian keeps them off everyone's PATH."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else missing("PostgreSQL (initdb, postgres)")


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        missing("the system user postgres, which PostgreSQL needs where tests run as root")
