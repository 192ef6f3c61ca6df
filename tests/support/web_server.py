"""An ASGI app behind a real uvicorn on loopback, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

import httpx
import uvicorn
from starlette.types import ASGIApp

from tests.support.servers import free_port, port_answers, wait_until


class WebServer:
    """`with WebServer(app) as server:` serves it at `server.url` until the end of the block."""

    def __init__(self, app: ASGIApp) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=self.port,
                log_level="warning",
                timeout_graceful_shutdown=1,
                lifespan="on",
            )
        )
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: port_answers(self.port), what="uvicorn")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive(), "uvicorn did not stop"

    def client(self) -> httpx.Client:
        """A client with its own cookies, as one browser has them; close it."""
        return httpx.Client(base_url=self.url, timeout=10)

    def _serve(self) -> None:
        asyncio.run(self._server.serve())
