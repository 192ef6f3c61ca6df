"""What one lamp's circuit draws and what its meter says of it, well or with a known trouble."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from protocol.messages import MeterReading
from simulators.world import mains_v, sun_elevation_deg, warm_up_factor

LATITUDE, LONGITUDE = 21.4731, 105.255
EVENING_TAP_W = (150.0, 190.0)
"""What somebody who taps the line in the evening draws, at least and at most."""


class LampCircuit:
    """One lamp and its meter: every second `number` dims, each fourth has a magnetic ballast."""

    def __init__(
        self,
        random: Random,
        *,
        seed: int,
        number: int,
        rated_w: float,
        has_camera: bool,
        feeder: str | None = None,
    ) -> None:
        self._random = random
        self._seed = seed
        self._feeder = feeder or f"F{number % 5}"
        self._true_w = rated_w * random.uniform(0.9, 1.1)
        self._camera_w = random.uniform(6, 12) if has_camera else 0.0
        self._magnetic = number % 4 == 3
        self._dims = number % 2 == 0
        self._along = random.random()
        self._power_factor = random.uniform(0.9, 0.97)
        self._lit_since_s: float | None = None
        self._cycle_ends_s = 0.0
        self._cycle_dark = False
        self._energy_wh = 0.0
        self._read_at_s: float | None = None

    def level(self, now: datetime, *, dark: bool) -> float:
        """What the node drives: full at dusk, half from 23:00 to 04:00 where the lamp dims."""
        if not dark:
            return 0.0
        hour = (now + timedelta(hours=7)).hour
        return 0.5 if self._dims and (hour >= 23 or hour < 4) else 1.0

    def meter(self, now: datetime, at_s: float, level: float, *, trouble: str) -> MeterReading:
        """What the meter says while there is power. `trouble` is a word of `lamp_year.TROUBLES`."""
        random = self._random
        hour = (now + timedelta(hours=7)).hour
        volts = mains_v(seed=self._seed, feeder=self._feeder, along=self._along, now=now)
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
            power_w += EVENING_TAP_W[0] + (EVENING_TAP_W[1] - EVENING_TAP_W[0]) * random.random()
        if trouble == "tapped by day" and 9 <= hour < 15:
            power_w += 300 + 100 * random.random()
        factor = 0.5 if trouble == "capacitor gone" and glow > 0 else self._power_factor
        if self._read_at_s is not None:
            self._energy_wh += power_w * (at_s - self._read_at_s) / 3600
        self._read_at_s = at_s
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


class Nights:
    """When a photocell calls it dark; the sun is asked every five minutes."""

    def __init__(self) -> None:
        self._asked_at: datetime | None = None
        self._dark = False

    def is_dark(self, now: datetime) -> bool:
        """Whether it is night now, in the middle of the commune."""
        if self._asked_at is None or now - self._asked_at >= timedelta(minutes=5):
            self._asked_at = now
            self._dark = sun_elevation_deg(LATITUDE, LONGITUDE, now) < -2.5
        return self._dark
