"""A meter that measures a mock lamp."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from time import monotonic

from edge.drivers.mock_lamp import MockLamp
from protocol.messages import MeterReading

STANDBY_W = 0.4
"""What a driver and its meter draw with the lamp off."""
POWER_FACTOR = 0.95


class MockMeter:
    """Power follows the lamp's glow with 1 % noise; energy adds up from reading to reading.

    `silent` answers nothing; `mains_v` is the supply's voltage, 0 in a power cut. The noise comes from
    `random`, so a seed replays it; `seconds` is the steady clock that energy is counted by.
    """

    def __init__(
        self,
        lamp: MockLamp,
        *,
        lamp_rated_w: float,
        random: Random | None = None,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._lamp = lamp
        self._lamp_rated_w = lamp_rated_w
        self._random = random or Random()  # noqa: S311 - noise, not a secret
        self._seconds = seconds
        self._read_at_s = seconds()
        self._energy_wh = 0.0
        self.silent = False
        self.mains_v = 228.0

    async def read(self) -> MeterReading | None:
        """One reading, or None while `silent`."""
        if self.silent:
            return None
        voltage_v = self.mains_v * self._random.gauss(1.0, 0.002)
        power_w = 0.0
        if voltage_v > 0:
            power_w = self._lamp.glow() * self._lamp_rated_w * self._random.gauss(1.0, 0.01) + STANDBY_W
        now_s = self._seconds()
        self._energy_wh += power_w * (now_s - self._read_at_s) / 3600
        self._read_at_s = now_s
        return MeterReading(
            power_w=round(power_w, 2),
            voltage_v=round(voltage_v, 1),
            current_a=round(power_w / (voltage_v * POWER_FACTOR), 3) if voltage_v > 0 else 0.0,
            power_factor=POWER_FACTOR,
            energy_wh=round(self._energy_wh, 1),
        )

    def close(self) -> None:
        """Nothing to let go of."""
