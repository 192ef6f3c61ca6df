"""The stream probe against cameras that answer oddly; the real server is in tests/integration/edge."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from edge.camera.asking.auth import Credentials
from edge.camera.asking.rtsp import RtspStream
from edge.camera.devices import StreamResult

SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
CAMERA = Credentials("watch", "dem-trang")


def answer(request: str, status: str = "200 OK", *headers: str, body: str = "") -> bytes:
    cseq = next(line for line in request.split("\r\n") if line.startswith("CSeq"))
    lines = [f"RTSP/1.0 {status}", cseq, *headers, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def rtp(timestamp: int, *, channel: int = 0) -> bytes:
    packet = b"\x80\x60\x00\x01" + timestamp.to_bytes(4, "big") + b"\x00\x00\x00\x01" + b"x" * 40
    return b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet


@asynccontextmanager
async def camera(reply: Callable[[str], bytes | None]) -> AsyncIterator[str]:
    """A camera whose answer to each request is what `reply` gives; None hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                said = reply(request.decode())
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live"


def playing(request: str, *, media: bytes) -> bytes:
    method = request.split(" ")[0]
    if method == "DESCRIBE":
        return answer(request, body=SDP)
    if method == "SETUP":
        return answer(request, "200 OK", "Session: 77;timeout=60", "Transport: RTP/AVP/TCP;interleaved=4-5")
    # Media may come before the answer to PLAY, and TEARDOWN's answer behind more of it.
    return media + answer(request) + media


async def test_packets_count_on_the_channel_that_the_camera_gave() -> None:
    media = rtp(1, channel=4) + rtp(1, channel=5) + rtp(2, channel=4) + rtp(3, channel=4)
    async with camera(lambda request: playing(request, media=media)) as url:
        assert await RtspStream(url).probe() == StreamResult("live", "H264", 3)
    other = b"".join(rtp(number, channel=1) for number in range(9))
    async with camera(lambda request: playing(request, media=other)) as url:
        assert (await RtspStream(url, listen_s=0.2).probe()).state == "no_media"


async def test_one_frame_again_and_again_is_no_media() -> None:
    async with camera(lambda request: playing(request, media=rtp(7, channel=4) * 5)) as url:
        assert (await RtspStream(url, listen_s=0.2).probe()).state == "no_media"


async def test_the_session_is_torn_down() -> None:
    asked: list[str] = []

    def reply(request: str) -> bytes:
        asked.append(request.split(" ")[0] + (" in 77" if "Session: 77\r\n" in request else ""))
        return playing(request, media=b"".join(rtp(number, channel=4) for number in range(3)))

    async with camera(reply) as url:
        await RtspStream(url).probe()
    assert asked == ["DESCRIBE", "SETUP", "PLAY in 77", "TEARDOWN in 77"]


async def test_a_nonce_that_went_stale_is_renewed() -> None:
    nonces = iter(["one", "two"])
    expected = [""]

    def reply(request: str) -> bytes:
        first_line = request.split("\r\n")[0]
        if f'nonce="{expected[0]}"' not in request or (
            first_line.startswith("PLAY") and expected[0] == "one"
        ):
            stale = ", stale=true" if expected[0] else ""
            expected[0] = next(nonces)
            challenge = f'Digest realm="cam", nonce="{expected[0]}", algorithm=SHA-256, qop="auth"{stale}'
            return answer(request, "401 Unauthorized", f"WWW-Authenticate: {challenge}")
        return playing(request, media=b"".join(rtp(number, channel=4) for number in range(3)))

    async with camera(reply) as url:
        assert (await RtspStream(url, lambda: CAMERA).probe()).state == "live"
    assert expected == ["two"]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "refused"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "refused"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n", "refused"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", "refused"),
        (b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 5000, "refused"),
        (b"RTSP/1.0 200 OK\r\nX: " + b"y" * 200_000, "refused"),
        (b"RTSP/1.0 503 Service Unavailable\r\nCSeq: 1\r\n\r\n", "refused"),
        (b"RTSP/1.0 403 Forbidden\r\nCSeq: 1\r\n\r\n", "unauthorised"),
        (b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Kerberos\r\n\r\n", "unauthorised"),
        (b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", "not_found"),
        (None, "no_answer"),
    ],
)
async def test_odd_answers_have_a_name(said: bytes | None, state: str) -> None:
    async with camera(lambda _: said) as url:
        assert (await RtspStream(url, lambda: CAMERA).probe()).state == state
