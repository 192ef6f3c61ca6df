"""A camera as it is configured: its stream from a real RTSP server, its pictures over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge.camera.build import build_camera
from edge.camera.surroundings import Surroundings
from edge.camera.watch import CameraWatch
from edge.clock import MockClock
from protocol.messages import CameraReading
from simulators.camera_scenes.scenes import CATALOGUE, pictures
from tests.support.hub_side import eventually
from tests.support.nodes import EVENING, POLE, node_config
from tests.support.rtsp_server import PASSWORD, USER, RtspServer

pytestmark = pytest.mark.servers
CAM = "CAM-1"


@asynccontextmanager
async def snapshots(jpeg: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=cam\r\n\r\n"
        found = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg
        writer.write(found if b"Authorization: Basic " in head else asked)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/snapshot.jpg"


@asynccontextmanager
async def watching(
    folder: Path, told: list[tuple[str, bool | None]], **camera: Any
) -> AsyncIterator[CameraWatch]:
    settings = {"code": CAM, "driver": "tcp", "host": "127.0.0.1", "fault_rounds": 1, **camera}
    config = node_config(folder, camera_interval_s=0.5, pole={"cameras": [settings]})

    def tell(kind: str, *, active: bool | None = None, **_: object) -> None:
        told.append((kind, active))

    watch = CameraWatch(
        config,
        {POLE: {CAM: build_camera(config.poles[0].cameras[0])}},
        clock=MockClock(EVENING),
        surroundings=Surroundings(lambda _: True, lambda _: True, lambda _: False, lambda: None),
        tell=tell,
    )
    task = asyncio.create_task(watch.run())
    yield watch
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def password_file(folder: Path, mode: int) -> str:
    path = folder / "camera.pass"
    path.write_text(PASSWORD + "\n")
    path.chmod(mode)
    return str(path)


def reading(watch: CameraWatch) -> CameraReading | None:
    return next(iter(watch.readings(POLE)), None)


async def test_a_camera_is_seen_whole_and_its_death_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, bool | None]] = []
    lamp = next(kind for kind in CATALOGUE if kind.name == "lamp")
    secret = await asyncio.to_thread(password_file, tmp_path, 0o600)
    with RtspServer(auth="digest") as server:
        async with (
            snapshots(next(pictures(lamp, 10_000)).jpeg) as snapshot_url,
            watching(
                tmp_path,
                told,
                port=server.port,
                rtsp_url=server.url("/live-h264"),
                snapshot_url=snapshot_url,
                user=USER,
                password_file=secret,
            ) as watch,
        ):

            def seen() -> bool:
                one = reading(watch)
                return one is not None and (one.reachable, one.stream, one.picture) == (True, "live", "ok")

            await eventually(seen, what="port, stream and picture", limit_s=30)
            assert told == []
            server.kill()
            await eventually(lambda: ("camera_offline", True) in told, what="the fault", limit_s=30)


async def test_a_password_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    told: list[tuple[str, bool | None]] = []
    secret = await asyncio.to_thread(password_file, tmp_path, 0o644)
    with RtspServer(auth="basic") as server:
        async with watching(
            tmp_path,
            told,
            port=server.port,
            rtsp_url=server.url("/live-h264"),
            user=USER,
            password_file=secret,
            recording_folder=str(tmp_path),
        ) as watch:

            def heavy_done() -> bool:
                one = reading(watch)
                return one is not None and one.recording_age_s is not None

            await eventually(heavy_done, what="the probes after it", limit_s=30)
            one = reading(watch)
            assert one is not None
            assert (one.reachable, one.stream) == (True, None), "unknown: our fault, not the camera's"
    assert ("camera_stream_lost", True) not in told
