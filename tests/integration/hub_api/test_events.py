"""The event stream: what changed reaches every open page, and nothing is missed in between."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine

from hub.access.model import Role
from hub.api.live.feed import Listener
from hub.api.live.news import WHOLE, News
from hub.api.views.board import Board
from hub.db import reading
from tests.support.hub_api import Office
from tests.support.hub_world import (
    NIGHT,
    Clock,
    incident_closes,
    incident_opens,
    ingest_lives,
    lamp_speaks,
    node_speaks,
    pole_line,
    register,
    registry_csv,
)
from tests.support.servers import wait_until


class Stream:
    """An open event stream, read in a thread as a browser does."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.last_id = ""
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        name, data = "", ""
        try:
            for line in self.answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif field == "id":
                    self.last_id = value
                elif not line and data:
                    self.events.append((name, json.loads(data)))
                    name, data = "", ""
        except (httpx.HTTPError, httpx.StreamError):
            pass
        finally:
            self.ended.set()

    def of(self, name: str) -> list[dict[str, Any]]:
        """The events of one name so far."""
        return [body for one, body in self.events if one == name]


@contextmanager
def listening(office: Office, *, last_id: str | None = None, since: int | None = None) -> Iterator[Stream]:
    headers = {} if last_id is None else {"last-event-id": last_id}
    params = {} if since is None else {"since": since}
    with office.as_(Role.VIEWER).stream("GET", "/api/v1/events", headers=headers, params=params) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer)
        wait_until(lambda: stream.of("summary"), what="the first summary")
        yield stream


def test_a_new_page_gets_the_summary_and_then_what_changes(office: Office) -> None:
    with listening(office) as stream:
        assert stream.of("pole") == []
        assert stream.of("summary")[0]["states"]["lit"] == 3
        with office.engine.begin() as conn:
            lamp_speaks(conn, 2, office.clock(), power_w=0.2)
            opened = incident_opens(conn, 2, office.clock())
        wait_until(lambda: len(stream.of("summary")) > 1, what="a new summary")
        assert [(one["code"], one["state"], one["open_incidents"]) for one in stream.of("pole")] == [
            ("TG-0002", "dark", 1)
        ]
        assert [(one["id"], one["closed_at"]) for one in stream.of("incident")] == [(opened, None)]
        assert stream.of("summary")[-1]["states"]["dark"] == 1
        with office.engine.begin() as conn:
            incident_closes(conn, opened, office.clock())
        wait_until(lambda: len(stream.of("incident")) == 2, what="the end of the incident")
        wait_until(
            lambda: stream.of("summary")[-1]["open_incidents"] == 0, what="the count of open incidents"
        )
        assert stream.of("pole")[-1]["open_incidents"] == 0


def test_a_command_and_its_progress_reach_the_page(office: Office) -> None:
    with listening(office) as stream:
        made = office.as_(Role.STAFF).post("/api/v1/poles/TG-0001/lamp/auto").json()
        wait_until(lambda: stream.of("command"), what="the command")
        assert stream.of("command") == [made]


def test_a_page_that_comes_back_gets_what_it_missed(office: Office) -> None:
    with listening(office) as stream:
        known = stream.last_id
    with office.engine.begin() as conn:
        lamp_speaks(conn, 1, office.clock(), level=0.0, power_w=0.0)
        node_speaks(conn, 3, office.clock(), status="lost")
        incident_opens(conn, 3, office.clock(), "communication_failure")
    office.as_(Role.STAFF).post("/api/v1/poles/TG-0002/lamp/auto")
    with listening(office, last_id=known) as stream:
        assert {(one["code"], one["state"]) for one in stream.of("pole")} == {
            ("TG-0001", "off"),
            ("TG-0003", "unknown"),
        }
        assert [one["originator"] for one in stream.of("incident")] == ["tg-0003"]
        assert [one["pole"] for one in stream.of("command")] == ["TG-0002"]
        assert int(stream.last_id) > int(known)
    with listening(office, last_id=stream.last_id) as again:
        assert [name for name, _ in again.events] == ["summary"]


def test_nothing_is_missed_between_the_list_and_the_stream(sqlite_office: Office) -> None:
    revision = sqlite_office.as_(Role.VIEWER).get("/api/v1/poles").json()["revision"]
    with sqlite_office.engine.begin() as conn:
        lamp_speaks(conn, 1, sqlite_office.clock(), power_w=0.0)
    with listening(sqlite_office, since=revision) as stream:
        assert [(one["code"], one["state"]) for one in stream.of("pole")] == [("TG-0001", "dark")]


