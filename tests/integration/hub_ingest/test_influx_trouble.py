"""InfluxDB when it is down, full of bad points, or somebody else: real 1.6.7 and recorded answers."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import msgspec
import pytest

from hub.telemetry.drainer import Drainer, write_splitting
from hub.telemetry.factory import open_store
from hub.telemetry.outbox import InMemoryOutbox
from hub.telemetry.port import PointsRefusedError, StoreUnavailableError
from tests.integration.hub_ingest.test_telemetry_contract import DAY, EPOCH, point
from tests.support.influxd import Influxd

pytestmark = pytest.mark.servers


def outlive_its_death(server: Influxd, name: str) -> None:
    """Write, kill the server, write, start it again: the outbox waits meanwhile, and nothing is lost."""
    store = open_store(server.telemetry(name))
    outbox = InMemoryOutbox()
    outbox.batches = {1: [point(1)]}
    drainer = Drainer(outbox, store)
    assert drainer.step()

    server.kill()
    outbox.batches = {2: [point(2, at_s=1)], 3: [point(3, at_s=2)]}
    assert not drainer.step()
    assert not drainer.store_is_up()
    assert sorted(outbox.batches) == [2, 3]
    assert not store.health().up
    with pytest.raises(StoreUnavailableError):
        store.series("TG-0001", DAY, DAY + timedelta(hours=1), 60)

    server.start()
    assert drainer.step()
    assert drainer.store_is_up()
    assert outbox.batches == {}
    assert store.count("tg-0001", EPOCH).points == 3
    store.close()


def test_a_server_that_dies_makes_the_outbox_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    with Influxd(tmp_path / "influxd") as server:
        outlive_its_death(server, "ngonden")


def test_a_database_that_was_dropped_is_made_again(influxd: Influxd) -> None:
    name = f"t{uuid4().hex}"
    store = open_store(f"influx+http://127.0.0.1:{influxd.port}/{name}")
    store.write(1, [point(1)])
    drop = urllib.request.Request(f"{influxd.url}/query?q=DROP+DATABASE+{name}", method="POST")
    with urllib.request.urlopen(drop) as answer:  # influxd gives up on a query whose asker hangs up
        answer.read()
    with pytest.raises(StoreUnavailableError, match="404"):
        store.write(2, [point(2)])
    assert store.count("tg-0001", EPOCH).points == 0
    store.write(2, [point(2)])
    assert store.count("tg-0001", EPOCH).points == 1
    store.close()


def test_points_that_the_server_refuses_are_found_and_the_others_stored(influxd: Influxd) -> None:
    name = f"t{uuid4().hex}"
    store = open_store(f"influx+http://127.0.0.1:{influxd.port}/{name}")
    store.write(1, [])
    store.write(1, [point(1000, pole="TG-0002")])
    # On another pole the same field is a text: InfluxDB refuses a float there only within one shard.
    body = b'pole_sample,commune=c,node=n,pole=TG-0666 power_w="forty" 1782000000000000000'
    urllib.request.urlopen(f"{influxd.url}/write?db={name}", data=body).close()
    points = [point(seq, at_s=seq) for seq in range(1, 40)]
    shift = 1782000000000 - points[0].time_ms
    bad = msgspec.structs.replace(points[20], time_ms=points[20].time_ms + shift)
    points[20] = bad
    written = write_splitting(store, 2, points)
    assert written.points == 38
    ((refused, words),) = written.refused
    assert refused == bad
    assert "field type conflict" in words
    assert store.count("tg-0001", EPOCH).points == 39
    store.close()


class _Recorded(BaseHTTPRequestHandler):
    """Answers as it was told to, and remembers what it was asked."""

    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    asked: ClassVar[list[tuple[str, dict[str, list[str]], dict[str, str], bytes]]] = []
    asked_of_hours: ClassVar[list[tuple[str, dict[str, list[str]], dict[str, str], bytes]]] = []

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(parts.query)
        if any(name.endswith("-hours") for name in query.get("db", []) + query.get("bucket", [])):
            self.asked_of_hours.append((parts.path, query, headers, body))
            status, headers, content = EMPTY if parts.path == "/query" else DONE
        else:
            self.asked.append((parts.path, query, headers, body))
            status, headers, content = self.answers.get(parts.path, (404, {}, b"404 page not found"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recorded(**answers: tuple[int, dict[str, str], bytes]) -> Iterator[int]:
    """A server that gives recorded answers; `write` stands for /write, `api_v2_write` for /api/v2/write."""
    _Recorded.answers = {"/" + path.replace("_", "/"): answer for path, answer in answers.items()}
    _Recorded.asked, _Recorded.asked_of_hours = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Recorded)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked_of(path: str) -> tuple[dict[str, list[str]], dict[str, str], bytes]:
    """Query, headers and body of the only request to `path`, those about hours aside."""
    ((_, query, headers, body),) = [asked for asked in _Recorded.asked if asked[0] == path]
    return query, headers, body


RecordedAnswer = tuple[int, dict[str, str], bytes]
V1: RecordedAnswer = (204, {"X-Influxdb-Version": "1.6.7"}, b"")
V2: RecordedAnswer = (204, {"X-Influxdb-Version": "v2.7.1", "X-Influxdb-Build": "OSS"}, b"")
V3: RecordedAnswer = (
    200,
    {"Content-Type": "application/json"},
    b'{"version":"3.0.1","revision":"5f2d8b1"}',
)
EMPTY: RecordedAnswer = (200, {}, b'{"results":[{"statement_id":0}]}')
CREATED: RecordedAnswer = (200, {}, b'{"results":[{"statement_id":0}]}')
DONE: RecordedAnswer = (204, {}, b"")


def test_2x_with_a_token_is_written_by_its_own_api() -> None:
    with recorded(ping=V2, query=EMPTY, api_v2_write=DONE) as port:
        store = open_store(f"influx+http://127.0.0.1:{port}/bucket?org=xa&token=secret")
        store.write(1, [point(1)])
        query, headers, body = asked_of("/api/v2/write")
        assert (query["bucket"], query["org"], query["precision"]) == (["bucket"], ["xa"], ["ns"])
        assert headers["authorization"] == "Token secret"
        assert body.startswith(b"pole_sample,commune=tram-than,node=tg-0001,pole=TG-0001 seq=1i")
        store.close()


def test_3_core_is_known_by_its_ping_body() -> None:
    with recorded(ping=V3, query=EMPTY, api_v2_write=DONE) as port:
        store = open_store(f"influx+http://127.0.0.1:{port}/db?token=secret")
        store.write(1, [point(1)])
        assert asked_of("/api/v2/write")
        assert "3.0.1" in store.health().detail
        store.close()


def test_1x_gets_its_database_made_and_basic_credentials() -> None:
    with recorded(ping=V1, query=CREATED, write=DONE) as port:
        store = open_store(f"influx+http://an:b%C3%AD@127.0.0.1:{port}/ngonden")
        store.write(1, [point(1)])
        statements = [asked[1]["q"][0] for asked in _Recorded.asked if asked[0] == "/query"]
        assert statements[:2] == ['CREATE DATABASE "ngonden"', 'CREATE DATABASE "ngonden-hours"']
        assert asked_of("/write")[1]["authorization"].startswith("Basic ")
        store.close()


@pytest.mark.parametrize(
    ("answer", "error", "retry_after_s"),
    [
        (
            (400, {}, b'{"error":"partial write: field type conflict: input field"}'),
            PointsRefusedError,
            None,
        ),
        ((400, {}, b'{"error":"unable to parse \'x\': missing fields"}'), PointsRefusedError, None),
        ((400, {}, b'{"error":"database is required"}'), StoreUnavailableError, None),
        ((401, {}, b'{"error":"authorization failed"}'), StoreUnavailableError, None),
        ((403, {}, b'{"error":"forbidden"}'), StoreUnavailableError, None),
        ((404, {}, b'{"error":"database not found"}'), StoreUnavailableError, None),
        ((413, {}, b'{"error":"Request Entity Too Large"}'), PointsRefusedError, None),
        ((422, {}, b'{"code":"unprocessable entity","message":"dropped"}'), PointsRefusedError, None),
        ((429, {"Retry-After": "7"}, b'{"code":"too many requests"}'), StoreUnavailableError, 7.0),
        ((500, {}, b'{"error":"engine: cache maximum memory size exceeded"}'), StoreUnavailableError, None),
        ((503, {"Retry-After": "2"}, b"starting"), StoreUnavailableError, 2.0),
    ],
)
def test_each_answer_to_a_write_means_what_it_says(
    answer: tuple[int, dict[str, str], bytes], error: type[Exception], retry_after_s: float | None
) -> None:
    with recorded(ping=V1, query=CREATED, write=answer) as port:
        store = open_store(f"influx+http://127.0.0.1:{port}/ngonden")
        with pytest.raises(error, match=str(answer[0])) as caught:
            store.write(1, [point(1)])
        assert getattr(caught.value, "retry_after_s", None) == retry_after_s
        store.close()


def test_an_error_inside_a_200_is_an_error() -> None:
    told: RecordedAnswer = (200, {}, b'{"results":[{"statement_id":0,"error":"timeout reached"}]}')
    with recorded(ping=V1, query=told) as port:
        store = open_store(f"influx+http://127.0.0.1:{port}/ngonden")
        with pytest.raises(StoreUnavailableError, match="timeout reached"):
            store.series("TG-0001", DAY, DAY + timedelta(hours=1), 60)
        store.close()


def test_something_that_is_not_influxdb_is_not_taken_for_it() -> None:
    with recorded() as port:
        store = open_store(f"influx+http://127.0.0.1:{port}/ngonden")
        assert not store.health().up
        with pytest.raises(StoreUnavailableError, match="does not say that it is InfluxDB"):
            store.write(1, [point(1)])
        store.close()
