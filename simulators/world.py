"""What the simulated commune does by itself: mains, sky, heat. Pure functions of time and a seed.

Two runs with one seed see the same voltage at the same moment, so a finding can be replayed.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from math import exp, pi, sin

from astral import Observer
from astral.sun import elevation

from simulators.seeded import seeded

LOCAL = timezone(timedelta(hours=7))

NOMINAL_V = 226.0
"""What a rural transformer in Vietnam is set to, so that the last house still has its 220 V."""

_EVENING_SAG_V = 9.0
_FEEDER_DROP_V = 7.0
_WARM_UP_DROP = 0.06
_WARM_UP_S = 600.0


def mains_v(*, seed: int, feeder: str, along: float, now: datetime) -> float:
    """The supply's voltage at a pole; `along` is 0 at the cabinet and 1 at the feeder's end.

    Lowest between 18 and 21 o'clock when everybody cooks and watches, with slow wandering on top.
    """
    local = now.astimezone(LOCAL)
    hour = local.hour + local.minute / 60 + local.second / 3600
    load = 0.25 + 0.75 * exp(-(((hour - 19.5) / 2.2) ** 2)) + 0.35 * exp(-(((hour - 11.5) / 1.8) ** 2))
    wander = sum(
        amplitude_v * sin(2 * pi * now.timestamp() / period_s + phase)
        for amplitude_v, period_s, phase in _waves(seed, feeder)
    )
    return NOMINAL_V + wander - load * (_EVENING_SAG_V + _FEEDER_DROP_V * along)


def warm_up_factor(lit_for_s: float) -> float:
    """The share of its cold power that an LED lamp draws after so long: its forward voltage falls with heat."""
    return 1.0 - _WARM_UP_DROP * (1.0 - exp(-max(0.0, lit_for_s) / _WARM_UP_S))


def sun_elevation_deg(latitude: float, longitude: float, now: datetime) -> float:
    """The sun's true height over the horizon, degrees, as astral computes it; without refraction."""
    return elevation(Observer(latitude, longitude), now, with_refraction=False)


def photocell_threshold_deg(*, seed: int, pole: str) -> float:
    """At which height of the sun this pole's sensor calls it dark: trees and cheap parts make them differ."""
    return seeded(seed, "photocell", pole).gauss(-2.5, 0.8)


def camera_latency_ms(*, seed: int, camera: str, now: datetime) -> float:
    """How long a camera takes to answer now: a few milliseconds, more where the line is long."""
    base = seeded(seed, "camera", camera).uniform(2.0, 14.0)
    noise = seeded(seed, camera, int(now.timestamp()) // 5)
    return round(base * noise.lognormvariate(0.0, 0.25), 1)


@lru_cache(maxsize=256)
def _waves(seed: int, feeder: str) -> tuple[tuple[float, float, float], ...]:
    random = seeded(seed, "mains", feeder)
    return tuple(
        (random.uniform(0.4, 1.2), period_s * random.uniform(0.8, 1.2), random.uniform(0, 2 * pi))
        for period_s in (37.0, 260.0, 1900.0)
    )
