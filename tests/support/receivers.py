"""Real receivers of notices on loopback: a mail server and an HTTP server whose answers a test chooses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.servers import free_port


class MailServer:
    """`with MailServer() as mail:`; `answers` are what the next recipients or bodies get, then all is taken."""

    def __init__(self, at_rcpt: Iterable[str] = (), at_data: Iterable[str] = ()) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.at_rcpt, self.at_data = list(at_rcpt), list(at_data)
        self.on_data: Callable[[], None] | None = None
        """Called when a whole mail has come, before it is answered."""
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """The channel's address."""
        return f"mailto://127.0.0.1:{self.port}/?from=den@xa.example.vn&to=to1@example.vn"

    async def handle_RCPT(  # noqa: N802  the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_rcpt:
            answer = self.at_rcpt.pop(0)
            if not answer.startswith("250"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.on_data is not None:
            self.on_data()
        if self.at_data:
            answer = self.at_data.pop(0)
            if not answer.startswith("250"):
                return answer
        content = envelope.original_content or b""
        found = message_from_bytes(content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass
class HttpReceiver:
    """`with HttpReceiver() as http:`; each answer is (status, headers, body), then 200 with nothing."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    silent: threading.Event | None = None
    """Set: requests get no answer until this event."""

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.silent is not None:
            self.silent.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: int, body: object = None, **headers: str) -> None:
        """What one of the next requests gets."""
        content = b"" if body is None else json.dumps(body).encode()
        self.answers.append(
            (status, {name.replace("_", "-"): one for name, one in headers.items()}, content)
        )

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.path, headers, request.rfile.read(length)))
        if self.silent is not None:
            self.silent.wait(10)
            return
        status, more, body = self.answers.pop(0) if self.answers else (200, {}, b"")
        request.send_response(status)
        for name, value in more.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class MuteServer:
    """Takes connections and says nothing, as a mail server that hangs does."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
