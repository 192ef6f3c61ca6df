"""Keeps every lamp of a node where it should be: reads the sensors, decides, drives, again and again.

It needs nothing but its pins and a clock, no disk and no network, and loads no library for these: the lamp
is under control before anything else of the agent starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from edge.clock import Clock
from edge.config import NodeConfig, PoleSettings
from edge.devices import PoleDevices
from edge.drivers.ports import DriverError
from edge.lamp.believed_time import Anchor, Believed, believed_time, follow_clock
from edge.lamp.counters import LampCount
from edge.lamp.lamp_control import (
    Decision,
    Evidence,
    Maintenance,
    MotionTrack,
    Override,
    RestRules,
    Switching,
    decide,
    follow_motion,
    let_rest,
    motion_holds,
)
from edge.lamp.photocell import PhotocellRules, PhotocellTrack, follow_photocell, rules_at
from edge.lamp.schedule import (
    FULL,
    Elevation,
    Place,
    Schedule,
    SunWord,
    profile_level,
    sun_elevation_deg,
    sun_word,
)
from protocol.messages import LampReading

SUN_ASKED_EVERY = timedelta(seconds=20)
"""The sun moves a twelfth of a degree in this time."""

Report = Callable[[str, str, str], None]
"""(what happened, pole, detail): called once when an output is lost and once when it is back."""


class NodeTime:
    """The time that the lamps of a node go by."""

    def __init__(self, clock: Clock) -> None:
        self.anchor: Anchor | None = None
        self._clock = clock

    def believed(self) -> Believed | None:
        """The time by the clock, or carried on from when it was right; None when nobody knows."""
        moment = self._clock.moment()
        self.anchor = follow_clock(self.anchor, moment)
        return believed_time(self.anchor, moment)

    def restore(self, anchor: Anchor) -> None:
        """Take up the anchor of an agent that ran earlier in this boot; another boot's is worth nothing."""
        if self.anchor is None and anchor.boot == self._clock.moment().boot:
            self.anchor = anchor


