"""The agent under `ngonden bench air`, a process of its own: `python -m bench.air.child node.toml SPEED START`.

The agent and its link are the real ones with a day's settings; the loop's seconds are short. Around it a mock
pole lives through the day: the sun sets and rises over the photocell, the camera's answers take their time.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

from bench.air.quick_time import QuickClock, QuickLoop
from edge.agent import Agent
from edge.camera.devices import CameraDevices
from edge.config import NodeConfig, load
from edge.devices import Devices, build
from edge.drivers.mock_camera import MockCamera, MockCameraPower, MockDeviceClock, MockRecorder, MockStream
from edge.drivers.mock_photocell import MockPhotocell
from edge.log import configure_logging
from simulators.world import sun_elevation_deg

DARK_BELOW_DEG = -2.5
WORLD_EVERY_S = 30.0


class _Camera:
    """A camera that answers all it can be asked but for its picture, whose verdict is one unchanging word."""

    def __init__(self) -> None:
        self.reach = MockCamera()
        self.clock = MockDeviceClock()
        self.recorder = MockRecorder()
        self.devices = CameraDevices(
            reach=self.reach,
            stream=MockStream(),
            clock=self.clock,
            recorder=self.recorder,
            power=MockCameraPower(),
        )

    def live(self, random: Random) -> None:
        """Answer a little otherwise from now on."""
        self.reach.latency_ms = round(8.0 * random.lognormvariate(0.0, 0.25), 1)
        self.clock.offset_s = round(random.gauss(0.6, 0.1), 1)
        self.recorder.age_s = round(random.uniform(1.0, 60.0), 1)


async def _live(config: NodeConfig, devices: Devices, cameras: list[_Camera], clock: QuickClock) -> None:
    """Move sky and cameras, for ever."""
    random = Random(1)  # noqa: S311 - a made-up day
    while True:
        for pole in config.poles:
            photocell = devices.poles[pole.code].photocell
            if isinstance(photocell, MockPhotocell):
                photocell.dark = (
                    sun_elevation_deg(pole.latitude, pole.longitude, clock.now()) < DARK_BELOW_DEG
                )
        for camera in cameras:
            camera.live(random)
        await asyncio.sleep(WORLD_EVERY_S)


def _with_cameras(devices: Devices, config: NodeConfig) -> tuple[Devices, list[_Camera]]:
    cameras = {camera.code: _Camera() for pole in config.poles for camera in pole.cameras}
    poles = {
        code: replace(pole, cameras={name: cameras[name].devices for name in pole.cameras})
        for code, pole in devices.poles.items()
    }
    return replace(devices, poles=poles), list(cameras.values())


async def _run(path: Path, speed: float, start: datetime) -> None:
    config = load(path)
    devices, cameras = _with_cameras(build(config), config)
    clock = QuickClock(start, speed)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    world = asyncio.create_task(_live(config, devices, cameras, clock))
    try:
        await Agent(config, devices, clock).run(stop)
    finally:
        world.cancel()
        devices.close()


def main() -> None:
    """Run until SIGTERM."""
    path, speed, start = sys.argv[1:]
    configure_logging()
    with asyncio.Runner(loop_factory=lambda: QuickLoop(float(speed))) as runner:
        runner.run(_run(Path(path), float(speed), datetime.fromisoformat(start)))


if __name__ == "__main__":
    main()
