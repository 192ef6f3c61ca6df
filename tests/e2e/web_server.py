"""The true web server in a thread, on a loopback port of its own, stoppable and startable again."""

from __future__ import annotations

import threading
from pathlib import Path

import uvicorn

from dashboards.web.app import opened
from hub.api.settings import WebSettings
from tests.support.servers import free_port, port_answers, wait_until


class WebServer:
    """Serves the databases of `settings`; keeps its port over a restart."""

    def __init__(
        self, database_url: str, telemetry_url: str, *, webhook_key_file: Path | None = None
    ) -> None:
        self._settings = WebSettings(
            database=database_url,
            telemetry=telemetry_url,
            port=free_port(),
            events_poll_ms=50,
            webhook_key_file=webhook_key_file,
        )
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self._settings.port}"

    def start(self) -> None:
        """Begin to serve; returns when the port answers."""
        self._thread = threading.Thread(target=self._run, name="web-server")
        self._thread.start()
        wait_until(lambda: port_answers(self._settings.port), what="the web server to answer", limit_s=30)

    def stop(self) -> None:
        """End at once, cutting open event streams."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None

    def _run(self) -> None:
        with opened(self._settings) as app:
            self._server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    port=self._settings.port,
                    log_level="critical",
                    timeout_graceful_shutdown=1,
                    lifespan="on",
                )
            )
            self._server.run()