class PoleLight:
    """One lamp: what is commanded, what is in effect and why. What is measured is the meter's word."""

    def __init__(
        self,
        settings: PoleSettings,
        devices: PoleDevices,
        clock: Clock,
        time: NodeTime,
        *,
        elevation: Elevation = sun_elevation_deg,
    ) -> None:
        self.code = settings.code
        self.schedule = schedule_of(settings)
        self.override: Override | None = None
        self.maintenance: Maintenance | None = None
        self.decision: Decision | None = None
        self.output_fault: str | None = None
        self.effect_level: float | None = None
        """What the output says that it is driven to; None while it does not answer."""
        self.effect_since_s = clock.monotonic()
        self.count = LampCount()
        self._lamp = devices.lamp
        self._devices = devices
        self._clock = clock
        self._time = time
        self._elevation = elevation
        self._cell_settings = settings.photocell
        self._cell = PhotocellTrack()
        self._motion = MotionTrack()
        self._motion_stuck_after_s = settings.motion.stuck_after_h * 3600
        self._switching = Switching()
        self._rest = RestRules(settings.schedule.min_on_s, settings.schedule.min_off_s)
        self._sun: tuple[Schedule, datetime, SunWord] | None = None

    @property
    def dark(self) -> bool | None:
        """The photocell's word, as far as it is believed."""
        return self._cell.word(monotonic_s=self._clock.monotonic(), rules=self._cell_rules())

    @property
    def in_maintenance(self) -> bool:
        """Whether people work at this pole."""
        return self.maintenance is not None

    @property
    def wanted_level(self) -> float | None:
        """What the output was last told to be."""
        return None if self.decision is None else self.decision.level

    def rests_until_s(self) -> float | None:
        """When (steady clock) an output that is held back for its contactor's sake may switch; else None."""
        if self.decision is None or self.decision.reason != "contactor_rest":
            return None
        return self._switching.free_at_s(self._rest)

    def step(self) -> Decision:
        """Read, decide, drive once. A failing device never raises here: `output_fault` tells."""
        monotonic_s = self._clock.monotonic()
        self._end_wishes(monotonic_s)
        wanted = decide(self._evidence(monotonic_s))
        self._switching, decision = let_rest(
            self._switching, wanted, monotonic_s=monotonic_s, rules=self._rest
        )
        self.decision = decision
        self._drive(decision.level, monotonic_s)
        return decision

    def reading(self) -> LampReading:
        """The lamp as a sample tells it. The effect is the output's own word, where it gives one."""
        decision = self.decision or self.step()
        return LampReading(
            commanded_level=decision.commanded_level,
            effect_level=decision.level if self.effect_level is None else self.effect_level,
            reason=decision.reason if self.output_fault is None else "output_fault",
            override_until=decision.override_until_utc,
            due=decision.due,
        )

    def _end_wishes(self, monotonic_s: float) -> None:
        now, synced = self._clock.now(), self._clock.synced()
        if self.override is not None and not self.override.stands(
            now=now, monotonic_s=monotonic_s, clock_synced=synced
        ):
            self.override = None
        if self.maintenance is not None and not self.maintenance.stands(
            now=now, monotonic_s=monotonic_s, clock_synced=synced
        ):
            self.maintenance = None

    def _evidence(self, monotonic_s: float) -> Evidence:
        schedule = self.schedule
        self._cell = follow_photocell(
            self._cell, self._read_photocell(), monotonic_s=monotonic_s, rules=self._cell_rules()
        )
        self._motion = follow_motion(
            self._motion,
            self._read_motion(),
            monotonic_s=monotonic_s,
            stuck_after_s=self._motion_stuck_after_s,
        )
        time = self._time.believed()
        moving = motion_holds(self._motion, monotonic_s=monotonic_s, hold_s=schedule.motion_hold_s)
        return Evidence(
            override=self.override,
            maintenance=self.maintenance,
            dark=self.dark,
            sensor_proven=self._cell.proven,
            sun=None if time is None else self._sun_word(time),
            profile=FULL if time is None else profile_level(schedule.dimming, time.utc),
            raised_to=schedule.motion_level if moving else None,
        )

    def _drive(self, level: float, monotonic_s: float) -> None:
        effect: float | None
        try:
            if self._lamp.level() != level:
                self._lamp.set_level(level)
            effect, self.output_fault = self._lamp.level(), None
        except DriverError as error:
            self.output_fault = str(error)
            effect = self._level_or_none()
        self.count.turn(effect, monotonic_s)
        if effect != self.effect_level:
            self.effect_level, self.effect_since_s = effect, monotonic_s

    def _level_or_none(self) -> float | None:
        try:
            return self._lamp.level()
        except DriverError:
            return None

    def _read_photocell(self) -> bool | None:
        try:
            return None if self._devices.photocell is None else self._devices.photocell.read()
        except Exception:  # noqa: BLE001 - a sensor's library must not keep the lamp from being decided
            return None

    def _read_motion(self) -> bool | None:
        try:
            return None if self._devices.motion is None else self._devices.motion.read()
        except Exception:  # noqa: BLE001 - see above
            return None

    def _cell_rules(self) -> PhotocellRules:
        settings = self._cell_settings
        return rules_at(
            self.schedule.place.latitude,
            dark_after_s=settings.dark_after_s,
            light_after_s=settings.light_after_s,
            doubt_dark=settings.doubt_dark,
        )

    def _sun_word(self, time: Believed) -> SunWord | None:
        if self._sun is not None:
            schedule, asked_at, word = self._sun
            if schedule is self.schedule and abs(time.utc - asked_at) < SUN_ASKED_EVERY:
                return word
        try:
            word = sun_word(self.schedule, time.utc, unsure_s=time.unsure_s, elevation=self._elevation)
        except Exception:  # noqa: BLE001 - a sun that can't be computed must not end the lamp's step
            return None
        self._sun = (self.schedule, time.utc, word)
        return word


class Lighting:
    """All lamps of one node."""

    def __init__(self, config: NodeConfig, devices: Mapping[str, PoleDevices], clock: Clock) -> None:
        self.time = NodeTime(clock)
        self.lights = {
            pole.code: PoleLight(pole, devices[pole.code], clock, self.time) for pole in config.poles
        }
        self.on_maintenance_over: Callable[[str], None] = lambda _: None
        """Called with the pole's code when a maintenance has ended by itself."""
        self._faults: dict[str, str] = {}

    def step(self, report: Report | None = None) -> None:
        """Bring every lamp to where it should be."""
        for code, light in self.lights.items():
            in_maintenance = light.in_maintenance
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
            if in_maintenance and not light.in_maintenance:
                self.on_maintenance_over(code)


def schedule_of(settings: PoleSettings) -> Schedule:
    """The schedule that `node.toml` gives a pole, until the hub's configuration comes."""
    wanted = settings.schedule
    return Schedule(
        Place(settings.latitude, settings.longitude),
        wanted.dusk_offset_min,
        wanted.dawn_offset_min,
        tuple(wanted.dimming),
        wanted.motion_level,
        wanted.motion_hold_s,
    )
