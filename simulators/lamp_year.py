"""A lamp's life with known faults, tick by tick: what its diagnosis is judged by. Pure functions of a seed.

Each lamp has one trouble that comes, stays for some days and is mended, again and again. Around it everything
varies as on a real road: power beside its rating, warm-up, dimming, a camera behind the same meter, noise,
evenings with low voltage, magnetic ballasts that follow it, and power cuts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from protocol.messages import MeterReading
from simulators.seeded import seeded
from simulators.world import mains_v, sun_elevation_deg, warm_up_factor

START = datetime(2026, 1, 1, 5, 0, tzinfo=UTC)
LATITUDE, LONGITUDE = 21.4731, 105.255
DAY_S = 86_400.0
LEARNING_DAYS = 2.0
"""New lamps are well at first, as a rule."""

TROUBLES = {
    "well": None,
    "burnt out": "lamp_failure",
    "stuck contactor": "lamp_unexpected_on",
    "relay inverted": "relay_failure",
    "comes and goes": "cycling_failure",
    "fades": "lamp_power_too_low",
    "overdriven": "lamp_power_too_high",
    "capacitor gone": "power_factor_too_low",
    "tapped in the evening": "power_tapping",
    "tapped by day": "power_tapping",
    "voltage sags": "supply_voltage_too_low",
    "voltage soars": "supply_voltage_too_high",
    "meter silent": "meter_stale",
    "meter frozen": "meter_stale",
}
"""Every trouble, and the event kind that should tell of it."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One moment of a lamp's life, and what is true of it."""

    at_s: float
    level: float
    meter: MeterReading | None
    supply_present: bool
    episode: int | None
    """Which stay of the trouble this is; None while all is well."""


@dataclass(frozen=True, slots=True)
class LampLife:
    """One simulated lamp. `days` from 1 January 2026, one tick each `step_s`."""

    trouble: str
    number: int
    seed: int
    days: float
    step_s: float = 60.0

    @property
    def name(self) -> str:
        """Names the lamp's random numbers."""
        return f"{self.trouble} {self.number}"

    @property
    def rated_w(self) -> float:
        """What the register says."""
        return (40.0, 60.0, 100.0, 150.0)[self.number % 4]

    @property
    def camera_w(self) -> float:
        """The budget of what else hangs behind the meter."""
        return 15.0 if self.number % 3 == 0 else 0.0

    def episodes(self) -> list[tuple[float, float]]:
        """(begin, end) of each stay of the trouble, seconds from the start."""
        if TROUBLES[self.trouble] is None:
            return []
        random = seeded(self.seed, "episodes", self.name)
        found, at_s = [], random.uniform(LEARNING_DAYS, LEARNING_DAYS + 2) * DAY_S
        while at_s < (self.days - 5) * DAY_S:
            end_s = at_s + random.uniform(2, 4) * DAY_S
            found.append((at_s, end_s))
            at_s = end_s + random.uniform(4, 40) * DAY_S
        return found

    def ticks(self) -> Iterator[Tick]:
        """The whole life; moments without supply are told as such, and then the meter is silent."""
        random = seeded(self.seed, "life", self.name)
        physics = _Physics(self, random)
        cuts = _power_cuts(random, self.days)
        episodes = list(enumerate(self.episodes()))
        sun = _Nights()
        frozen: MeterReading | None = None
        at_s = 0.0
        while at_s < self.days * DAY_S:
            now = START + timedelta(seconds=at_s)
            while cuts and at_s > cuts[0][1]:
                cuts.pop(0)
            while episodes and at_s > episodes[0][1][1]:
                episodes.pop(0)
            powered = not (cuts and cuts[0][0] <= at_s)
            episode = episodes[0][0] if episodes and episodes[0][1][0] <= at_s else None
            level = physics.level(now, dark=sun.is_dark(now))
            meter = physics.meter(now, at_s, level, ill=episode is not None) if powered else None
            if self.trouble == "meter frozen" and episode is not None:
                frozen = frozen or meter
                meter = frozen if powered else None
            elif self.trouble == "meter silent" and episode is not None:
                meter = None
            else:
                frozen = None
            yield Tick(at_s, level, meter, powered, episode)
            at_s += self.step_s


