from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.config import DiagnosisSettings
from edge.lamp.diagnosis import Diagnosis, SavedDiagnosis
from edge.lamp.expectation import READINGS_TO_LEARN, Expectation
from edge.lamp.standing import Standing
from edge.lamp.verdicts import Observation
from protocol.messages import MeterReading

RATED_W = 60.0
MINUTE = 60.0
HOUR = 3600.0


class Lamp:
    """One lamp's diagnosis under a clock in the hand; a reading each half minute."""

    def __init__(self, *, camera_w: float = 0.0, **settings: Any) -> None:
        self.now_s = 0.0
        self.level = 1.0
        self.since_s = 0.0
        self.changes: list[tuple[str, bool]] = []
        self.details: list[dict[str, Any]] = []
        expectation = Expectation(RATED_W, tolerance_share=0.25, camera_w=camera_w)
        self.diagnosis = Diagnosis(DiagnosisSettings(**settings), expectation, camera_w=camera_w)

    @property
    def faults(self) -> list[str]:
        return self.diagnosis.faults

    def turn(self, level: float) -> None:
        self.level, self.since_s = level, self.now_s

    def run(self, seconds: float, power_w: float | None, *, step_s: float = 30.0, **seen: Any) -> list[str]:
        """Live on with this power; what began (+) and ended (-) meanwhile."""
        start, end_s = len(self.changes), self.now_s + seconds
        volts = seen.pop("voltage_v", 226.0)
        factor = seen.pop("power_factor", 0.95)
        tick = 0
        while self.now_s < end_s:
            self.now_s += step_s
            tick += 1
            meter = None
            if power_w is not None:
                jitter = 0.1 * (tick % 3)
                meter = MeterReading(power_w=power_w, voltage_v=volts + jitter, power_factor=factor)
            look = Observation(
                monotonic_s=self.now_s,
                level=seen.get("level", self.level),
                level_since_s=self.since_s,
                meter=seen.get("meter", meter),
                **{key: value for key, value in seen.items() if key not in ("level", "meter")},
            )
            for change in self.diagnosis.look(look):
                self.changes.append((change.kind, change.active))
                self.details.append(change.detail)
        return [("+" if active else "-") + kind for kind, active in self.changes[start:]]


def test_a_lamp_that_does_as_it_should_is_told_nothing_of() -> None:
    lamp = Lamp()
    assert lamp.run(12 * HOUR, 58) == []
    lamp.turn(0.0)
    assert lamp.run(12 * HOUR, 0.4) == []


def test_a_lamp_that_draws_nothing_has_failed_after_the_hold_off_and_is_well_again_after_its_own() -> None:
    lamp = Lamp()
    assert lamp.run(5 * MINUTE, 0.4) == []
    assert lamp.run(1 * MINUTE, 0.4) == ["+lamp_failure"]
    assert lamp.faults == ["lamp_failure"]
    detail = lamp.details[0]
    assert (detail["power_w"], detail["expected_w"], detail["level"]) == (0.4, 60.0, 1.0)
    assert lamp.run(4.5 * MINUTE, 58) == []
    assert lamp.run(1 * MINUTE, 58) == ["-lamp_failure"]


def test_a_failed_lamp_that_is_out_by_day_is_not_mended() -> None:
    lamp = Lamp()
    lamp.run(10 * MINUTE, 0.4)
    lamp.turn(0.0)
    assert lamp.run(12 * HOUR, 0.4) == []
    assert lamp.faults == ["lamp_failure"]


def test_a_lamp_beside_a_camera_has_failed_though_its_meter_counts_the_camera() -> None:
    lamp = Lamp(camera_w=15)
    assert lamp.run(10 * MINUTE, 10) == ["+lamp_failure"]


def test_a_lamp_too_dim_to_be_told_from_its_camera_is_not_judged() -> None:
    lamp = Lamp(camera_w=15)
    lamp.turn(0.2)
    assert lamp.run(2 * HOUR, 10) == []


def test_power_while_it_should_be_out_is_a_stuck_contactor_when_it_is_the_lamps_own() -> None:
    lamp = Lamp()
    lamp.turn(0.0)
    assert lamp.run(10 * MINUTE, 58) == ["+lamp_unexpected_on"]
    assert lamp.run(10 * MINUTE, 0.4) == ["-lamp_unexpected_on"]


