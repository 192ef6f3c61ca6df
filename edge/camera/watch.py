"""Asks every camera of a node, from light to heavy, each probe at its own interval, beside the samples.

One camera's failure is its own. Heavy probes of all cameras take turns: a node has one processor, one
link, and 40 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from edge.camera import standing
from edge.camera.case import CameraCase, Told
from edge.camera.devices import CameraDevices, ProbeError
from edge.camera.eye import Eye, LookAt, in_a_child
from edge.camera.picture.words import Answer, Light
from edge.camera.power import PowerRules, PowerState, cycled, see
from edge.camera.surroundings import Surroundings
from edge.clock import Clock
from edge.config import NodeConfig
from edge.drivers.ports import DriverError
from edge.hearing import Hearing
from protocol.messages import CameraReading

if TYPE_CHECKING:
    from edge.config import CameraSettings

REACH_WITHIN_S = 10.0
HEAVY_WITHIN_S = 60.0
"""Each heavy probe has shorter limits of its own; this one holds whatever happens."""
LOCAL_TIME = timedelta(hours=7)


class Tell(Protocol):
    """Where events go: the journal's `later`."""

    def __call__(
        self,
        kind: str,
        *,
        pole: str | None = None,
        camera: str | None = None,
        active: bool | None = None,
        detail: dict[str, str | int | float | bool | None] | None = None,
    ) -> None:
        """Post an event of this moment."""
        ...


class _Camera:
    """One camera with what is known of it."""

    def __init__(
        self, pole: str, settings: CameraSettings, parts: CameraDevices, interval_s: float
    ) -> None:
        self.pole = pole
        self.code = settings.code
        self.settings = settings
        self.parts = parts
        self.case = CameraCase(settings, reach_interval_s=interval_s)
        self.power = PowerState()
        power = settings.power
        self.rules = PowerRules(
            power.after_rounds, power.first_pause_s, power.longest_pause_s, power.per_day
        )
        self.cycling = False
        self.was_maintained = False
        self.eye: Eye | None = None


