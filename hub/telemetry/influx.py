"""The telemetry store in InfluxDB: written as line protocol, read as InfluxQL on `/query`.

`/query` is the one read path that 1.x, 2.x and 3 Core share. Writing goes to `/write` (1.x, and the others
without a token) or to `/api/v2/write` (2.x and 3 with a token). On 2.x the bucket must exist and be mapped
(`influx v1 dbrp create`); on 1.x the database is made here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import urllib3.exceptions
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from hub.telemetry.buckets import interval_ms, unix_ms
from hub.telemetry.line_protocol import POLE_SAMPLE, lines
from hub.telemetry.port import (
    Health,
    Point,
    PointsRefusedError,
    Series,
    StoreUnavailableError,
    Tally,
)

_TIMEOUT_MS = 15_000
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_FAULT_OF_A_POINT = re.compile(
    r"partial write|unable to parse|field type conflict|beyond retention|outside retention|dropped"
    r"|invalid (?:field|tag|number|boolean|timestamp)|exceeds",
    re.IGNORECASE,
)
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


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


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: str


class InfluxStore:
    """See `hub.telemetry.port.TelemetryStore`. Connects when first used; nothing is asked before."""

    def __init__(self, address: InfluxAddress) -> None:
        self._address = address
        self._client = InfluxDBClient(
            address.url, token=address.token or "", org=address.org or "-", timeout=_TIMEOUT_MS
        )
        self._headers: dict[str, str] = {}
        if address.token:
            self._headers["Authorization"] = f"Token {address.token}"
        elif address.user is not None:
            basic = f"{address.user}:{address.password or ''}"
            self._headers |= urllib3.make_headers(basic_auth=basic)
        self._setting_up = threading.Lock()
        self._write_path: str | None = None

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        """See TelemetryStore. A point is the same when pole and timestamp are, so writing again is harmless."""
        if not points:
            return
        path = self._set_up()
        v2 = path == "/api/v2/write"
        query = {"precision": "ns"}
        query |= (
            {"bucket": self._address.database, "org": self._address.org or ""}
            if v2
            else {"db": self._address.database}
        )
        body = "\n".join(lines(point) for point in points).encode()
        answer = self._ask("POST", path, query, body)
        if answer.status in (200, 204):
            return
        told = f"batch {batch_id}: {answer.status} {_message(answer)}"
        if answer.status == 404:
            self._write_path = None  # the database was dropped: make it again at the next attempt
        refused = answer.status == 400 and _FAULT_OF_A_POINT.search(_message(answer))
        # 413 says the same of a batch: what is too large together is fine in halves.
        if refused or answer.status in (413, 422):
            raise PointsRefusedError(told)
        raise StoreUnavailableError(told, _retry_after_s(answer))

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        """See TelemetryStore."""
        width = interval_ms(start, end, max_points)
        names = ("power_w", "voltage_v", "effect_level", "camera_reachable")
        means = ", ".join(f'mean("{name}") AS "{name}"' for name in names)
        rows = self._query(
            # Identifiers are ours, the pole's code is quoted.
            f'SELECT {means} FROM "{POLE_SAMPLE}" WHERE "pole" = {_quoted(pole)}'  # noqa: S608
            f" AND time >= {unix_ms(start)}ms AND time < {unix_ms(end)}ms"
            ' AND ("synced" = true OR "historical" = false)'
            f" GROUP BY time({width}ms) fill(none)"
        )
        return Series(
            pole=pole,
            start=start,
            end=end,
            time=[row["time"] / 1000 for row in rows],
            power_w=[row["power_w"] for row in rows],
            voltage_v=[row["voltage_v"] for row in rows],
            level=[row["effect_level"] for row in rows],
            camera_reachable=[row["camera_reachable"] for row in rows],
        )

    def count(self, node: str, epoch: str) -> Tally:
        """See TelemetryStore."""
        where = f'WHERE "node" = {_quoted(node)} AND "epoch" = {_quoted(epoch)}'
        rows = self._query(
            f'SELECT count("seq") AS points, max("seq") AS last FROM "{POLE_SAMPLE}" {where}'  # noqa: S608
        )
        if not rows:
            return Tally(0, 0, 0)
        distinct = self._query(
            f'SELECT count(distinct("seq")) AS distinct_seqs FROM "{POLE_SAMPLE}" {where}'  # noqa: S608
        )
        return Tally(int(rows[0]["points"]), int(distinct[0]["distinct_seqs"]), int(rows[0]["last"]))

    def health(self) -> Health:
        """See TelemetryStore."""
        try:
            version = self._version()
        except StoreUnavailableError as error:
            return Health(up=False, detail=str(error))
        return Health(up=True, detail=f"InfluxDB {version}, database {self._address.database}")

    def close(self) -> None:
        """See TelemetryStore."""
        self._client.close()  # type: ignore[no-untyped-call]

    def _set_up(self) -> str:
        with self._setting_up:
            if self._write_path is None:
                version = _VERSION.match(self._version())
                major = int(version[1]) if version else 1
                if major == 1:
                    name = self._address.database.replace('"', "")
                    self._results("POST", {"q": f'CREATE DATABASE "{name}"'})
                self._write_path = "/api/v2/write" if major >= 2 and self._address.token else "/write"
            return self._write_path

    def _version(self) -> str:
        answer = self._ask("GET", "/ping", {}, None)
        version = answer.headers.get("x-influxdb-version")
        if version is None and answer.status == 200:
            version = _json(answer).get("version")
        if version is None:
            answer = self._ask("GET", "/health", {}, None)
            version = _json(answer).get("version")
        if not isinstance(version, str):
            raise StoreUnavailableError(
                f"{self._address.url} does not say that it is InfluxDB (/ping answered {answer.status})"
            )
        return version

    def _query(self, statement: str) -> list[dict[str, Any]]:
        found = self._results("GET", {"q": statement, "db": self._address.database, "epoch": "ms"})
        rows: list[dict[str, Any]] = []
        for result in found:
            for series in result.get("series", ()):
                rows += [dict(zip(series["columns"], values, strict=True)) for values in series["values"]]
        return rows

    def _results(self, method: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = self._ask(method, "/query", query, None)
        if answer.status != 200:
            raise StoreUnavailableError(
                f"query: {answer.status} {_message(answer)}", _retry_after_s(answer)
            )
        results: list[dict[str, Any]] = _json(answer).get("results", [])
        for result in results:
            if "error" in result:  # a missing database is 200 with the error in here
                if "database not found" in str(result["error"]):
                    return []
                raise StoreUnavailableError(f"query: {result['error']}")
        return results

    def _ask(self, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> _Answer:
        rest = self._client.api_client.rest_client
        try:
            response = rest.request(  # type: ignore[no-untyped-call]
                method,
                self._address.url + path,
                query_params=dict(query),
                headers={**self._headers, **_TEXT},
                body=body if body is not None else "",
            )
        except ApiException as error:
            if not error.status:
                raise StoreUnavailableError(f"{self._address.url}: {error.reason}") from error
            return _Answer(error.status, _lower(error.headers), _text(error.body))
        except urllib3.exceptions.HTTPError as error:
            raise StoreUnavailableError(f"{self._address.url}: {error}") from error
        return _Answer(response.status, _lower(response.getheaders()), _text(response.data))


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _text(body: str | bytes | None) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""


def _json(answer: _Answer) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _message(answer: _Answer) -> str:
    told = _json(answer)
    words = (
        told.get("error") or told.get("message") or answer.headers.get("x-influxdb-error") or answer.body
    )
    return str(words)[:500]


def _retry_after_s(answer: _Answer) -> float | None:
    wait = answer.headers.get("retry-after", "")
    return min(float(wait), 300.0) if wait.isdigit() else None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
