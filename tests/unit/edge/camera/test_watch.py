import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge.camera.devices import CameraDevices
from edge.camera.picture.words import View
from edge.camera.surroundings import Surroundings
from edge.camera.views import Views
from edge.camera.watch import CameraWatch
from edge.clock import MockClock
from edge.drivers.mock_camera import (
    MockCamera,
    MockCameraPower,
    MockDeviceClock,
    MockRecorder,
    MockSnapshot,
    MockStream,
)
from edge.drivers.ports import DriverError, Reachability
from simulators.camera_scenes.scenes import CATALOGUE, pictures
from tests.support.hub_side import eventually
from tests.support.nodes import EVENING, POLE, node_config

CAM = "CAM-1"


class BrokenProbe:
    def __init__(self) -> None:
        self.asked = 0

    async def probe(self) -> Reachability:
        self.asked += 1
        raise DriverError("no route to the camera's network")


class Site:
    """One camera on one pole, with a node's knowledge around it in the test's hand."""

    def __init__(self, tmp_path: Path, parts: CameraDevices, **camera: Any) -> None:
        self.clock = MockClock(EVENING)
        self.maintenance = False
        self.supply: bool | None = None
        self.told: list[tuple[str, bool | None]] = []
        settings = {"code": CAM, "driver": "mock", "fault_rounds": 1, **camera}
        self.watch = CameraWatch(
            node_config(tmp_path, camera_interval_s=0.5, pole={"cameras": [settings]}),
            {POLE: {CAM: parts}},
            clock=self.clock,
            surroundings=Surroundings(
                lambda _: True, lambda _: True, lambda _: self.maintenance, lambda: self.supply
            ),
            tell=self.tell,
        )

    def tell(
        self,
        kind: str,
        *,
        pole: str | None = None,
        camera: str | None = None,
        active: bool | None = None,
        detail: object = None,
    ) -> None:
        assert (pole, camera) == (POLE, CAM)
        self.told.append((kind, active))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.watch.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_cameras_word_stands_until_it_is_too_old(tmp_path: Path) -> None:
    site = Site(tmp_path, CameraDevices(reach=MockCamera(reachable=False)))
    assert site.watch.readings(POLE) == [], "nobody has knocked yet"
    async with site.running():
        await eventually(lambda: site.watch.readings(POLE), what="the first word")
    assert [(one.camera, one.reachable) for one in site.watch.readings(POLE)] == [(CAM, False)]
    site.clock.advance(11)
    assert len(site.watch.readings(POLE)) == 1
    site.clock.advance(1)
    assert site.watch.readings(POLE) == []
    assert site.told == [("camera_offline", True)]


async def test_a_probe_that_breaks_says_nothing_about_the_camera(tmp_path: Path) -> None:
    probe = BrokenProbe()
    site = Site(tmp_path, CameraDevices(reach=probe))
    async with site.running():
        await eventually(lambda: probe.asked, what="a knock")
        assert site.watch.readings(POLE) == []
    assert site.told == []


async def test_every_probe_speaks_in_the_reading(tmp_path: Path) -> None:
    parts = CameraDevices(
        reach=MockCamera(),
        stream=MockStream("no_media"),
        snapshot=MockSnapshot(b"no picture at all"),
        clock=MockDeviceClock(-75.0),
        recorder=MockRecorder(7200.0),
        power=MockCameraPower(),
    )
    site = Site(tmp_path, parts)
    async with site.running():

        def complete() -> bool:
            told = site.watch.readings(POLE)
            return bool(told) and told[0].recording_age_s is not None and told[0].picture is not None

        await eventually(complete, what="all probes")
    (reading,) = site.watch.readings(POLE)
    assert (reading.stream, reading.picture, reading.clock_offset_s) == ("no_media", "unreadable", -75.0)
    assert (reading.recording_age_s, reading.powered) == (7200.0, True)
    assert set(site.told) == {
        ("camera_stream_lost", True),
        ("camera_clock_drift", True),
        ("recording_gap", True),
    }


async def test_clocks_are_not_compared_while_ours_is_not_right(tmp_path: Path) -> None:
    stream = MockStream()
    parts = CameraDevices(
        MockCamera(), stream=stream, clock=MockDeviceClock(900), recorder=MockRecorder(9e6)
    )
    site = Site(tmp_path, parts)
    site.clock.is_synced = False
    async with site.running():
        await eventually(
            lambda: [one for one in site.watch.readings(POLE) if one.stream], what="the heavy probes"
        )
        await eventually(lambda: site.watch.readings(POLE)[0].stream == "live", what="the stream")
    (reading,) = site.watch.readings(POLE)
    assert (reading.clock_offset_s, reading.recording_age_s, site.told) == (None, None, [])


