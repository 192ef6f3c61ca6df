"""When the sun says that a road should be lit: from its setting to its rising at the pole. Pure.

The same measure as a node's own (edge/lamp/schedule.py): the sun's centre at elevation 0°, without refraction,
by astral (after NOAA's solar calculator).
"""

from __future__ import annotations

from datetime import date, timedelta, timezone
from functools import lru_cache

from astral import Observer, SunDirection
from astral.sun import time_of_transit

from hub.uptime.coverage.states import LOCAL_OFFSET_S, SLOTS

_LOCAL = timezone(timedelta(seconds=LOCAL_OFFSET_S))
_ZENITH_DEG = 90.0


def daylight(latitude: float, longitude: float, day: int) -> tuple[int, int]:
    """The minutes of a local day at which the sun has risen and has set: lamps are due outside of them.

    Places are taken to a tenth of a degree (11 km, under half a minute of sun), so that a commune shares them.
    """
    return _daylight(round(latitude, 1), round(longitude, 1), day)


@lru_cache(maxsize=65_536)
def _daylight(latitude: float, longitude: float, day: int) -> tuple[int, int]:
    on = date(1970, 1, 1) + timedelta(days=day)
    observer = Observer(latitude, longitude)
    return _minute(observer, on, SunDirection.RISING), _minute(observer, on, SunDirection.SETTING)


def _minute(observer: Observer, on: date, direction: SunDirection) -> int:
    """The nearest minute of the local day; its end where the sun does not pass the horizon."""
    # astral goes by the day in UTC: the local morning still belongs to the one before.
    for utc_day in (on - timedelta(days=1), on):
        try:
            moment = time_of_transit(observer, utc_day, _ZENITH_DEG, direction, with_refraction=False)
        except ValueError:  # beyond the polar circles, where no Vietnamese commune is
            break
        local = (moment + timedelta(seconds=30)).astimezone(_LOCAL)
        if local.date() == on:
            return local.hour * 60 + local.minute
    return SLOTS
