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
from simulators.lamp_circuit import LampCircuit, Nights
from simulators.seeded import seeded

START = datetime(2026, 1, 1, 5, 0, tzinfo=UTC)
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
        circuit = LampCircuit(
            random, seed=self.seed, number=self.number, rated_w=self.rated_w, has_camera=self.camera_w > 0
        )
        cuts = _power_cuts(random, self.days)
        episodes = list(enumerate(self.episodes()))
        sun = Nights()
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
            level = circuit.level(now, dark=sun.is_dark(now))
            trouble = self.trouble if episode is not None else "well"
            meter = circuit.meter(now, at_s, level, trouble=trouble) if powered else None
            if self.trouble == "meter frozen" and episode is not None:
                frozen = frozen or meter
                meter = frozen if powered else None
            elif self.trouble == "meter silent" and episode is not None:
                meter = None
            else:
                frozen = None
            yield Tick(at_s, level, meter, powered, episode)
            at_s += self.step_s


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