async def test_nothing_is_told_while_people_work_at_the_pole(tmp_path: Path) -> None:
    power = MockCameraPower()
    parts = CameraDevices(MockCamera(reachable=False), power=power)
    site = Site(tmp_path, parts, power={"driver": "mock", "after_rounds": 1, "off_s": 1})
    site.maintenance = True
    async with site.running():
        await eventually(lambda: site.watch.readings(POLE), what="a knock")
        assert await site.watch.cycle(CAM) == (
            "maintenance: nothing is power-cycled while people work at the pole"
        )
    assert (site.told, power.cuts) == ([], 0)


@pytest.mark.parametrize(("supply", "cuts"), [(None, 1), (True, 1), (False, 0)])
async def test_a_hung_camera_is_cycled_where_there_is_mains(
    tmp_path: Path, supply: bool | None, cuts: int
) -> None:
    power = MockCameraPower()
    parts = CameraDevices(MockCamera(reachable=False), power=power)
    site = Site(tmp_path, parts, power={"driver": "mock", "after_rounds": 2, "off_s": 1})
    site.supply = supply
    knocks = 0
    async with site.running():
        if cuts:
            await eventually(lambda: ("camera_power_cycled", None) in site.told, what="the cycle")
            assert power.powered()
        else:
            await eventually(lambda: ("camera_offline", True) in site.told, what="the fault")
            knocks = len(site.told)
    assert power.cuts == cuts
    assert knocks == (0 if cuts else 1)


async def test_a_command_cycles_through_the_same_relay(tmp_path: Path) -> None:
    power = MockCameraPower()
    site = Site(tmp_path, CameraDevices(MockCamera(), power=power), power={"driver": "mock", "off_s": 1})
    first, second = await asyncio.gather(site.watch.cycle(CAM), site.watch.cycle(CAM))
    assert (first, second) == (None, f"busy: {CAM} is being power-cycled already")
    assert (power.cuts, power.powered()) == (1, True)
    assert site.told == [("camera_power_cycled", None)]
    without = Site(tmp_path, CameraDevices(MockCamera()))
    assert (await without.watch.cycle(CAM) or "").startswith("no_relay")
    assert (await without.watch.cycle("CAM-9") or "").startswith("unknown_camera")


async def test_a_camera_is_fed_again_when_the_agent_ends_in_the_middle(tmp_path: Path) -> None:
    power = MockCameraPower()
    site = Site(tmp_path, CameraDevices(MockCamera(), power=power), power={"driver": "mock", "off_s": 60})
    cycling = asyncio.create_task(site.watch.cycle(CAM))
    await eventually(lambda: not power.powered(), what="power taken away")
    cycling.cancel()
    with suppress(asyncio.CancelledError):
        await cycling
    assert power.powered()


async def test_a_picture_is_judged_and_never_kept(tmp_path: Path) -> None:
    black = next(kind for kind in CATALOGUE if kind.name == "lamp lit, black")
    jpeg = list(pictures(black, 10_000))[-1].jpeg
    site = Site(tmp_path, CameraDevices(MockCamera(), snapshot=MockSnapshot(jpeg)))
    async with site.running():
        await eventually(lambda: ("camera_dark", True) in site.told, what="the verdict")
    assert site.watch.readings(POLE)[0].picture == "dark"
    kept = await asyncio.to_thread(lambda: [path.name for path in tmp_path.rglob("*")])
    assert set(kept) <= {"camera-faults.json"}, "no picture on disk, in no form"


def learnt_before(folder: Path) -> Path:
    views = Views(folder, wall_s=lambda: 0.0)
    views.get("lit-07")
    views.put(View(pictures=9, pixels=bytes(240 * 135)))
    views.save()
    (path,) = folder.iterdir()
    return path


async def test_after_maintenance_every_view_is_learnt_anew(tmp_path: Path) -> None:
    view = await asyncio.to_thread(learnt_before, tmp_path / "camera-views" / CAM)
    parts = CameraDevices(MockCamera(), snapshot=MockSnapshot(), recorder=MockRecorder())
    site = Site(tmp_path, parts)
    site.maintenance = True
    async with site.running():
        # Heavy probes take turns, the recorder after the picture.
        await eventually(
            lambda: [one for one in site.watch.readings(POLE) if one.recording_age_s is not None],
            what="a round during maintenance",
        )
    assert view.exists()
    site.maintenance = False
    async with site.running():
        await eventually(lambda: not view.exists(), what="the old view gone")


async def test_a_fault_that_began_before_a_restart_is_told_to_end_after_it(tmp_path: Path) -> None:
    camera = MockCamera(reachable=False)
    before = Site(tmp_path, CameraDevices(camera))
    async with before.running():
        await eventually((tmp_path / "camera-faults.json").exists, what="the fault, kept")
    camera.reachable = True
    after = Site(tmp_path, CameraDevices(camera))
    async with after.running():
        await eventually(lambda: after.told, what="its end")
    assert (before.told, after.told) == ([("camera_offline", True)], [("camera_offline", False)])


async def test_kept_faults_that_can_not_be_read_are_none(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "camera-faults.json").write_text, "[not json")
    site = Site(tmp_path, CameraDevices(MockCamera()))
    async with site.running():
        await eventually(lambda: site.watch.readings(POLE), what="a knock")
    assert site.told == []