def test_other_power_while_it_should_be_out_is_tapping() -> None:
    lamp = Lamp()
    lamp.turn(0.0)
    assert lamp.run(29 * MINUTE, 300) == []
    assert lamp.run(3 * MINUTE, 300) == ["+power_tapping"]
    assert lamp.run(40 * MINUTE, 0.4) == ["-power_tapping"]


def test_power_above_lamp_and_camera_is_too_high_and_far_above_is_tapping() -> None:
    lamp = Lamp()
    assert lamp.run(1 * HOUR, 85) == ["+lamp_power_too_high"]
    other = Lamp()
    assert other.run(1 * HOUR, 160) == ["+power_tapping"]


def test_a_lamp_that_fades_is_told_once_it_is_warm() -> None:
    lamp = Lamp()
    assert lamp.run(24 * MINUTE, 40) == [], "ten minutes of warm-up and a quarter of an hour"
    assert lamp.run(3 * MINUTE, 40) == ["+lamp_power_too_low"]


def test_a_magnetic_ballast_in_a_voltage_sag_is_the_supplys_fault() -> None:
    assert Lamp().run(2 * HOUR, 43, voltage_v=190.0) == ["+supply_voltage_too_low"]


def test_voltage_has_a_hysteresis() -> None:
    lamp = Lamp()
    assert lamp.run(15 * MINUTE, 58, voltage_v=244.0) == ["+supply_voltage_too_high"]
    assert lamp.run(1 * HOUR, 58, voltage_v=241.0) == []
    assert lamp.run(15 * MINUTE, 58, voltage_v=238.0) == ["-supply_voltage_too_high"]


def test_a_bad_power_factor_is_told_of_a_lamp_that_burns_well() -> None:
    lamp = Lamp()
    assert lamp.run(1 * HOUR, 58, power_factor=0.5) == ["+power_factor_too_low"]
    dim = Lamp()
    dim.turn(0.3)
    assert dim.run(2 * HOUR, 18, power_factor=0.5) == [], "dimmed drivers have no good power factor"


def test_a_lamp_that_comes_and_goes_is_cycling_not_failing() -> None:
    lamp = Lamp()
    lamp.run(10 * MINUTE, 58)
    told: list[str] = []
    for _ in range(4):
        told += lamp.run(3 * MINUTE, 0.4) + lamp.run(7 * MINUTE, 58)
    assert told == ["+cycling_failure"]
    assert lamp.run(50 * MINUTE, 58) == []
    assert lamp.run(30 * MINUTE, 58) == ["-cycling_failure"]


def test_the_nodes_own_switching_is_no_cycling() -> None:
    lamp = Lamp()
    for _ in range(20):
        lamp.turn(0.0)
        assert lamp.run(4 * MINUTE, 0.4) == []
        lamp.turn(1.0)
        assert lamp.run(4 * MINUTE, 58) == []


def test_a_relay_that_contradicts_its_command_in_both_directions_is_the_relay() -> None:
    lamp = Lamp()
    lamp.turn(0.0)
    assert lamp.run(10 * MINUTE, 58) == ["+lamp_unexpected_on"]
    lamp.turn(1.0)
    assert lamp.run(10 * MINUTE, 0.4) == ["-lamp_unexpected_on", "+relay_failure"]
    assert lamp.faults == ["relay_failure"]
    assert lamp.run(10 * MINUTE, 58) == [], "one direction mended is not both"
    lamp.turn(0.0)
    assert lamp.run(10 * MINUTE, 0.4) == ["-relay_failure"]


def test_an_output_that_says_it_does_not_do_as_told_is_the_relay() -> None:
    lamp = Lamp()
    assert lamp.run(3 * MINUTE, 58, follows=False) == ["+relay_failure"]
    assert lamp.run(10 * MINUTE, 58, follows=True) == ["-relay_failure"]


def test_a_silent_meter_is_told_of_and_nothing_is_made_up_of_its_silence() -> None:
    lamp = Lamp()
    assert lamp.run(9 * MINUTE, None) == []
    assert lamp.run(3 * MINUTE, None) == ["+meter_stale"]
    assert lamp.run(3 * MINUTE, 58) == ["-meter_stale"]
    assert Lamp().run(2 * HOUR, None, has_meter=False) == [], "a pole without one has no stale one"


