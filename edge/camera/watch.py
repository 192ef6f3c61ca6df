"""Asks every camera of a node at its interval, beside the samples: a dead one answers late."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from edge.camera.devices import CameraDevices
from edge.clock import Clock
from edge.config import NodeConfig
from edge.drivers.ports import DriverError, Reachability
from protocol.messages import CameraReading

CAMERA_WITHIN_S = 10.0


class CameraWatch:
    """The newest word on each camera. A probe that breaks says nothing about its camera."""

    def __init__(
        self, config: NodeConfig, cameras: Mapping[str, Mapping[str, CameraDevices]], *, clock: Clock
    ) -> None:
        """`cameras`: those of each pole by pole code, then by camera code."""
        self._interval_s = config.camera_interval_s
        self._cameras = cameras
        self._clock = clock
        self._reached: dict[str, tuple[float, Reachability]] = {}
        self._silent: set[str] = set()
        self._log = structlog.get_logger().bind(node=config.node)

    async def run(self) -> None:
        """Knock at every camera at its interval, for ever."""
        cameras = [item for of_pole in self._cameras.values() for item in of_pole.items()]
        while cameras:
            await asyncio.gather(*(self._ask(code, camera) for code, camera in cameras))
            await asyncio.sleep(self._interval_s)

    def readings(self, pole: str) -> list[CameraReading]:
        """The newest word on each camera of a pole, as long as it is not older than two rounds."""
        oldest_s = self._clock.monotonic() - 2 * self._interval_s - CAMERA_WITHIN_S
        readings = []
        for code in self._cameras.get(pole, {}):
            asked_at_s, result = self._reached.get(code, (float("-inf"), Reachability(reachable=False)))
            if asked_at_s >= oldest_s:
                readings.append(
                    CameraReading(camera=code, reachable=result.reachable, latency_ms=result.latency_ms)
                )
        return readings

    async def _ask(self, code: str, camera: CameraDevices) -> None:
        device = f"probe of {code}"
        try:
            async with asyncio.timeout(CAMERA_WITHIN_S):
                result = await camera.reach.probe()
        except Exception as error:  # noqa: BLE001 - the probe itself broke: nothing is known of the camera
            if device not in self._silent:
                self._silent.add(device)
                self._log.warning("device_silent", device=device, error=_words(error))
            return
        self._reached[code] = (self._clock.monotonic(), result)
        if device in self._silent:
            self._silent.discard(device)
            self._log.info("device_answers_again", device=device)


def _words(error: Exception) -> str:
    if isinstance(error, DriverError):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
