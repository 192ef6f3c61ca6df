import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.camera.asking.auth import Credentials
from edge.camera.asking.http import request
from edge.camera.asking.snapshot import SNAPSHOT_BYTES, HttpSnapshot
from edge.camera.devices import ProbeError

OK = b"HTTP/1.1 200 OK\r\n"
CAMERA = Credentials("watch", "dem-trang")


@asynccontextmanager
async def web(reply: Callable[[str], bytes]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.write(reply(head))
            await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/snap.jpg?channel=1"


async def get(url: str, credentials: Credentials | None = None, max_bytes: int = 100) -> tuple[int, bytes]:
    return await request(url, credentials=credentials, max_bytes=max_bytes, within_s=5)


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 5\r\n\r\nhello, and more",
        OK + b"\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\nhello",
    ],
)
async def test_a_body_comes_in_each_of_its_ways(answer: bytes) -> None:
    asked = []

    def reply(head: str) -> bytes:
        asked.append(head.split("\r\n")[0])
        return answer

    async with web(reply) as url:
        assert await get(url) == (200, b"hello")
    assert asked == ["GET /snap.jpg?channel=1 HTTP/1.1"]


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 101\r\n\r\n",
        OK + b"\r\n" + b"x" * 101,
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"220 ftp ready\r\n\r\n",
    ],
)
async def test_what_is_too_large_or_no_http_is_refused(answer: bytes) -> None:
    async with web(lambda _: answer) as url:
        with pytest.raises(ProbeError):
            await get(url)


async def test_a_camera_that_hangs_up_is_an_error_of_its_own() -> None:
    async with web(lambda _: OK + b"Content-Length: 50\r\n\r\nhalf") as url:
        with pytest.raises(EOFError):
            await get(url)
        with pytest.raises(ProbeError, match="no snapshot"):
            await HttpSnapshot(url).fetch()


@pytest.mark.parametrize("scheme", ['Basic realm="cam"', 'Digest realm="cam", nonce="n", qop="auth"'])
async def test_a_password_is_given_only_when_asked_for(scheme: str) -> None:
    heads = []

    def reply(head: str) -> bytes:
        heads.append("Authorization: " in head)
        if "Authorization: " in head:
            return OK + b"\r\njpeg"
        return f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {scheme}\r\n\r\n".encode()

    async with web(reply) as url:
        assert await get(url, CAMERA) == (200, b"jpeg")
        assert heads == [False, True]
        assert (await get(url))[0] == 401


async def test_a_wrong_password_is_tried_once() -> None:
    heads = []

    def reply(head: str) -> bytes:
        heads.append(head)
        return b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="cam", nonce="new"\r\n\r\n'

    async with web(reply) as url:
        assert (await get(url, CAMERA))[0] == 401
    assert len(heads) == 2, "more would lock the account of many a camera"


async def test_a_snapshot_is_bounded(tmp_path: Path) -> None:
    async with web(lambda _: OK + f"Content-Length: {SNAPSHOT_BYTES + 1}\r\n\r\n".encode()) as url:
        with pytest.raises(ProbeError, match="more than"):
            await HttpSnapshot(url).fetch()
    async with web(lambda _: b"HTTP/1.1 404 Not Found\r\n\r\n") as url:
        with pytest.raises(ProbeError, match="answered 404"):
            await HttpSnapshot(url).fetch()
