"""A real InfluxDB for tests: on loopback, on free ports, with its data in a folder of the test's.

Debian's is 1.6.7. 1.8.10 is what `scripts/influxd-1.8.sh` builds; 2.7, from `scripts/influxd-2.7.sh`, is in
`influxd2`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

from hub.telemetry.influxdb.server import InfluxAddress
from tests.support.servers import free_port, missing, require_program, wait_until

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[logging]
  level = "warn"
"""


def built(version: str) -> Path:
    """Where the scripts put the program of this version, whether or not it is there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "ngonden" / f"influxd-{version}" / "influxd"


def influxd_18() -> str:
    """The program of 1.8.10; skips or fails the test where it was not built."""
    program = built("1.8.10")
    return str(program) if program.is_file() else missing("InfluxDB 1.8.10 (scripts/influxd-1.8.sh)")


class Influxd:
    """`with Influxd(folder) as server:` starts one and ends it; `kill`, `stop` and `start` in between.

    The port stays the same over restarts. The log is in `folder/influxd.log`.
    """

    def __init__(self, folder: Path, *, program: str | None = None) -> None:
        self._program = program or require_program("influxd")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.rpc_port = free_port()
        """Where `influxd backup` and `influxd restore` ask."""
        self.log_path = folder / "influxd.log"
        self._config_path = folder / "influxd.conf"
        self._config_path.write_text(_CONFIG.format(folder=folder, port=self.port, rpc_port=self.rpc_port))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def address(self, name: str) -> InfluxAddress:
        """A database of this name, for a store that makes it itself."""
        return InfluxAddress(url=self.url, database=name)

    def telemetry(self, name: str) -> str:
        """The same as a setting."""
        return f"influx+{self.url}/{name}"

    def set_up(self, name: str) -> None:
        """Make what a store does not make itself: on 1.x nothing."""

    def make(self, name: str) -> None:
        """Make a database that keeps what it has for ever."""
        self.results(f'CREATE DATABASE "{name}"')

    def drop(self, name: str) -> None:
        """Let a database go, with all that is in it."""
        self.results(f'DROP DATABASE "{name}"')

    def write(self, name: str, body: bytes) -> None:
        """Write line protocol with nanoseconds into a database."""
        self.ask("POST", f"/write?db={name}&precision=ns", body)

    def results(self, statement: str, **params: str) -> list[dict[str, Any]]:
        """What the server answers to a statement of InfluxQL."""
        body = urllib.parse.urlencode({"q": statement, **params}).encode()
        results: list[dict[str, Any]] = self.ask("POST", "/query", body)["results"]
        return results

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The decoded answer to one request, None where it is empty; raises urllib.error.HTTPError."""
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self._process is None, "already started"
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(self._argv(), stdout=log, stderr=log)
        try:
            wait_until(
                self._answers, what=f"influxd on port {self.port} (log: {self.log_path})", limit_s=30
            )
        except AssertionError:
            self.kill()
            raise

    def stop(self) -> None:
        """End it politely; does nothing when it is down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL; does nothing when it is down."""
        self._end(signal.SIGKILL)

    def _argv(self) -> list[str]:
        return [self._program, "-config", str(self._config_path)]

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"influxd ended at once: {self.log_path.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