class _Physics:
    """What the circuit draws."""

    def __init__(self, life: LampLife, random: Random) -> None:
        self._life = life
        self._random = random
        self._true_w = life.rated_w * random.uniform(0.9, 1.1)
        self._camera_w = random.uniform(6, 12) if life.camera_w else 0.0
        self._magnetic = life.number % 4 == 3
        self._dims = life.number % 2 == 0
        self._along = random.random()
        self._power_factor = random.uniform(0.9, 0.97)
        self._lit_since_s: float | None = None
        self._cycle_ends_s = 0.0
        self._cycle_dark = False
        self._energy_wh = 0.0

    def level(self, now: datetime, *, dark: bool) -> float:
        """What the node drives: full at dusk, half from 23:00 to 04:00 where the lamp dims."""
        if not dark:
            return 0.0
        hour = (now + timedelta(hours=7)).hour
        return 0.5 if self._dims and (hour >= 23 or hour < 4) else 1.0

    def meter(self, now: datetime, at_s: float, level: float, *, ill: bool) -> MeterReading:
        """What the meter says while there is power."""
        life, random = self._life, self._random
        trouble = life.trouble if ill else "well"
        hour = (now + timedelta(hours=7)).hour
        volts = mains_v(seed=life.seed, feeder=f"F{life.number % 5}", along=self._along, now=now)
        if trouble == "voltage sags" and 18 <= hour < 22:
            volts -= 28
        if trouble == "voltage soars" and (hour >= 22 or hour < 5):
            volts += 30
        glow = self._glow(trouble, level, at_s)
        if glow == 0:
            self._lit_since_s = None
        elif self._lit_since_s is None:
            self._lit_since_s = at_s
        power_w = 0.4 + self._camera_w * random.uniform(0.9, 1.1)
        if glow > 0 and self._lit_since_s is not None:
            lamp_w = self._true_w * (glow if glow == 1 else 0.04 + glow) * random.gauss(1, 0.01)
            lamp_w *= warm_up_factor(at_s - self._lit_since_s)
            power_w += lamp_w * ((volts / 222) ** 2 if self._magnetic else 1.0)
        if trouble == "tapped in the evening" and 18 <= hour < 22:
            power_w += 150 + 40 * random.random()
        if trouble == "tapped by day" and 9 <= hour < 15:
            power_w += 300 + 100 * random.random()
        factor = 0.5 if trouble == "capacitor gone" and glow > 0 else self._power_factor
        self._energy_wh += power_w * life.step_s / 3600
        return MeterReading(
            power_w=round(power_w, 1),
            voltage_v=round(volts * random.gauss(1, 0.001), 1),
            current_a=round(power_w / (volts * factor), 3),
            power_factor=round(factor + random.gauss(0, 0.005), 2),
            energy_wh=round(self._energy_wh),
        )

    def _glow(self, trouble: str, level: float, at_s: float) -> float:
        if trouble == "burnt out":
            return 0.0
        if trouble == "stuck contactor":
            return level or 1.0
        if trouble == "relay inverted":
            return 0.0 if level > 0 else 1.0
        if trouble == "fades":
            return 0.6 * level
        if trouble == "overdriven":
            return 1.45 * level
        if trouble == "comes and goes" and level > 0:
            if at_s >= self._cycle_ends_s:
                self._cycle_dark = not self._cycle_dark
                minutes = self._random.uniform(2, 4) if self._cycle_dark else self._random.uniform(5, 12)
                self._cycle_ends_s = at_s + 60 * minutes
            return 0.0 if self._cycle_dark else level
        return level


class _Nights:
    """When a photocell calls it dark; the sun is asked every five minutes."""

    def __init__(self) -> None:
        self._asked_at: datetime | None = None
        self._dark = False

    def is_dark(self, now: datetime) -> bool:
        if self._asked_at is None or now - self._asked_at >= timedelta(minutes=5):
            self._asked_at = now
            self._dark = sun_elevation_deg(LATITUDE, LONGITUDE, now) < -2.5
        return self._dark


def _power_cuts(random: Random, days: float) -> list[tuple[float, float]]:
    """Four a month, from minutes to half a day."""
    cuts: list[tuple[float, float]] = []
    at_s = 0.0
    while True:
        at_s += random.expovariate(1 / (7.5 * DAY_S))
        if at_s >= days * DAY_S:
            return cuts
        end_s = at_s + min(DAY_S / 2, random.expovariate(1 / 5400) + 300)
        cuts.append((at_s, end_s))
        at_s = end_s
