"""What one reading says for and against each fault of a lamp. Pure, without memory.

A verdict is True (the reading shows it), False (it shows that it is not so) or None (it can't tell).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.config.diagnosis import DiagnosisSettings
from edge.lamp.expectation import Expectation, Expected
from protocol.messages import MeterReading

STANDBY_W = 2.0
"""What a dark lamp's driver may draw."""
BACK_SHARE = 0.03
"""How far inside its bounds a value must be to speak against the fault."""
TAPPING_BACK_SHARE = 0.7
TAPPED_SHARE = 0.25
"""A lamp's own fault may raise its power by so much more before someone else is suspected."""
RISE_SHARE = 1.15
"""A magnetic ballast draws with the square of the voltage, which rises by some 7 % from evening to night."""

LAMP_FAILURE: Final = "lamp_failure"
LAMP_UNEXPECTED_ON: Final = "lamp_unexpected_on"
POWER_TOO_LOW: Final = "lamp_power_too_low"
POWER_TOO_HIGH: Final = "lamp_power_too_high"
POWER_FACTOR_TOO_LOW: Final = "power_factor_too_low"
VOLTAGE_TOO_LOW: Final = "supply_voltage_too_low"
VOLTAGE_TOO_HIGH: Final = "supply_voltage_too_high"
POWER_TAPPING: Final = "power_tapping"

Verdicts = dict[str, bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One lamp at one moment."""

    monotonic_s: float
    level: float | None
    """What the output is driven to; None while it does not answer."""
    level_since_s: float
    follows: bool | None = None
    """Whether the output's own word agrees with what it was told."""
    has_meter: bool = True
    meter: MeterReading | None
    """None is a silent meter."""
    supply_present: bool | None = None
    """False while the mains' own input says that it is gone."""
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a lit lamp's power tells what: below `failed_w` it is dark, above `tapped_w` someone else draws."""

    expected: Expected
    failed_w: float
    tapped_w: float

    @property
    def tells_failure(self) -> bool:
        """Whether a dark lamp can be told from one that is well: not at the dimmest beside a camera."""
        return self.expected.low_w > self.failed_w


def bounds(expected: Expected, settings: DiagnosisSettings, camera_w: float) -> Bounds:
    """The bounds at one level."""
    return Bounds(
        expected,
        failed_w=camera_w + max(STANDBY_W, settings.fail_share * expected.power_w),
        tapped_w=expected.high_w + max(settings.tapping_above_w, TAPPED_SHARE * expected.power_w),
    )


def judge_voltage(voltage_v: float | None, settings: DiagnosisSettings) -> Verdicts:
    """Too low, too high."""
    if voltage_v is None:
        return {VOLTAGE_TOO_LOW: None, VOLTAGE_TOO_HIGH: None}
    margin_v = settings.voltage_hysteresis_v
    low, high = settings.voltage_low_v, settings.voltage_high_v
    return {
        VOLTAGE_TOO_LOW: _beyond(low - voltage_v, margin_v),
        VOLTAGE_TOO_HIGH: _beyond(voltage_v - high, margin_v),
    }


def judge_lit(
    level: float,
    meter: MeterReading,
    *,
    expectation: Expectation,
    settings: DiagnosisSettings,
    camera_w: float,
    warm: bool,
    too_high: bool = False,
) -> Verdicts:
    """A lamp that should burn at `level` and has had its time to settle.

    `too_high`: it is told as drawing too much; what it draws more as the mains rises at night is its own then.
    """
    at = bounds(expectation.at(level), settings, camera_w)
    expected, power_w = at.expected, meter.power_w
    verdicts: Verdicts = {}
    if at.tells_failure:
        clearly_lit_w = (at.failed_w + expected.low_w) / 2
        verdicts[LAMP_FAILURE] = (
            True if power_w < at.failed_w else False if power_w >= clearly_lit_w else None
        )
    # A magnetic ballast draws with the square of the voltage: a bad supply is no lamp's fault.
    supply_is_good = not any(judge_voltage(meter.voltage_v, settings).values())
    if warm and supply_is_good:
        if at.tells_failure:
            failed = power_w < at.failed_w
            verdicts[POWER_TOO_LOW] = (
                False if failed else _beyond(expected.low_w - power_w, BACK_SHARE * expected.low_w)
            )
        tapped_w = at.tapped_w * (RISE_SHARE if too_high else 1)
        tapped = power_w > tapped_w
        verdicts[POWER_TOO_HIGH] = (
            False if tapped else _beyond(power_w - expected.high_w, BACK_SHARE * expected.high_w)
        )
        verdicts[POWER_TAPPING] = _beyond(
            power_w - tapped_w, (1 - TAPPING_BACK_SHARE) * settings.tapping_above_w
        )
    if warm and level >= 0.5 and meter.power_factor is not None and power_w >= settings.power_factor_from_w:
        verdicts[POWER_FACTOR_TOO_LOW] = _beyond(
            settings.power_factor_min - abs(meter.power_factor), BACK_SHARE
        )
    return verdicts


def judge_dark(
    meter: MeterReading,
    *,
    expectation: Expectation,
    settings: DiagnosisSettings,
    camera_w: float,
    tapped: bool,
) -> Verdicts:
    """A lamp that should be out: drawing as a lamp does, it burns; drawing otherwise, someone else does.

    `tapped`: tapping stands already, so that what looks like the lamp's own power need not be it.
    """
    full = expectation.at(1.0)
    power_w = meter.power_w
    like_the_lamp = full.low_w <= power_w <= full.high_w
    allowed_w = camera_w + STANDBY_W
    if tapped or not like_the_lamp:
        tapping = _beyond(
            power_w - allowed_w - settings.tapping_above_w,
            (1 - TAPPING_BACK_SHARE) * settings.tapping_above_w,
        )
        return {LAMP_UNEXPECTED_ON: False, POWER_TAPPING: tapping}
    return {LAMP_UNEXPECTED_ON: True}


def evidence(
    verdicts: Mapping[str, bool | None], observation: Observation, expectation: Expectation
) -> dict[str, str | int | float | bool | None]:
    """The numbers that a change was seen by, as an event's detail."""
    detail: dict[str, str | int | float | bool | None] = {}
    level, meter = observation.level, observation.meter
    if level is not None:
        detail["level"] = level
        expected = expectation.at(level or 1.0)
        detail["expected_w"] = round(expected.power_w, 1)
        detail["expectation"] = "learned" if expected.learned else "set"
    if meter is not None:
        detail["power_w"] = meter.power_w
        if meter.voltage_v is not None:
            detail["voltage_v"] = meter.voltage_v
        if POWER_FACTOR_TOO_LOW in verdicts and meter.power_factor is not None:
            detail["power_factor"] = meter.power_factor
    return detail


def _beyond(excess: float, margin: float) -> bool | None:
    """True above 0, False from `margin` below 0 on, None in between."""
    if excess > 0:
        return True
    return False if excess <= -margin else None