def test_a_meter_that_repeats_itself_is_stale() -> None:
    lamp = Lamp()
    frozen = MeterReading(power_w=58.0, voltage_v=226.1, power_factor=0.95)
    assert lamp.run(65 * MINUTE, 0, meter=frozen) == []
    assert lamp.run(10 * MINUTE, 0, meter=frozen) == ["+meter_stale"]


def test_no_lamp_is_blamed_for_a_meter_that_repeats_itself() -> None:
    lamp = Lamp()
    frozen = MeterReading(power_w=58.0, voltage_v=226.1, power_factor=0.95)
    lamp.run(10 * MINUTE, 0, meter=frozen)
    lamp.turn(0.0)
    assert lamp.run(40 * MINUTE, 0, meter=frozen) == [], "it says what it said before the switch"


def test_nothing_is_judged_while_the_supply_is_lost() -> None:
    lamp = Lamp()
    lamp.run(10 * MINUTE, 0.4)
    assert lamp.run(5 * HOUR, None, supply_present=False) == []
    assert lamp.faults == ["lamp_failure"], "what stood before is not mended by a power cut"


def test_a_dead_circuit_is_told_as_voltage_not_as_a_lamp() -> None:
    assert Lamp().run(2 * HOUR, 0.0, voltage_v=0.0) == ["+supply_voltage_too_low"]


def test_an_output_that_does_not_answer_says_nothing_of_the_lamp() -> None:
    assert Lamp().run(2 * HOUR, 0.4, level=None) == []


def test_in_maintenance_nothing_is_told_and_what_stood_is_ended() -> None:
    lamp = Lamp()
    lamp.run(10 * MINUTE, 0.4)
    assert lamp.run(1 * HOUR, 0.4, maintenance=True) == ["-lamp_failure"]
    assert lamp.details[-1] == {"ended_by": "maintenance"}
    assert lamp.faults == []
    assert lamp.run(10 * MINUTE, 0.4) == ["+lamp_failure"], "the visit did not mend it"


def test_two_odd_readings_are_no_fault_however_seldom_is_sampled() -> None:
    lamp = Lamp()
    assert lamp.run(2 * HOUR, 0.4, step_s=HOUR) == []
    assert lamp.run(1 * HOUR, 0.4, step_s=HOUR) == ["+lamp_failure"]


def test_what_stands_and_what_was_learned_outlive_a_restart() -> None:
    lamp = Lamp()
    lamp.run(2 * HOUR, 50)
    lamp.run(10 * MINUTE, 0.4)
    saved = msgspec.json.decode(msgspec.json.encode(lamp.diagnosis.to_save()), type=SavedDiagnosis)
    again = Lamp()
    again.diagnosis.restore(saved)
    assert again.faults == ["lamp_failure"]
    assert again.diagnosis.expectation.at(1.0).power_w == pytest.approx(50)
    assert again.run(10 * MINUTE, 50) == ["-lamp_failure"]


def learned(readings: Iterable[tuple[float, float]], rated_w: float = RATED_W) -> Expectation:
    expectation = Expectation(rated_w, tolerance_share=0.25, camera_w=0)
    for level, power_w in readings:
        expectation.learn(level, power_w)
    return expectation


def test_a_dimmed_lamps_power_is_learned_by_band() -> None:
    expectation = learned([(0.5, 34.0)] * READINGS_TO_LEARN)
    assert expectation.at(0.5).power_w == 34.0
    assert expectation.at(0.5).learned
    assert not expectation.at(1.0).learned


def test_a_lamp_outside_the_set_tolerance_is_never_learned() -> None:
    assert not learned([(1.0, 40.0)] * 1000).at(1.0).learned


def test_a_lamp_that_fades_slowly_is_not_got_used_to() -> None:
    fading = [(1.0, 60.0)] * READINGS_TO_LEARN + [(1.0, 60 - step / 100) for step in range(1500)]
    assert learned(fading).at(1.0).power_w == 60.0


def test_another_rated_power_is_another_lamp() -> None:
    expectation = learned([(1.0, 55.0)] * READINGS_TO_LEARN)
    expectation.revise(60.0, 0.3)
    assert expectation.at(1.0).learned
    expectation.revise(40.0, 0.25)
    assert not expectation.at(1.0).learned
    other = Expectation(40.0, tolerance_share=0.25, camera_w=0)
    other.restore(learned([(1.0, 55.0)] * READINGS_TO_LEARN).to_save())
    assert not other.at(1.0).learned, "a note about another lamp is void"


