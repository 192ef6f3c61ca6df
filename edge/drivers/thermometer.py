"""Thermometers that the kernel reads for us: DS18B20 on the 1-Wire bus, and the processor's own.

A DS18B20 converts for 0.75 s while the reader of its file waits, so both are read in a thread.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from edge.drivers.ports import DriverError

W1_DEVICES = Path("/sys/bus/w1/devices")
THERMAL_ZONE = Path("/sys/class/thermal/thermal_zone0/temp")
POWER_ON_MILLI_C = 85_000
"""What a DS18B20 says that lost its power during the conversion (its data sheet's reset value)."""


class _InAThread:
    """Reads in a thread, one at a time: a file that never answers must not take every thread there is."""

    def __init__(self) -> None:
        self._reading: asyncio.Future[float | None] | None = None

    async def read(self) -> float | None:
        """°C, None when the sensor has no good word. Raises DriverError."""
        if self._reading is not None and not self._reading.done():
            raise DriverError("thermometer: the last reading has not come back yet")
        self._reading = asyncio.get_running_loop().run_in_executor(None, self._read)
        # Whoever waits may give up; what the thread says then is heard by nobody.
        self._reading.add_done_callback(lambda reading: reading.cancelled() or reading.exception())
        return await asyncio.shield(self._reading)

    def _read(self) -> float | None:
        raise NotImplementedError


class Ds18b20(_InAThread):
    """One sensor by its name, or the only one on the bus. Its file is looked for at every reading, so a
    sensor that is plugged in again is found again.
    """

    def __init__(self, sensor: str | None = None, *, devices: Path = W1_DEVICES) -> None:
        super().__init__()
        self._sensor = sensor
        self._devices = devices

    def _read(self) -> float | None:
        """None when the checksum is wrong or the sensor had just lost power."""
        path = self._find() / "w1_slave"
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise DriverError(f"DS18B20 {path.parent.name}: {error.strerror}") from error
        # "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES", then the same bytes with "t=23125": w1_therm in the kernel.
        answer = re.search(r"YES\s*$.*t=(-?\d+)", text, re.MULTILINE | re.DOTALL)
        if answer is None or int(answer[1]) == POWER_ON_MILLI_C:
            return None
        return int(answer[1]) / 1000

    def _find(self) -> Path:
        if self._sensor is not None:
            return self._devices / self._sensor
        found = sorted(self._devices.glob("28-*"))
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise DriverError(f"DS18B20: one sensor is expected under {self._devices}, found {names}")
        return found[0]


class CpuThermometer(_InAThread):
    """The processor's temperature, some 10 to 25 °C above the cabinet's."""

    def __init__(self, zone: Path = THERMAL_ZONE) -> None:
        super().__init__()
        self._zone = zone

    def _read(self) -> float:
        try:
            return int(self._zone.read_text()) / 1000
        except (OSError, ValueError) as error:
            raise DriverError(f"CPU temperature: {self._zone}: {error}") from error