class CameraWatch:
    """The newest word on each camera of a node. A probe that breaks says nothing about its camera."""

    def __init__(
        self,
        config: NodeConfig,
        cameras: Mapping[str, Mapping[str, CameraDevices]],
        *,
        clock: Clock,
        surroundings: Surroundings,
        tell: Tell,
        look_at: LookAt = in_a_child,
    ) -> None:
        """`cameras`: those of each pole by pole code, then by camera code, all of them in `config`."""
        self._look_at = look_at
        self._interval_s = config.camera_interval_s
        self._folder = Path(config.data_dir) / "camera-views"
        self._standing = Path(config.data_dir) / "camera-faults.json"
        self._told = False
        self._clock = clock
        self._around = surroundings
        self._tell = tell
        settings = {camera.code: camera for pole in config.poles for camera in pole.cameras}
        self._cameras = {
            code: _Camera(pole, settings[code], parts, self._interval_s)
            for pole, of_pole in cameras.items()
            for code, parts in of_pole.items()
        }
        self._heavy = asyncio.Semaphore(1)
        self._log = structlog.get_logger().bind(node=config.node)
        self._hearing = Hearing(self._log)

    async def run(self) -> None:
        """Ask every camera, for ever."""
        for code, kinds in (await asyncio.to_thread(standing.load, self._standing)).items():
            if code in self._cameras:
                self._cameras[code].case.restore(kinds)
        try:
            await asyncio.gather(*(self._watch(camera) for camera in self._cameras.values()))
        finally:
            for camera in self._cameras.values():
                if camera.eye is not None:
                    camera.eye.save()

    def readings(self, pole: str) -> list[CameraReading]:
        """The newest word on each camera of a pole; what is older than two rounds is left out."""
        now_s = self._clock.monotonic()
        readings = (
            camera.case.reading(now_s=now_s, powered=self._powered(camera))
            for camera in self._cameras.values()
            if camera.pole == pole
        )
        return [reading for reading in readings if reading is not None]

    async def cycle(self, camera: str) -> str | None:
        """Switch a camera off and on by command. None once that is done, else why it is not."""
        known = self._cameras.get(camera)
        if known is None:
            return f"unknown_camera: this node does not serve {camera}"
        if self._around.in_maintenance(known.pole):
            return "maintenance: nothing is power-cycled while people work at the pole"
        try:
            await self._cycle(known, why="command")
        except DriverError as error:
            return str(error)
        return None

    async def _watch(self, camera: _Camera) -> None:
        settings, parts = camera.settings, camera.parts
        loops = [self._again(self._interval_s, lambda: self._knock(camera))]
        heavy: list[tuple[object, float, Callable[[_Camera], Awaitable[None]]]] = [
            (parts.stream, settings.stream_interval_s, self._ask_stream),
            (parts.snapshot, settings.picture_interval_s, self._ask_picture),
            (parts.clock, settings.clock_interval_s, self._ask_clock),
            (parts.recorder, settings.recording_interval_s, self._ask_recorder),
        ]
        for part, every_s, ask in heavy:
            if part is not None:
                loops.append(self._again(every_s, lambda ask=ask: self._ask_heavy(camera, ask)))  # type: ignore[misc]
        await asyncio.gather(*loops)

    async def _again(self, every_s: float, ask: Callable[[], Awaitable[None]]) -> None:
        while True:
            await ask()
            if self._told:
                self._told = False
                faults = {code: camera.case.faults for code, camera in self._cameras.items()}
                await asyncio.to_thread(standing.save, self._standing, faults)
            await asyncio.sleep(every_s)

    async def _knock(self, camera: _Camera) -> None:
        if camera.cycling:
            return
        name = f"probe of {camera.code}"
        try:
            async with asyncio.timeout(REACH_WITHIN_S):
                result = await camera.parts.reach.probe()
        except Exception as error:  # noqa: BLE001 - the probe itself broke: nothing is known of the camera
            self._hearing.silent(name, error)
            return
        self._hearing.answers(name)
        now_s = self._clock.monotonic()
        self._post(camera, camera.case.reached(result, now_s=now_s, quiet=self._quiet(camera)))
        await self._mind_power(camera)

    async def _ask_heavy(self, camera: _Camera, ask: Callable[[_Camera], Awaitable[None]]) -> None:
        """Ask where the port answers; what a probe throws is said once and held against nobody."""
        name = f"{ask.__name__.removeprefix('_ask_')} of {camera.code}"
        async with self._heavy:
            reading = camera.case.reading(now_s=self._clock.monotonic(), powered=None)
            if camera.cycling or (reading is not None and not reading.reachable):
                return
            try:
                async with asyncio.timeout(HEAVY_WITHIN_S):
                    await ask(camera)
            except Exception as error:  # noqa: BLE001 - see above
                self._hearing.silent(name, error)
            else:
                self._hearing.answers(name)

    async def _ask_stream(self, camera: _Camera) -> None:
        assert camera.parts.stream is not None
        result = await camera.parts.stream.probe()
        now_s = self._clock.monotonic()
        self._post(camera, camera.case.streamed(result, now_s=now_s, quiet=self._quiet(camera)))

    async def _ask_picture(self, camera: _Camera) -> None:
        assert camera.parts.snapshot is not None
        if camera.eye is None:
            camera.eye = Eye(
                self._folder / camera.code,
                overlays=list(camera.settings.overlays),
                wall_s=lambda: self._clock.now().timestamp(),
                look_at=self._look_at,
            )
        quiet = self._quiet(camera)
        if camera.was_maintained and not quiet:
            await camera.eye.forget()
        camera.was_maintained = quiet
        if quiet:
            return
        light = Light(
            lamp_lit=self._around.lamp_lit(camera.pole),
            dark=self._around.dark(camera.pole),
            infrared=camera.settings.infrared,
        )
        hour = (self._clock.now() + LOCAL_TIME).hour if self._clock.synced() else None
        try:
            jpeg = await camera.parts.snapshot.fetch()
        except ProbeError as error:
            self._see(camera, Answer(picture="unreadable"))
            raise DriverError(str(error)) from None
        true = camera.parts.snapshot.pixel_true
        answer = await camera.eye.at(jpeg, light=light, hour=hour, pixel_true=true)
        self._see(camera, answer)
        if answer.error:
            raise DriverError(answer.error)

    def _see(self, camera: _Camera, answer: Answer) -> None:
        now_s, quiet = self._clock.monotonic(), self._quiet(camera)
        self._post(camera, camera.case.pictured(answer.picture, answer.figures, now_s=now_s, quiet=quiet))

    async def _ask_clock(self, camera: _Camera) -> None:
        if not self._clock.synced():
            return
        assert camera.parts.clock is not None
        offset_s = await camera.parts.clock.clock_offset_s()
        now_s = self._clock.monotonic()
        self._post(camera, camera.case.clock_told(offset_s, now_s=now_s, quiet=self._quiet(camera)))

    async def _ask_recorder(self, camera: _Camera) -> None:
        # A file's time is on the share's clock, and ours must be right to compare with it.
        if not self._clock.synced():
            return
        assert camera.parts.recorder is not None
        age_s = await camera.parts.recorder.recording_age_s()
        now_s = self._clock.monotonic()
        self._post(camera, camera.case.recording_told(age_s, now_s=now_s, quiet=self._quiet(camera)))

    async def _mind_power(self, camera: _Camera) -> None:
        if camera.parts.power is None:
            return
        now_s = self._clock.monotonic()
        allowed = not self._quiet(camera) and self._around.supply_present() is not False
        camera.power, due = see(
            camera.power,
            hung=camera.case.hung(now_s=now_s),
            allowed=allowed,
            now_s=now_s,
            rules=camera.rules,
        )
        if due:
            name = f"relay of {camera.code}"
            try:
                await self._cycle(camera, why="hung")
            except DriverError as error:
                self._hearing.silent(name, error)
            else:
                self._hearing.answers(name)

    async def _cycle(self, camera: _Camera, *, why: str) -> None:
        relay = camera.parts.power
        if relay is None:
            raise DriverError(f"no_relay: the power of {camera.code} is not switched by this node")
        if camera.cycling:
            raise DriverError(f"busy: {camera.code} is being power-cycled already")
        camera.cycling = True
        try:
            relay.set_powered(False)
            await asyncio.sleep(camera.settings.power.off_s)
        finally:
            camera.cycling = False
            relay.set_powered(True)
        camera.power = cycled(camera.power, now_s=self._clock.monotonic(), rules=camera.rules)
        count = len(camera.power.cycles_s)
        self._log.info("camera_power_cycled", camera=camera.code, why=why, cycles_24h=count)
        self._tell(
            "camera_power_cycled",
            pole=camera.pole,
            camera=camera.code,
            detail={"why": why, "cycles_24h": count, "tries": camera.power.tries},
        )

    def _quiet(self, camera: _Camera) -> bool:
        return self._around.in_maintenance(camera.pole)

    def _powered(self, camera: _Camera) -> bool | None:
        try:
            return None if camera.parts.power is None else camera.parts.power.powered()
        except DriverError:
            return None

    def _post(self, camera: _Camera, told: list[Told]) -> None:
        for one in told:
            self._told = True
            word = self._log.warning if one.active else self._log.info
            word(one.kind, camera=camera.code, active=one.active, **one.detail)
            self._tell(one.kind, pole=camera.pole, camera=camera.code, active=one.active, detail=one.detail)
