"""A server that gives recorded answers by method and path, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

Recording = tuple[int, Mapping[str, str], Any]
"""Status, headers, and a body: text as it is, anything else as JSON."""


@dataclass(slots=True)
class Asked:
    """One request; `body` is decoded JSON where it was JSON."""

    what: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class RecordedServer:
    """`answers` maps "METHOD /path" to answers in turn, of which the last stays."""

    answers: dict[str, list[Recording]]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    def bodies(self, what: str) -> list[Any]:
        """The bodies of all requests of this method and path."""
        return [one.body for one in self.asked if one.what == what]

    def answer(self, asked: Asked) -> Recording:
        """Remember the request; what to answer."""
        self.asked.append(asked)
        turn = self.answers.get(asked.what, [(404, {}, "404 page not found")])
        return turn.pop(0) if len(turn) > 1 else turn[0]


@contextmanager
def serving(answers: Mapping[str, Recording | list[Recording]]) -> Iterator[RecordedServer]:
    """Serve on loopback until the block ends."""
    recorded = RecordedServer({what: it if isinstance(it, list) else [it] for what, it in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body: Any = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "json" in self.headers.get("Content-Type", "") and body:
                body = msgspec.json.decode(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(f"{self.command} {parts.path}", dict(parse_qsl(parts.query)), headers, body)
            status, told, content = recorded.answer(asked)
            data = content.encode() if isinstance(content, str) else msgspec.json.encode(content)
            self.send_response(status)
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if status != 204:
                self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
