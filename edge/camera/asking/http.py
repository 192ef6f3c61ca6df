"""One HTTP request to a camera, bounded in bytes and time. Why no library: `edge/camera/asking/wire.py`.

Plain HTTP: cameras' certificates are their makers' or none, and these requests stay in the cabinet's own
network. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from edge.camera.asking.auth import Authority, Credentials
from edge.camera.asking.wire import Head, read_head
from edge.camera.devices import ProbeError
from edge.version import AGENT_VERSION

CLOSE_WITHIN_S = 1.0
_TRIES = 3
"""The plain request, the one with the password, and one more for a nonce that went stale."""


async def request(
    url: str,
    *,
    credentials: Credentials | None = None,
    body: bytes | None = None,
    content_type: str = "",
    max_bytes: int,
    within_s: float,
) -> tuple[int, bytes]:
    """GET, or POST where there is a `body`; gives status and body. 401 comes only when the password is wrong.

    Raises ProbeError for what is no HTTP or too large, OSError, EOFError, and TimeoutError after `within_s`.
    """
    authority = Authority(credentials)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    method = "GET" if body is None else "POST"
    async with asyncio.timeout(within_s):
        for _ in range(_TRIES):
            lines = [f"{method} {path} HTTP/1.1", f"Host: {_host(parts)}", "Connection: close"]
            lines.append(f"User-Agent: ngonden/{AGENT_VERSION}")
            authorization = authority.header(method, path)
            if authorization is not None:
                lines.append(f"Authorization: {authorization}")
            if body is not None:
                lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
            sent = ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")
            head, answer = await _exchange(parts, sent, max_bytes)
            if head.status != 401 or not authority.learn(head.every("www-authenticate")):
                break
    return head.status, answer


async def _exchange(parts: SplitResult, sent: bytes, max_bytes: int) -> tuple[Head, bytes]:
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write(sent)
        await writer.drain()
        head = await read_head(reader)
        while head.status == 100:
            head = await read_head(reader)
        return head, await _body(reader, head, max_bytes)
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await writer.wait_closed()


async def _body(reader: asyncio.StreamReader, head: Head, max_bytes: int) -> bytes:
    if (head.get("transfer-encoding") or "").lower() == "chunked":
        return await _chunks(reader, max_bytes)
    length = head.body_bytes(at_most=max_bytes)
    if length is not None:
        return await reader.readexactly(length)
    body = bytearray()
    while chunk := await reader.read(16_384):
        body += chunk
        if len(body) > max_bytes:
            raise ProbeError(f"a body of more than {max_bytes} bytes")
    return bytes(body)


async def _chunks(reader: asyncio.StreamReader, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        try:
            size = int((await reader.readline()).split(b";")[0], 16)
        except ValueError:
            raise ProbeError("a chunk without its size") from None
        if size == 0:
            return bytes(body)
        if size < 0 or len(body) + size > max_bytes:
            raise ProbeError(f"a body of more than {max_bytes} bytes")
        body += await reader.readexactly(size)
        await reader.readexactly(2)


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
