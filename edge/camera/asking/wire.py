"""Heads of RTSP and HTTP answers.

aiohttp or httpx would bring 8 to 20 MB into an agent of 35 MB, and neither speaks RTSP; the RTSP libraries
there are (in GStreamer, FFmpeg) come with their decoders. What a probe needs is a status line, headers and
a bounded body, so it is here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from edge.camera.devices import ProbeError

HEAD_BYTES = 16_384
HEADERS = 64


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer; header names are in lower case, in the order they came."""

    status: int
    headers: list[tuple[str, str]]

    def get(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)

    def every(self, name: str) -> list[str]:
        """All headers of that name."""
        return [value for key, value in self.headers if key == name]

    def body_bytes(self, *, at_most: int) -> int | None:
        """Content-Length; None where there is none. Raises ProbeError for nonsense or above `at_most`."""
        value = self.get("content-length")
        if value is None:
            return None
        if not value.isascii() or not value.isdigit():
            raise ProbeError(f"Content-Length {value[:20]!r} is no number")
        if len(value) > 12 or int(value) > at_most:
            raise ProbeError(f"a body of {value[:20]} bytes: more than {at_most} is not taken")
        return int(value)


def parse_head(raw: bytes) -> Head:
    """Read a head up to its empty line. Raises ProbeError."""
    lines = raw.decode("latin-1").replace("\r\n", "\n").strip("\n").split("\n")
    words = lines[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith(("RTSP/", "HTTP/")) or not words[1].isdigit():
        raise ProbeError(f"not an answer: {lines[0][:40]!r}")
    if len(lines) > HEADERS:
        raise ProbeError(f"more than {HEADERS} headers")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
    return Head(int(words[1]), headers)


async def read_head(reader: asyncio.StreamReader, *, begun: bytes = b"") -> Head:
    """Read up to the empty line. `begun` are bytes already taken. Raises ProbeError, OSError, EOFError."""
    raw = bytearray(begun)
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            raise ProbeError(f"a header of more than {HEAD_BYTES} bytes") from None
        if not line.endswith(b"\n"):
            raise EOFError("closed within a head")
        raw += line
        if len(raw) > HEAD_BYTES:
            raise ProbeError(f"a head of more than {HEAD_BYTES} bytes")
        if not line.strip() and raw.strip():
            return parse_head(bytes(raw))
