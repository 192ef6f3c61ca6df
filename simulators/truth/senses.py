"""What a node finds out about its lamp and its camera, by the agent's own decisions on a simulated circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.camera.case import CameraCase, Told
from edge.camera.devices import StreamResult, StreamState
from edge.camera.picture.words import Picture
from edge.config import DiagnosisSettings
from edge.config.camera import CameraSettings
from edge.drivers.ports import Reachability
from edge.lamp.diagnosis import CYCLING_FAILURE, Diagnosis
from edge.lamp.expectation import Expectation
from edge.lamp.standing import Change
from edge.lamp.verdicts import (
    LAMP_FAILURE,
    LAMP_UNEXPECTED_ON,
    POWER_FACTOR_TOO_LOW,
    POWER_TOO_HIGH,
    POWER_TOO_LOW,
    Observation,
)
from protocol.messages import CameraReading, LampReading, MeterReading
from simulators.lamp_circuit import LampCircuit
from simulators.lamp_year import TROUBLES
from simulators.seeded import seeded
from simulators.truth.layout import Site
from simulators.truth.moment import Moment
from simulators.truth.plan import CAMERA_TROUBLES
from simulators.world import photocell_threshold_deg

TOLERANCE = 0.25
CAMERA_BUDGET_W = 15.0
REACH_EVERY_S = 60.0
CAMERA_PERIODS = {
    "reach": REACH_EVERY_S,
    "stream": 120.0,
    "picture": 300.0,
    "clock": 3600.0,
    "recording": 900.0,
}
METER_SLIPS = 0.002
"""Of all readings: no answer, or a value that is nonsense."""
PICTURE_SLIPS = 0.006
"""Of all pictures: a wrong word, as measured by `ngonden bench scenes`."""
MOTION_SHARE = 0.1
"""Of all readings of a dimmed lamp: somebody passes and it burns at full light."""


BY_NIGHT = frozenset({CYCLING_FAILURE, LAMP_FAILURE, POWER_TOO_LOW, POWER_TOO_HIGH, POWER_FACTOR_TOO_LOW})
BY_DAY = frozenset({LAMP_UNEXPECTED_ON})
"""When these show, and show to be over."""


@dataclass(frozen=True, slots=True)
class LampWord:
    """One tick of a lamp: what its sample tells, and what has changed."""

    reading: LampReading
    meter: MeterReading | None
    faults: list[str]
    changes: Sequence[Change]
    dark: bool


class LampSense:
    """One pole's lamp with its meter and the agent's diagnosis of it."""

    def __init__(self, site: Site, *, seed: int) -> None:
        self._site = site
        self._random = seeded(seed, "lamp", site.pole.code)
        self._camera_w = CAMERA_BUDGET_W if site.pole.cameras else 0.0
        self._circuit = LampCircuit(
            self._random,
            seed=seed,
            number=site.number,
            rated_w=site.pole.lamp_rated_w,
            has_camera=bool(site.pole.cameras),
            feeder=site.pole.feeder,
        )
        self._threshold_deg = photocell_threshold_deg(seed=seed, pole=site.pole.code)
        self._diagnosis = self._new_diagnosis()
        self._level, self._level_since_s = -1.0, 0.0
        self._frozen: MeterReading | None = None
        self.trouble = "well"

    @property
    def faults(self) -> list[str]:
        """What the diagnosis tells now."""
        return self._diagnosis.faults

    def restart(self) -> None:
        """The agent was started anew: it keeps what stood and what it had learned."""
        saved = self._diagnosis.to_save()
        self._diagnosis = self._new_diagnosis()
        self._diagnosis.restore(saved)

    def unsettled(self, moment: Moment) -> bool:
        """Whether the diagnosis does not tell what is so, or tells what is no more, and could tell it now.

        A lamp that comes and goes is always worth a closer look: every ten minutes nobody sees it come and go.
        """
        dark = moment.sun_deg < self._threshold_deg
        expected = TROUBLES[self.trouble] if moment.shows(self.trouble) else None
        if expected == CYCLING_FAILURE:
            return dark
        told = set(self._diagnosis.faults)
        unsettled = told ^ ({expected} if expected is not None else set())
        return any(
            not (kind in BY_NIGHT and not dark) and not (kind in BY_DAY and dark) for kind in unsettled
        )

    def look(self, moment: Moment, *, supply: bool | None, mains: bool, maintenance: bool) -> LampWord:
        """One tick. `supply` is what the mains' input says, `mains` what is so."""
        dark = moment.sun_deg < self._threshold_deg
        level = 1.0 if maintenance else self._circuit.level(moment.now, dark=dark)
        reason = "maintenance" if maintenance else "photocell"
        if level == 0.5 and self._random.random() < MOTION_SHARE:
            level, reason = 1.0, "motion"
        if level != self._level:
            self._level, self._level_since_s = level, moment.at_s
        meter = self._metered(moment, level) if mains else None
        changes = self._diagnosis.look(
            Observation(
                monotonic_s=moment.at_s,
                level=level,
                level_since_s=self._level_since_s,
                follows=True,
                meter=meter,
                supply_present=supply,
                maintenance=maintenance,
            )
        )
        reading = LampReading(effect_level=level, reason=reason, due=dark)
        return LampWord(reading, meter, self._diagnosis.faults, changes, dark)

    def _metered(self, moment: Moment, level: float) -> MeterReading | None:
        meter = self._circuit.meter(moment.now, moment.at_s, level, trouble=self.trouble)
        if self.trouble == "meter silent":
            return None
        if self.trouble == "meter frozen":
            self._frozen = self._frozen or meter
            return self._frozen
        self._frozen = None
        if self._random.random() < METER_SLIPS:
            return None if self._random.random() < 0.5 else self._nonsense(meter)
        return meter

    def _nonsense(self, meter: MeterReading) -> MeterReading:
        power_w = self._random.choice((0.0, 3 * meter.power_w + 40, 1999.9))
        return MeterReading(power_w=power_w, voltage_v=self._random.choice((0.0, 180.0, meter.voltage_v)))

    def _new_diagnosis(self) -> Diagnosis:
        expectation = Expectation(
            self._site.pole.lamp_rated_w, tolerance_share=TOLERANCE, camera_w=self._camera_w
        )
        return Diagnosis(DiagnosisSettings(), expectation, camera_w=self._camera_w)


