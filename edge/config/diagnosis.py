"""From when on a measurement is a fault. docs/edge-diagnosis.md says why each default is what it is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

HoldOff = Annotated[float, Meta(ge=0, le=86_400)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Volts = Annotated[float, Meta(ge=0, le=500)]
Watts = Annotated[float, Meta(ge=0, le=1_000_000)]


class DiagnosisSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds and hold-offs of every lamp and of the feeder's head."""

    settle_s: HoldOff = 30.0
    """After the output has changed, nothing is judged for so long."""
    warm_up_s: HoldOff = 600.0
    """A discharge lamp needs so long for its full power; an LED falls by some percent."""
    clear_after_s: HoldOff = 300.0
    """A diagnosis ends once its cause has been away for so long."""
    fail_share: Share = 0.15
    """A lit lamp below this share of its expected power has failed."""
    failure_after_s: HoldOff = 300.0
    unexpected_on_after_s: HoldOff = 300.0
    power_after_s: HoldOff = 900.0
    cycling_returns: Annotated[int, Meta(ge=2, le=100)] = 3
    """So many times the lamp came back by itself …"""
    cycling_within_s: Annotated[float, Meta(ge=60, le=86_400)] = 3600.0
    """… within so long."""
    relay_after_s: HoldOff = 60.0
    power_factor_min: Share = 0.8
    power_factor_from_w: Watts = 15.0
    """Below this power a meter's power factor means little."""
    power_factor_after_s: HoldOff = 900.0
    voltage_low_v: Volts = 198.0
    voltage_high_v: Volts = 242.0
    voltage_hysteresis_v: Volts = 2.0
    voltage_after_s: HoldOff = 600.0
    tapping_above_w: Watts = 25.0
    """So much above what lamp and cameras may draw is someone else's."""
    tapping_after_s: HoldOff = 1800.0
    stale_after_s: HoldOff = 600.0
    frozen_after_s: HoldOff = 3600.0
    """A meter whose every value, voltage included, stands still for so long repeats itself."""
    feeder_loss_share: Share = 0.15
    feeder_loss_above_w: Watts = 50.0
    feeder_own_w: Watts = 20.0
    """What the cabinet itself draws behind the feeder's meter: node, modem, recorder."""
    feeder_after_s: HoldOff = 1800.0
    phase_dead_v: Volts = 110.0
    """Below this a phase has no voltage."""
    phase_loaded_a: Annotated[float, Meta(gt=0, le=100)] = 0.3
    """A phase that carried at least this much while lamps were lit is expected to carry again."""
    phase_open_after_s: HoldOff = 120.0

    def __post_init__(self) -> None:
        """Low is below high."""
        if self.voltage_low_v >= self.voltage_high_v:
            raise ValueError("`voltage_low_v` must be below `voltage_high_v`")
