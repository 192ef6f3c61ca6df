"""Answers of InfluxDB to more than one request: too large, not allowed, asked to wait, and none at all."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from hub.telemetry.drainer import Drainer, write_splitting
from hub.telemetry.factory import open_store
from hub.telemetry.influx import InfluxStore
from hub.telemetry.influxdb.server import InfluxAddress
from hub.telemetry.outbox import InMemoryOutbox
from hub.telemetry.port import StoreUnavailableError
from tests.integration.hub_ingest.test_telemetry_contract import DAY, point
from tests.integration.hub_telemetry.recorded import Recording, serving

PING_1: Recording = (204, {"X-Influxdb-Version": "1.8.10"}, "")
EMPTY: Recording = (200, {}, {"results": [{"statement_id": 0}]})
DONE: Recording = (204, {}, "")


def test_a_batch_that_is_too_large_goes_in_halves() -> None:
    too_large: Recording = (413, {}, {"error": "Request Entity Too Large"})
    # Hours first: from when on they are whole, then the marks; after that samples, whole and in halves.
    answers = {"GET /ping": PING_1, "GET /query": EMPTY, "POST /query": EMPTY}
    writes = [DONE, DONE, too_large, DONE, DONE]
    with serving({**answers, "POST /write": writes}) as server:
        store = open_store(f"influx+http://127.0.0.1:{server.port}/den")
        written = write_splitting(store, 1, [point(seq) for seq in range(1, 9)])
        store.close()
        samples = [one for one in server.asked if one.what == "POST /write" and one.query["db"] == "den"]
    assert (written.points, written.refused) == (8, [])
    assert [len(one.body.splitlines()) for one in samples] == [8, 4, 4]


def test_a_user_who_may_not_make_databases_writes_into_those_that_are_there() -> None:
    denied: Recording = (
        403,
        {},
        {"error": "error authorizing query: create database requires admin privilege"},
    )
    answers = {"GET /ping": PING_1, "GET /query": EMPTY, "POST /query": denied, "POST /write": DONE}
    with serving(answers) as server:
        store = open_store(f"influx+http://an:secret@127.0.0.1:{server.port}/den")
        store.write(1, [point(1)])
        store.close()
        written_to = [one.query["db"] for one in server.asked if one.what == "POST /write"]
        assert written_to[:3] == ["den-hours", "den-hours", "den"]


def test_without_rights_on_the_hours_samples_are_written_alone() -> None:
    denied: Recording = (403, {}, {"error": "user not authorized to read den-hours"})
    answers = {"GET /ping": PING_1, "GET /query": denied, "POST /query": EMPTY, "POST /write": DONE}
    with serving(answers) as server:
        store = open_store(f"influx+http://an:secret@127.0.0.1:{server.port}/den")
        store.write(1, [point(1)])
        store.close()
        assert [one.query["db"] for one in server.asked if one.what == "POST /write"] == ["den"]


def test_hours_that_cannot_be_marked_hold_the_samples_back() -> None:
    """Else an hour would lack them for ever."""
    full: Recording = (503, {"Retry-After": "9"}, {"error": "cache maximum memory size exceeded"})
    answers = {"GET /ping": PING_1, "GET /query": EMPTY, "POST /query": EMPTY}
    with serving({**answers, "POST /write": [DONE, full, DONE]}) as server:
        store = open_store(f"influx+http://127.0.0.1:{server.port}/den")
        with pytest.raises(StoreUnavailableError, match="503") as caught:
            store.write(1, [point(1)])
        assert caught.value.retry_after_s == 9
        assert not [
            one for one in server.asked if one.query.get("db") == "den" and one.what == "POST /write"
        ]
        store.write(1, [point(1)])
        assert [one for one in server.asked if one.query.get("db") == "den" and one.what == "POST /write"]
        store.close()


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, {"results": [{"statement_id": 0, "error": "table 'public.iox.hour_due' not found"}]}),
        (400, {}, {"error": "Error during planning: table 'public.iox.hour_due' not found"}),
    ],
)
def test_a_measurement_that_nothing_was_written_to_is_empty(answer: Recording) -> None:
    ping: Recording = (200, {}, {"version": "3.2.1"})
    with serving({"GET /ping": ping, "GET /query": answer, "POST /api/v2/write": DONE}) as server:
        store = open_store(f"influx+http://127.0.0.1:{server.port}/den?token=secret")
        store.write(1, [point(1)])
        assert store.series("TG-0001", DAY, DAY + timedelta(days=1), 600).time == []
        store.close()
        assert [one.query["bucket"] for one in server.asked if "write" in one.what][:3] == [
            "den-hours",
            "den-hours",
            "den",
        ]


def test_a_server_that_never_answers_leaves_the_outbox_as_it_is() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        address = InfluxAddress(url=f"http://127.0.0.1:{listener.getsockname()[1]}", database="den")
        store = InfluxStore(address, timeout_s=0.2)
        outbox = InMemoryOutbox()
        outbox.batches = {1: [point(1)]}
        drainer = Drainer(outbox, store)
        assert not drainer.step()
        assert not drainer.store_is_up()
        assert list(outbox.batches) == [1]
        with pytest.raises(StoreUnavailableError, match="timed out"):
            store.write(1, [point(1)])
        store.close()
