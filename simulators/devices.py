"""The edge's own mock drivers, fed by the world model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from edge.camera.devices import CameraDevices
from edge.clock import Clock
from edge.devices import PoleDevices
from edge.drivers.mock_camera import MockCamera
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_meter import MockMeter
from edge.drivers.mock_photocell import MockPhotocell
from simulators.commune import Commune, PoleSite
from simulators.scenario import Scenario
from simulators.seeded import seeded
from simulators.world import (
    camera_latency_ms,
    mains_v,
    photocell_threshold_deg,
    sun_elevation_deg,
    warm_up_factor,
)


class WarmingLamp(MockLamp):
    """A mock lamp that draws a little less as it warms up."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        super().__init__()
        self._seconds = seconds
        self._lit_since_s: float | None = None

    def set_level(self, level: float) -> None:
        """Remember the level and since when it burns."""
        super().set_level(level)
        if level == 0:
            self._lit_since_s = None
        elif self._lit_since_s is None:
            self._lit_since_s = self._seconds()

    def glow(self) -> float:
        """Its light and power, warm-up included."""
        since_s = self._lit_since_s
        return super().glow() * (1.0 if since_s is None else warm_up_factor(self._seconds() - since_s))


@dataclass(slots=True)
class SimulatedPole:
    """One pole's devices, and the handles by which the world moves them."""

    site: PoleSite
    lamp: WarmingLamp
    meter: MockMeter
    photocell: MockPhotocell
    cameras: dict[str, MockCamera]

    def for_agent(self) -> PoleDevices:
        """What the agent of this pole gets."""
        return PoleDevices(
            lamp=self.lamp,
            photocell=self.photocell,
            meter=self.meter,
            cameras={code: CameraDevices(reach=camera) for code, camera in self.cameras.items()},
        )


@dataclass(slots=True)
class SimulatedWorld:
    """All poles of a scenario. `step` moves mains, sky and cameras to a moment."""

    scenario: Scenario
    commune: Commune
    clock: Clock
    poles: dict[str, SimulatedPole] = field(init=False)

    def __post_init__(self) -> None:
        """Set up every pole with its faults, and the world as it is now."""
        self.poles = {site.code: self._set_up(site) for site in self.commune.poles}
        self.step(self.clock.now())

    def step(self, now: datetime) -> None:
        """Move the world to `now`, aware UTC."""
        seed = self.scenario.seed
        centre = self.commune.file
        # The sun stands equally high over all of a commune; only the sensors differ.
        height_deg = sun_elevation_deg(centre.latitude, centre.longitude, now)
        for pole in self.poles.values():
            pole.meter.mains_v = mains_v(seed=seed, feeder=pole.site.feeder, along=pole.site.along, now=now)
            threshold_deg = photocell_threshold_deg(seed=seed, pole=pole.site.code)
            pole.photocell.dark = self.scenario.sky == "night" or height_deg < threshold_deg
            for code, camera in pole.cameras.items():
                camera.latency_ms = camera_latency_ms(seed=seed, camera=code, now=now)

    def _set_up(self, site: PoleSite) -> SimulatedPole:
        faults = self.scenario.faults
        lamp = WarmingLamp(self.clock.monotonic)
        lamp.burnt_out = site.code in faults.lamps_burnt_out
        lamp.stuck_on = site.code in faults.lamps_stuck_on
        noise = seeded(self.scenario.seed, "meter", site.code)
        meter = MockMeter(lamp, lamp_rated_w=site.lamp_rated_w, random=noise, seconds=self.clock.monotonic)
        meter.silent = site.code in faults.meters_silent
        cameras = {
            code: MockCamera(reachable=code not in faults.cameras_unreachable) for code in site.cameras
        }
        return SimulatedPole(site, lamp, meter, MockPhotocell(), cameras)
