"""A camera on the storm's road: it draws what it sees, freezes, and is covered."""

from __future__ import annotations

import io
from random import Random

from PIL import Image

from edge.camera.devices import CameraDevices
from edge.drivers.mock_camera import MockCamera, MockStream
from simulators.camera_scenes.covers import LensCover
from simulators.camera_scenes.shots import Light, Optics, Weather, lightmap, shot, with_noise
from simulators.camera_scenes.village import build

LIGHTS: tuple[Light, ...] = ("day", "lamp")
NOISE, QUALITY = 3.0, 80


class StormCamera:
    """One camera and its view. `frozen` repeats the last picture, `cover` hangs something over the lens."""

    def __init__(self, code: str, *, seed: int) -> None:
        self._random = Random(f"{seed}/{code}")  # noqa: S311 - scenes that replay
        self._code = code
        self._village = build(self._random)
        self._lights = {light: lightmap(light, self._random) for light in LIGHTS}
        self._cover = LensCover("whole", "lamp", self._random)
        self._last = b""
        self.pixel_true = True
        self.by_day = True
        self.lit = False
        self.frozen = False
        self.covered = False

    def for_agent(self) -> dict[str, CameraDevices]:
        """What the agent asks."""
        return {self._code: CameraDevices(reach=MockCamera(), stream=MockStream(), snapshot=self)}

    async def fetch(self) -> bytes:
        """One JPEG of this moment."""
        if not self.frozen or not self._last:
            self._last = self._jpeg(self._seen())
        return self._last

    def _seen(self) -> Image.Image:
        light: Light = "day" if self.by_day else "lamp"
        weather = Weather(brightness=1.0 if self.lit or self.by_day else 0.1, rain=0.3, wind=0.8)
        # Between village and lens hangs what covers it; noise is the sensor's own, behind both.
        optics = Optics(noise=0.0)
        seen = shot(self._village, light, self._lights[light], weather, optics, self._random)
        return with_noise(self._cover.over(seen) if self.covered else seen, NOISE, self._random)

    @staticmethod
    def _jpeg(seen: Image.Image) -> bytes:
        out = io.BytesIO()
        seen.save(out, "JPEG", quality=QUALITY)
        return out.getvalue()
