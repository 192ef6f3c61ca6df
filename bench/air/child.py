"""The agent under `ngonden bench air`, a process of its own: `python -m bench.air.child node.toml SPEED START`.

The agent and its link are the real ones with a day's settings; the loop's seconds are short. Around it a mock
pole lives through the day: the sun sets and rises over the photocell, the camera's answers take their time.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path
from random import Random

from bench.air.quick_time import QuickClock, QuickLoop
from edge.agent import Agent
from edge.config import NodeConfig, load
from edge.devices import Devices, build
from edge.drivers.mock_camera import MockCamera
from edge.drivers.mock_photocell import MockPhotocell
from edge.log import configure_logging
from simulators.world import sun_elevation_deg

DARK_BELOW_DEG = -2.5
WORLD_EVERY_S = 30.0


async def _live(config: NodeConfig, devices: Devices, clock: QuickClock, random: Random) -> None:
    """Move sky and camera, for ever."""
    while True:
        for pole in config.poles:
            on_pole = devices.poles[pole.code]
            if isinstance(on_pole.photocell, MockPhotocell):
                height_deg = sun_elevation_deg(pole.latitude, pole.longitude, clock.now())
                on_pole.photocell.dark = height_deg < DARK_BELOW_DEG
            for camera in on_pole.cameras.values():
                if isinstance(camera.reach, MockCamera):
                    camera.reach.latency_ms = round(8.0 * random.lognormvariate(0.0, 0.25), 1)
        await asyncio.sleep(WORLD_EVERY_S)


async def _run(path: Path, speed: float, start: datetime) -> None:
    config = load(path)
    devices = build(config)
    clock = QuickClock(start, speed)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    world = asyncio.create_task(_live(config, devices, clock, Random(1)))  # noqa: S311 - a made-up day
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
