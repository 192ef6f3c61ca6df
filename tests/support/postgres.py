"""A real PostgreSQL for tests: its own cluster in a folder of its own, on loopback, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
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

    def __init__(
        self, *, settings: Sequence[str] = (), prepare: Callable[[Postgres, Path], None] | None = None
    ) -> None:
        """`settings` such as `archive_mode=on`, with `{folder}` for the server's own folder.

        `prepare` fills the empty data folder in place of `initdb`.
        """
        self._settings = settings
        self._prepare = prepare
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

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's own programs as the server's user."""
        command = [*self._as_user, str(self._bin / program), *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, f"{program}: {done.stderr}"

    def initdb(self, data: str, *more: str) -> None:
        """Make the cluster's files in `data`; `more` are further words for `initdb`."""
        words = ["-D", data, "-U", "ngonden", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        self.run("initdb", *words, "--no-sync", *more)

    def folder(self, name: str) -> Path:
        """A folder of this name that the server may write, gone with the server."""
        path = self._folder / name
        path.mkdir(mode=0o700)
        self._give(path)
        return path

    def take_over(self, source: Path, data: Path) -> None:
        """Copy another cluster's files into this one's data folder; for `prepare`."""
        shutil.copytree(source, data)
        data.chmod(0o700)
        self._give(data, *data.rglob("*"))

    def _give(self, *paths: Path) -> None:
        if self._as_user:
            user = _system_user()
            for path in paths:
                os.chown(path, user.pw_uid, user.pw_gid)

    def lose_data(self) -> None:
        """The disk with the data dies: the server ends at once, what it had is gone, its other folders stay."""
        self._end()
        shutil.rmtree(self._folder / "data")

    def stop(self) -> None:
        """End the server and remove its folder; does nothing a second time."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether the server's first process lives; it may end by itself, as on a full disk."""
        return self._process is not None and self._process.poll() is None

    def start_again(self) -> None:
        """Start the server on the data it has, after it ended by itself."""
        assert not self.running, "it still runs"
        self._run()

    def _end(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once, without a checkpoint: the files go anyway
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None

    def _start(self) -> None:
        data = str(self._folder / "data")
        if self._prepare is not None:
            self._prepare(self, Path(data))
        else:
            self.initdb(data)
        self._run()

    def _run(self) -> None:
        data = str(self._folder / "data")
        settings = [
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._folder}",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=60",
            *(setting.replace("{folder}", str(self._folder)) for setting in self._settings),
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
