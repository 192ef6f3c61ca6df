"""A real RTSP server as a child process, and a link that is too slow for it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Self

from tests.support.servers import missing

USER, PASSWORD = "watch", "dem-trang"
PYTHON = "/usr/bin/python3"
"""The system's: Debian's packages put the bindings there."""
_MAIN = Path(__file__).with_name("rtsp_server_main.py")
_NEEDS = """
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
import sys
sys.exit([name for name in ("openh264enc", "x265enc", "rtph265pay") if not Gst.ElementFactory.find(name)] or 0)
"""


@cache
def _can_run() -> str:
    """What keeps the server from running here; empty when nothing does."""
    if not Path(PYTHON).exists():
        return PYTHON
    tried = subprocess.run([PYTHON, "-c", _NEEDS], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"gst-rtsp-server ({tried.stderr.strip()[-200:]})"


class RtspServer:
    """`with RtspServer() as server:`; `kill` ends it in the middle of whatever it sends."""

    def __init__(self, *, auth: str | None = None) -> None:
        why_not = _can_run()
        if why_not:
            missing(why_not)
        self._arguments = ["--auth", auth] if auth else []
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [PYTHON, str(_MAIN), *self._arguments], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def url(self, path: str) -> str:
        """The address of a mount."""
        return f"rtsp://127.0.0.1:{self.port}{path}"

    def wait_for_playing(self) -> None:
        """Return when /every-second has begun to play; blocks."""
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "playing\n"

    def kill(self) -> None:
        """End it with SIGKILL; does nothing when it is down."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)
            assert process.stdout is not None
            process.stdout.close()


@asynccontextmanager
async def slow_link(to_port: int, *, bytes_per_s: float) -> AsyncIterator[int]:
    """A TCP relay on loopback that lets so much through each way; gives its port."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(512):
                await asyncio.sleep(len(chunk) / bytes_per_s)
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
        writers.extend((writer, far_writer))
        tasks.add(asyncio.create_task(pump(reader, far_writer)))
        tasks.add(asyncio.create_task(pump(far_reader, writer)))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