def test_an_id_of_another_database_begins_anew(sqlite_office: Office) -> None:
    with listening(sqlite_office, last_id="999999") as stream:
        assert len(stream.of("pole")) == 3


@pytest.mark.parametrize("odd", ["", "abc", "-1", "1e3", "٣"])
def test_an_id_that_is_none_is_as_no_id(sqlite_office: Office, odd: str) -> None:
    headers = {b"last-event-id": odd.encode()}
    with sqlite_office.as_(Role.VIEWER).stream("GET", "/api/v1/events", headers=headers) as answer:
        assert answer.status_code == 200


def test_poles_imported_meanwhile_appear(sqlite_office: Office) -> None:
    with listening(sqlite_office) as stream:
        admin = sqlite_office.as_(Role.ADMIN)
        files = {"file": ("poles.csv", registry_csv(pole_line(4)))}
        assert admin.post("/api/v1/registry/import", files=files).json()["created"] == 1
        wait_until(lambda: stream.of("summary")[-1]["poles"] == 4, what="the new pole in the summary")
        assert "TG-0004" in {one["code"] for one in stream.of("pole")}


def test_every_listener_hears_the_same(sqlite_office: Office) -> None:
    with listening(sqlite_office) as one, listening(sqlite_office) as two:
        with sqlite_office.engine.begin() as conn:
            lamp_speaks(conn, 3, sqlite_office.clock(), level=0.0, power_w=0.0)
        for stream in (one, two):
            wait_until(lambda stream=stream: stream.of("pole"), what="the pole")  # type: ignore[misc]
        assert one.of("pole") == two.of("pole")


def test_streams_end_with_the_server(sqlite_office: Office) -> None:
    with listening(sqlite_office) as stream:
        sqlite_office.server.__exit__()
        assert stream.ended.wait(5)


def test_silence_alone_turns_a_lamp_unknown(engine: Engine) -> None:
    register(engine, 2)
    clock = Clock()
    with engine.begin() as conn:
        ingest_lives(conn, NIGHT)
        for n in (1, 2):
            node_speaks(conn, n, NIGHT)
            lamp_speaks(conn, n, NIGHT)
    news = News(reading(engine), commune=None, now=clock)
    assert news.look().of(WHOLE).count(b"event: pole") == 2
    assert news.look().of(WHOLE) == b""
    clock.pass_(seconds=60)
    assert news.look_again().of(WHOLE) == b""
    clock.pass_(seconds=31)
    told = news.look_again().of(WHOLE)
    assert told.count(b'"state":"unknown"') == 2
    assert b'"unknown":2' in told
    assert news.look_again().of(WHOLE) == b""


def test_only_the_last_event_of_a_batch_carries_its_id(sqlite_engine: Engine) -> None:
    register(sqlite_engine, 3)
    with sqlite_engine.begin() as conn:
        ingest_lives(conn, NIGHT)
        revision = max(lamp_speaks(conn, n, NIGHT) for n in (1, 2, 3))
    batch = News(reading(sqlite_engine), commune=None, now=Clock()).look().of(WHOLE)
    blocks = batch.decode().strip().split("\n\n")
    assert [block.partition("\n")[0] for block in blocks] == ["event: pole"] * 3 + ["event: summary"]
    assert ["\nid: " in block for block in blocks] == [False] * 3 + [True]
    assert batch.endswith(f"id: {revision}\n\n".encode())


def test_a_board_that_follows_is_the_board_that_loads(engine: Engine) -> None:
    register(engine, 4)
    following = Board()
    steps: list[Callable[[Connection], object]] = [
        lambda conn: lamp_speaks(conn, 1, NIGHT),
        lambda conn: node_speaks(conn, 1, NIGHT),
        lambda conn: incident_opens(conn, 1, NIGHT),
        lambda conn: incident_opens(conn, 1, NIGHT, "communication_failure"),
        lambda conn: incident_closes(conn, 1, NIGHT),
        lambda conn: node_speaks(conn, 1, NIGHT, status="lost"),
        lambda conn: lamp_speaks(conn, 2, NIGHT, power_w=None),
    ]
    for step in steps:
        with engine.begin() as conn:
            step(conn)
        with reading(engine).connect() as conn:
            following.follow(conn)
            loaded = Board.load(conn)
        for code in loaded.codes():
            assert following.summary(code, NIGHT) == loaded.summary(code, NIGHT)


async def test_a_listener_that_falls_behind_is_let_go() -> None:
    listener = Listener(length=2)
    assert listener.offer(b"1")
    assert listener.offer(b"2")
    assert not listener.offer(b"3")
    assert await listener.get() is None
