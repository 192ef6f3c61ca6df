"""A real InfluxDB 2.7 for tests, which `scripts/influxd-2.7.sh` builds: set up, with a token for everything."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hub.telemetry.influxdb.server import InfluxAddress, InfluxServer
from hub.telemetry.influxdb.setup import set_up
from hub.telemetry.retention import Retention
from tests.support.influxd import Influxd, built
from tests.support.servers import missing

VERSION = "2.7.11"
ORG = "xa"
LONG = Retention(raw_days=30_000, minute_days=30_000, hour_days=30_000)
"""Longer than any sample of a test is old: what is older than a bucket keeps is refused."""


def influxd_27() -> str:
    """The program; skips or fails the test where it was not built."""
    program = built(VERSION)
    return str(program) if program.is_file() else missing(f"InfluxDB {VERSION} (scripts/influxd-2.7.sh)")


class Influxd2(Influxd):
    """As Influxd. `token` may do everything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, program=influxd_27())
        self.token = secrets.token_urlsafe(32)
        self._is_set_up = False

    def start(self) -> None:
        """Start it, the first time with a user, an organisation and a token."""
        super().start()
        if not self._is_set_up:
            first = {
                "username": "an",
                "password": secrets.token_urlsafe(16),
                "org": ORG,
                "bucket": "first",
                "token": self.token,
            }
            self.ask("POST", "/api/v2/setup", json.dumps(first).encode())
            self._is_set_up = True

    def address(self, name: str, *, token: str | None = None) -> InfluxAddress:
        """A bucket of this name; see `set_up`."""
        return InfluxAddress(url=self.url, database=name, token=token or self.token, org=ORG)

    def telemetry(self, name: str, *, token: str | None = None) -> str:
        """The same as a setting."""
        return f"influx+{self.url}/{name}?{urlencode({'org': ORG, 'token': token or self.token})}"

    def set_up(self, name: str) -> None:
        """Make the two buckets of a store, as `ngonden hub telemetry-setup` does; they keep all."""
        server = InfluxServer(self.address(name))
        for step in set_up(server, LONG, shorten=False):
            assert step.outcome != "refused", step
        server.close()

    def make(self, name: str) -> None:
        """Make a bucket that keeps what it has for ever."""
        body = {"name": name, "orgID": self._org_id(), "retentionRules": []}
        self.api("POST", "/api/v2/buckets", body)

    def drop(self, name: str) -> None:
        """Let a bucket go, with all that is in it."""
        self.api("DELETE", f"/api/v2/buckets/{self.bucket(name)['id']}")

    def bucket(self, name: str) -> dict[str, Any]:
        """What the server knows of a bucket."""
        found: dict[str, Any] = self.api("GET", f"/api/v2/buckets?{urlencode({'org': ORG, 'name': name})}")
        (bucket,) = found["buckets"]
        return dict(bucket)

    def token_for(self, *permissions: tuple[str, str]) -> str:
        """A token for no more than these pairs of action and kind, such as `read` and `buckets`."""
        asked = [
            {"action": action, "resource": {"type": kind, "orgID": self._org_id()}}
            for action, kind in permissions
        ]
        made = self.api("POST", "/api/v2/authorizations", {"orgID": self._org_id(), "permissions": asked})
        return str(made["token"])

    def write(self, name: str, body: bytes) -> None:
        """Write line protocol with nanoseconds into a bucket."""
        query = urlencode({"bucket": name, "org": ORG, "precision": "ns"})
        self.ask("POST", f"/api/v2/write?{query}", body, Authorization=f"Token {self.token}")

    def results(self, statement: str, **params: str) -> list[dict[str, Any]]:
        """What the server answers to a statement of InfluxQL."""
        query = urlencode({"q": statement, **params})
        results: list[dict[str, Any]] = self.api("GET", f"/query?{query}")["results"]
        return results

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask with the token for everything."""
        sent = None if body is None else json.dumps(body).encode()
        return self.ask(
            method,
            path,
            sent,
            **{"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )

    def _org_id(self) -> str:
        found = self.api("GET", f"/api/v2/orgs?{urlencode({'org': ORG})}")
        return str(found["orgs"][0]["id"])

    def _argv(self) -> list[str]:
        return [
            self._program,
            f"--http-bind-address=127.0.0.1:{self.port}",
            f"--bolt-path={self.folder}/influxd.bolt",
            f"--sqlite-path={self.folder}/influxd.sqlite",
            f"--engine-path={self.folder}/engine",
            "--reporting-disabled",
            "--log-level=warn",
        ]