class CameraSense:
    """One camera, asked each question when its time has come."""

    def __init__(self, code: str, *, seed: int) -> None:
        self.code = code
        self.trouble: str | None = None
        self.trouble_since_s = 0.0
        self._random = seeded(seed, "camera", code)
        self._asked_s = dict.fromkeys(CAMERA_PERIODS, float("-inf"))
        self._slow = self._random.uniform(2, 14)
        self._drift_s = self._random.uniform(-3, 3)
        self._case = self._new_case()

    @property
    def faults(self) -> list[str]:
        """What stands now."""
        return self._case.faults

    @property
    def unsettled(self) -> bool:
        """Whether what stands is not yet, or no longer, what is so."""
        expected = None if self.trouble is None else CAMERA_TROUBLES[self.trouble]
        told = self._case.faults
        return expected not in told if expected is not None else bool(told)

    def restart(self) -> None:
        """The agent was started anew: what stood is restored, rounds are not."""
        faults = self._case.faults
        self._case = self._new_case()
        self._case.restore(faults)
        self._asked_s = dict.fromkeys(CAMERA_PERIODS, float("-inf"))

    def look(self, moment: Moment, *, mains: bool, maintenance: bool) -> list[Told]:
        """Ask what is due; a camera without mains does not answer."""
        told: list[Told] = []
        up = mains and self.trouble != "camera offline"
        if self._due("reach", moment.at_s):
            result = Reachability(
                up, round(self._slow * self._random.lognormvariate(0, 0.25), 1) if up else None
            )
            told += self._case.reached(result, now_s=moment.at_s, quiet=maintenance)
        if not up:
            # A camera that does not answer its port is not asked for more.
            return told
        if self._due("stream", moment.at_s):
            state: StreamState = "no_media" if self.trouble == "camera stream lost" else "live"
            told += self._case.streamed(StreamResult(state), now_s=moment.at_s, quiet=maintenance)
        if self._due("picture", moment.at_s):
            told += self._case.pictured(self._picture(), {}, now_s=moment.at_s, quiet=maintenance)
        if self._due("clock", moment.at_s):
            off_s = self._drift_s + (400.0 if self.trouble == "camera clock drift" else 0.0)
            told += self._case.clock_told(off_s, now_s=moment.at_s, quiet=maintenance)
        if self._due("recording", moment.at_s):
            age_s = self._random.uniform(5, 300)
            if self.trouble == "recording gap":
                age_s += moment.at_s - self.trouble_since_s
            told += self._case.recording_told(age_s, now_s=moment.at_s, quiet=maintenance)
        return told

    def reading(self, moment: Moment) -> CameraReading | None:
        """What a sample tells of it."""
        return self._case.reading(now_s=moment.at_s, powered=None)

    def _picture(self) -> Picture | None:
        words: dict[str | None, Picture] = {
            "camera frozen": "frozen",
            "camera dark": "dark",
            "camera covered": "covered",
            "camera defocused": "defocused",
            "camera moved": "moved",
        }
        if self.trouble == "camera stream lost":
            return None
        if self._random.random() < PICTURE_SLIPS:
            return self._random.choice(("ok", "covered", "defocused", "moved"))
        return words.get(self.trouble, "ok")

    def _due(self, question: str, at_s: float) -> bool:
        if at_s - self._asked_s[question] < CAMERA_PERIODS[question] - 1:
            return False
        self._asked_s[question] = at_s
        return True

    def _new_case(self) -> CameraCase:
        settings = CameraSettings(code=self.code, driver="mock")
        return CameraCase(settings, reach_interval_s=REACH_EVERY_S)
