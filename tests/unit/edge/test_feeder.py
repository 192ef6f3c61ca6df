from typing import Any

import msgspec
import pytest

from edge.config import DiagnosisSettings
from edge.lamp.feeder import Feeder, FeederSeen, SavedFeeder
from protocol.messages import MeterReading

MINUTE = 60.0
HOUR = 3600.0


def phase(power_w: float, *, voltage_v: float = 225.0) -> MeterReading:
    current_a = power_w / voltage_v if voltage_v > 0 else 0.0
    return MeterReading(power_w=power_w, voltage_v=voltage_v, current_a=round(current_a, 3))


class Cabinet:
    def __init__(self, phases: int = 3) -> None:
        self.now_s = 0.0
        self.count = phases
        self.feeder = Feeder(DiagnosisSettings(), phases)
        self.details: list[dict[str, Any]] = []

    def run(
        self,
        seconds: float,
        *phases: MeterReading | None,
        lamps_w: float = 0.0,
        unknown_w: float = 0.0,
        unknown_poles: int = 0,
        all_off: bool | None = False,
    ) -> list[str]:
        told, end_s = [], self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 30
            seen = FeederSeen(
                monotonic_s=self.now_s,
                phases=phases,
                lamps_w=lamps_w,
                unknown_w=unknown_w,
                unknown_poles=unknown_poles,
                all_off=all_off,
            )
            for change in self.feeder.look(seen):
                told.append(("+" if change.active else "-") + change.kind)
                self.details.append(change.detail)
        return told


def test_a_feeder_whose_lamps_explain_its_power_is_told_nothing_of() -> None:
    assert Cabinet().run(5 * HOUR, phase(660), phase(640), phase(660), lamps_w=1880) == []


def test_power_that_no_lamp_explains_is_loss_at_night_and_tapping_by_day() -> None:
    cabinet = Cabinet()
    night = (phase(900), phase(700), phase(660))
    assert cabinet.run(29 * MINUTE, *night, lamps_w=1880) == []
    assert cabinet.run(3 * MINUTE, *night, lamps_w=1880) == ["+feeder_loss"]
    assert cabinet.details[0]["elsewhere_w"] == 360.0
    assert cabinet.run(10 * MINUTE, phase(660), phase(640), phase(660), lamps_w=1880) == ["-feeder_loss"]
    day = (phase(250), phase(5), phase(5))
    assert cabinet.run(1 * HOUR, *day, lamps_w=12, all_off=True) == ["+power_tapping"]
    assert cabinet.run(5 * HOUR, *night, lamps_w=2200) == [], "by night nobody can tell whether it went on"
    assert cabinet.run(10 * MINUTE, phase(20), phase(5), phase(5), lamps_w=12, all_off=True) == [
        "-power_tapping"
    ]


def test_a_lamp_that_burns_by_day_is_not_tapping_when_its_meter_says_so() -> None:
    assert Cabinet().run(2 * HOUR, phase(80), phase(4), phase(4), lamps_w=70, all_off=True) == []


def test_one_silent_lamp_makes_the_bound_looser_and_not_the_judgement_wrong() -> None:
    cabinet = Cabinet()
    seen = {"lamps_w": 1820.0, "unknown_w": 75.0, "unknown_poles": 1}
    assert cabinet.run(2 * HOUR, phase(660), phase(640), phase(660), **seen) == []  # type: ignore[arg-type]
    assert cabinet.run(1 * HOUR, phase(1300), phase(640), phase(660), **seen) == [  # type: ignore[arg-type]
        "+feeder_loss"
    ]
    assert cabinet.details[0]["unknown_poles"] == 1


def test_with_a_silent_phase_nothing_is_said_of_loss() -> None:
    assert Cabinet().run(HOUR, phase(900), None, phase(900), lamps_w=10)[:1] == ["+phase_open"]


@pytest.mark.parametrize(
    ("dead", "evidence"), [(phase(0, voltage_v=3.0), "no_voltage"), (None, "meter_silent")]
)
def test_a_phase_without_voltage_while_others_have_it_is_open(
    dead: MeterReading | None, evidence: str
) -> None:
    cabinet = Cabinet()
    cabinet.run(10 * MINUTE, phase(660), phase(640), phase(660), lamps_w=1900)
    assert cabinet.run(5 * MINUTE, phase(660), dead, phase(660), lamps_w=1260) == ["+phase_open"]
    assert cabinet.details[-1] == {"phase": 2, "evidence": evidence}
    assert cabinet.run(10 * MINUTE, phase(660), phase(640), phase(660), lamps_w=1900) == ["-phase_open"]


def test_a_phase_that_carried_lamps_and_carries_none_is_open() -> None:
    cabinet = Cabinet()
    cabinet.run(10 * MINUTE, phase(660), phase(640), phase(660), lamps_w=1900)
    cabinet.run(10 * HOUR, phase(5), phase(5), phase(5), lamps_w=12, all_off=True)
    assert cabinet.run(5 * MINUTE, phase(660), phase(3), phase(660), lamps_w=1280) == ["+phase_open"]
    assert cabinet.details[-1] == {"phase": 2, "evidence": "no_current"}
    assert cabinet.run(10 * HOUR, phase(5), phase(3), phase(5), lamps_w=12, all_off=True) == []


def test_a_phase_that_never_had_lamps_is_not_missed() -> None:
    assert Cabinet().run(5 * HOUR, phase(660), phase(3), phase(660), lamps_w=1300) == []


def test_a_power_cut_of_all_phases_opens_none() -> None:
    dead = phase(0, voltage_v=0.0)
    assert Cabinet().run(HOUR, dead, dead, dead) == []
    assert Cabinet().run(HOUR, None, None, None) == []


def test_a_single_phase_is_never_open() -> None:
    assert Cabinet(1).run(HOUR, phase(0, voltage_v=0.0)) == []


def test_what_stands_and_which_phases_are_loaded_outlive_a_restart() -> None:
    cabinet = Cabinet()
    cabinet.run(10 * MINUTE, phase(660), phase(640), phase(660), lamps_w=1900)
    cabinet.run(5 * MINUTE, phase(660), phase(0, voltage_v=0), phase(660), lamps_w=1300)
    saved = msgspec.json.decode(msgspec.json.encode(cabinet.feeder.to_save()), type=SavedFeeder)
    again = Cabinet()
    again.feeder.restore(saved)
    assert saved.loaded == [True, True, True]
    assert again.run(10 * MINUTE, phase(660), phase(640), phase(660), lamps_w=1900) == ["-phase_open"]
