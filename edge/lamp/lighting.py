"""Keeps every lamp of a node where it should be: reads the photocell, decides, drives, again and again.

It needs nothing but its pins and a clock, no disk and no network, and loads no library for these: the lamp
is under control before anything else of the agent starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.clock import Clock
from edge.config import NodeConfig, PoleSettings
from edge.devices import PoleDevices
from edge.drivers.ports import DriverError
from edge.lamp.lamp_control import (
    Decision,
    Override,
    PhotocellRules,
    PhotocellTrack,
    decide,
    follow_photocell,
    sun_is_down,
)
from protocol.messages import LampReading

SUN_ASKED_EVERY = timedelta(seconds=20)
"""The sun moves a twelfth of a degree in this time."""

Report = Callable[[str, str, str], None]
"""(what happened, pole, detail): called once when an output is lost and once when it is back."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pole stands, degrees."""

    latitude: float
    longitude: float


class PoleLight:
    """One lamp: what is commanded, what is in effect and why. What is measured is the meter's word."""

    def __init__(self, settings: PoleSettings, devices: PoleDevices, clock: Clock) -> None:
        self.code = settings.code
        self.place = Place(settings.latitude, settings.longitude)
        self.override: Override | None = None
        self.decision: Decision | None = None
        self.output_fault: str | None = None
        self._devices = devices
        self._clock = clock
        self._track = PhotocellTrack()
        self._rules = PhotocellRules(settings.photocell.dark_after_s, settings.photocell.light_after_s)
        self._sun: tuple[Place, datetime, bool] | None = None

    @property
    def dark(self) -> bool | None:
        """The photocell's believed word."""
        return self._track.believed

    def step(self) -> Decision:
        """Read, decide, drive once. A failing device never raises here: `output_fault` tells."""
        monotonic_s, synced = self._clock.monotonic(), self._clock.synced()
        now = self._clock.now()
        if self.override is not None and not self.override.stands(
            now=now, monotonic_s=monotonic_s, clock_synced=synced
        ):
            self.override = None
        self._track = follow_photocell(
            self._track, self._read_photocell(), monotonic_s=monotonic_s, rules=self._rules
        )
        decision = decide(
            override=self.override,
            dark=self._track.believed,
            sun_down=self._sun_down(now) if synced else None,
        )
        self.decision = decision
        self._drive(decision.level)
        return decision

    def reading(self) -> LampReading:
        """The lamp as a sample tells it. The effect is the output's own word, where it gives one."""
        decision = self.decision or self.step()
        try:
            driven = self._devices.lamp.level()
        except DriverError as error:
            self.output_fault = str(error)
            driven = None
        return LampReading(
            commanded_level=decision.commanded_level,
            effect_level=decision.level if driven is None else driven,
            reason=decision.reason if self.output_fault is None else "output_fault",
            override_until=decision.override_until_utc,
        )

    def _drive(self, level: float) -> None:
        try:
            if self._devices.lamp.level() != level:
                self._devices.lamp.set_level(level)
            self.output_fault = None
        except DriverError as error:
            self.output_fault = str(error)

    def _read_photocell(self) -> bool | None:
        if self._devices.photocell is None:
            return None
        try:
            return self._devices.photocell.read()
        except DriverError:
            return None

    def _sun_down(self, now: datetime) -> bool:
        if self._sun is not None:
            place, asked_at, down = self._sun
            if place == self.place and abs(now - asked_at) < SUN_ASKED_EVERY:
                return down
        down = sun_is_down(self.place.latitude, self.place.longitude, now)
        self._sun = (self.place, now, down)
        return down


class Lighting:
    """All lamps of one node."""

    def __init__(self, config: NodeConfig, devices: Mapping[str, PoleDevices], clock: Clock) -> None:
        self.lights = {pole.code: PoleLight(pole, devices[pole.code], clock) for pole in config.poles}
        self._faults: dict[str, str] = {}

    def step(self, report: Report | None = None) -> None:
        """Bring every lamp to where it should be."""
        for code, light in self.lights.items():
            try:
                light.step()
            except Exception as error:  # noqa: BLE001 - whatever one pole's library throws, the next pole is lit
                light.output_fault = f"{type(error).__name__}: {error}"
            was, fault = self._faults.get(code), light.output_fault
            if fault is not None:
                self._faults[code] = fault
            else:
                self._faults.pop(code, None)
            if report is not None and (was is None) != (fault is None):
                report("lamp_output_lost" if fault else "lamp_output_back", code, fault or was or "")
