"""The stream probe against Debian's gst-rtsp-server."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from edge.camera.asking.auth import Credentials
from edge.camera.asking.rtsp import RtspStream
from edge.camera.devices import StreamResult
from tests.support.rtsp_server import PASSWORD, USER, RtspServer, slow_link

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer() as running:
        yield running


@pytest.fixture(scope="module", params=["basic", "digest"])
def guarded(request: pytest.FixtureRequest) -> Iterator[RtspServer]:
    with RtspServer(auth=request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "codec"),
    [
        ("/live-h264", "H264"),
        ("/live-h265", "H265"),
        ("/black", "H264"),
        ("/noise", "H264"),
        ("/frozen", "H264"),
    ],
)
async def test_packets_that_follow_each_other_are_a_live_stream(
    server: RtspServer, path: str, codec: str
) -> None:
    result = await RtspStream(server.url(path)).probe()
    assert (result.state, result.codec) == ("live", codec), result
    assert result.packets >= 3


async def test_a_stream_that_is_described_but_never_sent_is_no_media(server: RtspServer) -> None:
    result = await RtspStream(server.url("/silent"), listen_s=3).probe()
    assert (result.state, result.codec) == ("no_media", "H264"), result


async def test_a_stream_without_video_is_no_media(server: RtspServer) -> None:
    assert (await RtspStream(server.url("/sound-only")).probe()).state == "no_media"


async def test_an_unknown_path_is_told_apart(server: RtspServer) -> None:
    result = await RtspStream(server.url("/nothing-here")).probe()
    assert (result.state, result.detail) == ("not_found", "answered 404")


async def test_the_right_password_opens_the_stream(guarded: RtspServer) -> None:
    stream = RtspStream(guarded.url("/live-h264"), lambda: Credentials(USER, PASSWORD))
    assert (await stream.probe()).state == "live"


@pytest.mark.parametrize("credentials", [None, Credentials(USER, "wrong"), Credentials("nobody", PASSWORD)])
async def test_a_wrong_password_is_told_apart(guarded: RtspServer, credentials: Credentials | None) -> None:
    result = await RtspStream(guarded.url("/live-h264"), lambda: credentials).probe()
    assert result.state == "unauthorised", result


async def test_a_server_killed_in_the_middle_is_no_live_stream() -> None:
    with RtspServer() as server:
        stream = RtspStream(server.url("/every-second"))
        assert (await stream.probe()).state == "live", "while it lives"
        await asyncio.to_thread(server.wait_for_playing)
        probing = asyncio.create_task(stream.probe())
        # It needs two seconds of this stream to prove itself: this is in the middle.
        await asyncio.to_thread(server.wait_for_playing)
        assert not probing.done()
        server.kill()
        died: StreamResult = await probing
        assert died.state in ("no_media", "no_answer"), died
        assert (await stream.probe()).state == "no_answer"


async def test_a_slow_link_still_shows_a_live_stream(server: RtspServer) -> None:
    async with slow_link(server.port, bytes_per_s=8_000) as port:
        result = await RtspStream(f"rtsp://127.0.0.1:{port}/live-h264").probe()
    assert result.state == "live", result


async def test_a_link_that_hardly_moves_takes_bounded_time(server: RtspServer) -> None:
    async with slow_link(server.port, bytes_per_s=100) as port:
        started_s = time.monotonic()
        result = await RtspStream(f"rtsp://127.0.0.1:{port}/live-h264", listen_s=2).probe()
        assert time.monotonic() - started_s < 25
    assert result.state in ("no_answer", "no_media"), result
