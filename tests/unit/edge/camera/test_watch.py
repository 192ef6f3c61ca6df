import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from edge.camera.devices import CameraDevices
from edge.camera.watch import CameraWatch
from edge.clock import MockClock
from edge.drivers.mock_camera import MockCamera
from edge.drivers.ports import DriverError, Reachability
from tests.support.hub_side import eventually
from tests.support.nodes import EVENING, POLE, node_config


class BrokenProbe:
    def __init__(self) -> None:
        self.asked = 0

    async def probe(self) -> Reachability:
        self.asked += 1
        raise DriverError("no route to the camera's network")


def watch_of(tmp_path: Path, cameras: dict[str, CameraDevices], clock: MockClock) -> CameraWatch:
    config = node_config(tmp_path, camera_interval_s=30)
    return CameraWatch(config, {POLE: cameras}, clock=clock)


@asynccontextmanager
async def running(watch: CameraWatch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_cameras_word_stands_until_it_is_too_old(tmp_path: Path) -> None:
    clock = MockClock(EVENING)
    watch = watch_of(tmp_path, {"CAM-1": CameraDevices(reach=MockCamera(reachable=False))}, clock)
    assert watch.readings(POLE) == [], "nobody has knocked yet"
    async with running(watch):
        await eventually(lambda: watch.readings(POLE), what="the first word")
        assert [(one.camera, one.reachable) for one in watch.readings(POLE)] == [("CAM-1", False)]
        clock.advance(70)
        assert len(watch.readings(POLE)) == 1
        clock.advance(1)
        assert watch.readings(POLE) == []


async def test_a_probe_that_breaks_says_nothing_about_the_camera(tmp_path: Path) -> None:
    probe = BrokenProbe()
    watch = watch_of(tmp_path, {"CAM-1": CameraDevices(reach=probe)}, MockClock(EVENING))
    async with running(watch):
        await eventually(lambda: probe.asked, what="a knock")
        assert watch.readings(POLE) == []