def test_maintenance_makes_the_node_learn_anew() -> None:
    lamp = Lamp()
    lamp.run(2 * HOUR, 50)
    assert lamp.diagnosis.expectation.at(1.0).learned
    lamp.run(1 * MINUTE, 50, maintenance=True)
    lamp.run(1 * MINUTE, 50)
    assert not lamp.diagnosis.expectation.at(1.0).learned


def test_an_overdriven_lamp_that_draws_more_as_the_mains_rises_at_night_is_not_tapped() -> None:
    lamp = Lamp()
    lamp.run(2 * HOUR, 60)
    assert lamp.run(2 * HOUR, 88) == ["+lamp_power_too_high"]
    assert lamp.run(3 * HOUR, 100) == []
    assert lamp.run(2 * HOUR, 60 + 150) == ["-lamp_power_too_high", "+power_tapping"], "beside a real tap"


def overdriven_evening(lamp: Lamp) -> None:
    """At full light it draws a third too much, dimmed no more than an unlearned driver may."""
    assert lamp.run(2 * HOUR, 80) == ["+lamp_power_too_high"]
    lamp.turn(0.5)
    assert lamp.run(4 * HOUR, 41) == ["-lamp_power_too_high"]


def test_a_lamp_that_is_ill_at_full_light_is_not_learned_dimmed() -> None:
    lamp = Lamp()
    overdriven_evening(lamp)
    assert not lamp.diagnosis.expectation.at(0.5).learned
    assert lamp.run(4 * HOUR, 30) == [], "mended, it is not told as too weak"
    lamp.turn(1.0)
    lamp.run(2 * HOUR, 60)
    lamp.turn(0.5)
    lamp.run(2 * HOUR, 30)
    assert lamp.diagnosis.expectation.at(0.5).power_w == pytest.approx(30)


def test_that_a_lamp_was_ill_at_full_light_outlives_a_restart() -> None:
    lamp, again = Lamp(), Lamp()
    overdriven_evening(lamp)
    again.diagnosis.restore(lamp.diagnosis.to_save())
    again.turn(0.5)
    again.run(4 * HOUR, 41)
    assert not again.diagnosis.expectation.at(0.5).learned


def test_an_ill_lamp_that_was_worked_at_is_learned_anew() -> None:
    lamp = Lamp()
    overdriven_evening(lamp)
    lamp.run(1 * MINUTE, 30, maintenance=True)
    lamp.run(2 * HOUR, 30)
    assert lamp.diagnosis.expectation.at(0.5).power_w == pytest.approx(30)


def test_one_odd_reading_before_a_lamp_is_dimmed_delays_what_is_learned_by_a_night_at_most() -> None:
    lamp = Lamp()
    lamp.run(2 * HOUR, 60)
    lamp.run(30, 80)
    lamp.turn(0.5)
    lamp.run(2 * HOUR, 33)
    assert not lamp.diagnosis.expectation.at(0.5).learned
    lamp.turn(1.0)
    lamp.run(10 * MINUTE, 60)
    lamp.turn(0.5)
    lamp.run(2 * HOUR, 33)
    assert lamp.diagnosis.expectation.at(0.5).learned


def test_what_can_not_be_told_neither_shortens_nor_prolongs_a_hold_off() -> None:
    standing = Standing(begin_after_s=300, end_after_s=300)
    assert [standing.look(True, second) for second in (0, 100, 200)] == [None] * 3
    for second in range(300, 5000, 100):
        assert standing.look(None, second) is None
    assert standing.look(True, 5000) is None, "only 200 s have been seen"
    assert standing.look(True, 5100) is True


KINDS = [
    "lamp_failure", "lamp_unexpected_on", "cycling_failure", "lamp_power_too_low", "lamp_power_too_high",
    "relay_failure", "power_factor_too_low", "supply_voltage_too_low", "supply_voltage_too_high",
    "power_tapping", "meter_stale", "feeder_loss", "phase_open",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_diagnosis_is_in_the_table(kind: str) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "edge-diagnosis.md").read_text()
    assert f"\n| `{kind}`" in docs


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(DiagnosisSettings)])
def test_every_threshold_stands_beside_its_diagnosis(field: str) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "edge-diagnosis.md").read_text()
    assert f"`{field}`" in docs
