"""One InfluxDB server over HTTP: its version, InfluxQL on `/query`, line protocol, the JSON of its
set-up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import urllib3.exceptions
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from hub.telemetry.port import StoreUnavailableError

TIMEOUT_S = 15.0
_LONGEST_WAIT_S = 300.0
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_NO_DATABASE = re.compile(
    r"(?:database|bucket|dbrp mapping)\b.*not found|no dbrp mapping|could not find bucket", re.IGNORECASE
)
_NO_MEASUREMENT = re.compile(r"(?:table|measurement)\b.*not found", re.IGNORECASE)
_NO_RIGHTS = re.compile(r"not authorized|requires admin privilege|unauthorized", re.IGNORECASE)


class DatabaseMissingError(StoreUnavailableError):
    """The server is well, but has no such database or bucket, or no mapping to one."""


class RightsMissingError(StoreUnavailableError):
    """The server is well, but this user or token may not do this; the text has its words."""


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """Where the server is and how to log in: user and password (1.x), or a token (2.x, 3)."""

    url: str
    database: str
    user: str | None = None
    password: str | None = None
    token: str | None = None
    org: str | None = None
    """2.x only."""

    @property
    def hours_database(self) -> str:
        """Where means per hour are. 3 Core allows no underscore in a name."""
        return f"{self.database}-hours"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def message(self) -> str:
        """Its words, wherever this version puts them."""
        told = self.json()
        fields = told if isinstance(told, dict) else {}
        words = (
            fields.get("error")
            or fields.get("message")
            or self.headers.get("x-influxdb-error")
            or self.body
            or "(no words)"
        )
        return str(words)[:500]

    @property
    def retry_after_s(self) -> float | None:
        """How long it asks to be left alone, in seconds and at most 300; None where it does not say."""
        wait = self.headers.get("retry-after", "")
        return min(float(wait), _LONGEST_WAIT_S) if wait.isdigit() else None

    def json(self) -> Any:
        """The decoded body; None where it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    def is_about_a_missing_database(self) -> bool:
        """Whether it says that the database, the bucket or the mapping to it does not exist."""
        return self.status in (200, 400, 404) and bool(_NO_DATABASE.search(self.message))


class InfluxServer:
    """Asks one server. Every call raises StoreUnavailableError when there is no answer."""

    def __init__(self, address: InfluxAddress, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self._client = InfluxDBClient(
            address.url, token=address.token or "", org=address.org or "-", timeout=int(timeout_s * 1000)
        )
        self._headers: dict[str, str] = {}
        if address.token:
            self._headers["Authorization"] = f"Token {address.token}"
        elif address.user is not None:
            basic = f"{address.user}:{address.password or ''}"
            self._headers |= urllib3.make_headers(basic_auth=basic)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()  # type: ignore[no-untyped-call]

    def version(self) -> str:
        """What the server calls its version; also raises when it is no InfluxDB."""
        answer = self.ask("GET", "/ping", {}, None)
        version: Any = answer.headers.get("x-influxdb-version")
        if version is None and answer.status == 200:
            version = _field(answer.json(), "version")
        if version is None:
            version = _field(self.ask("GET", "/health", {}, None).json(), "version")
        if not isinstance(version, str):
            raise StoreUnavailableError(
                f"{self.address.url} does not say that it is InfluxDB (/ping answered {answer.status})"
            )
        return version

    def major(self) -> int:
        """1, 2 or 3; a version without a number is taken for 1, as home-built 1.x servers are."""
        found = _VERSION.match(self.version())
        return int(found[1]) if found else 1

    def query(self, statement: str, database: str) -> list[dict[str, Any]]:
        """Rows as dicts of columns and tags, times as Unix milliseconds; none where the database is
        missing.
        """
        try:
            return self.strict_query(statement, database)
        except DatabaseMissingError:
            return []

    def strict_query(self, statement: str, database: str) -> list[dict[str, Any]]:
        """As `query`, but raises DatabaseMissingError."""
        rows: list[dict[str, Any]] = []
        for result in self.results("GET", {"q": statement, "db": database, "epoch": "ms"}):
            for series in result.get("series", ()):
                tags = series.get("tags", {})
                rows += [
                    tags | dict(zip(series["columns"], values, strict=True)) for values in series["values"]
                ]
        return rows

    def results(self, method: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The results of a statement on `/query`; an error inside of a 200 is an error.

        A measurement of which nothing was written yet is empty, which some servers call an error.
        """
        answer = self.ask(method, "/query", query, None)
        if answer.status in (400, 404) and _NO_MEASUREMENT.search(answer.message):
            return []
        if answer.status != 200:
            told = f"query: {answer.status} {answer.message}"
            if answer.is_about_a_missing_database():
                raise DatabaseMissingError(told)
            if answer.status in (401, 403):
                raise RightsMissingError(told)
            raise StoreUnavailableError(told, answer.retry_after_s)
        results: list[dict[str, Any]] = _field(answer.json(), "results") or []
        for result in results:
            if "error" in result:
                told = f"query: {result['error']}"
                if _NO_MEASUREMENT.search(told):
                    continue
                if _NO_DATABASE.search(told):
                    raise DatabaseMissingError(told)
                if _NO_RIGHTS.search(told):
                    raise RightsMissingError(told)
                raise StoreUnavailableError(told)
        return results

    def write(self, path: str, database: str, body: bytes) -> Answer:
        """Send line protocol with nanoseconds to `/write` or `/api/v2/write`."""
        query = {"precision": "ns"}
        if path == "/api/v2/write":
            query |= {"bucket": database, "org": self.address.org or ""}
        else:
            query |= {"db": database}
        return self.ask("POST", path, query, body)

    def ask_json(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Answer:
        """Ask with a JSON body, as the set-up of 2.x and 3 Core wants it."""
        # The client library itself makes JSON of what goes under this content type.
        return self.ask(method, path, query, body, {"Content-Type": "application/json"})

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; any status is an answer."""
        rest = self._client.api_client.rest_client
        try:
            response = rest.request(  # type: ignore[no-untyped-call]
                method,
                self.address.url + path,
                query_params=dict(query),
                headers={**self._headers, **(headers or _TEXT)},
                body=body if body is not None else "",
            )
        except ApiException as error:
            if not error.status:
                raise StoreUnavailableError(f"{self.address.url}: {error.reason}") from error
            return Answer(error.status, _lower(error.headers), _text(error.body))
        except urllib3.exceptions.HTTPError as error:
            raise StoreUnavailableError(f"{self.address.url}: {error}") from error
        return Answer(response.status, _lower(response.getheaders()), _text(response.data))


def quoted(text: str) -> str:
    """A string of InfluxQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def identifier(text: str) -> str:
    """A name of InfluxQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _field(decoded: Any, name: str) -> Any:
    return decoded.get(name) if isinstance(decoded, dict) else None


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _text(body: str | bytes | None) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
