import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lamp.counters import LampCount, SavedCount


def metered(*readings: tuple[float, float]) -> LampCount:
    count = LampCount()
    for second, energy_wh in readings:
        count.meter(energy_wh, second, at_most_w=1000)
    return count


def test_burning_time_and_switches_add_up() -> None:
    count = LampCount()
    for second, level in ((0, 1.0), (100, 0.5), (200, 0.0), (300, 1.0), (350, None), (400, 0.0)):
        count.turn(level, second)
    totals = count.totals()
    assert (totals.burning_s, totals.switches) == (300, 1), (
        "dimming is no switch, and a mute output burns on"
    )


def test_energy_is_the_meters_differences() -> None:
    assert metered((0, 5000), (3600, 5060), (7200, 5118)).totals().energy_wh == 118


def test_a_meter_that_was_reset_or_wrapped_loses_nothing() -> None:
    assert metered((0, 9_999_990), (60, 9_999_995), (120, 3)).totals().energy_wh == 8


def test_a_glitch_is_not_counted_and_the_next_difference_is() -> None:
    assert metered((0, 100), (60, 900_000), (120, 105), (180, 106)).totals().energy_wh == 1


def test_what_was_saved_goes_on_after_a_restart_also_the_energy_of_the_pause() -> None:
    before = metered((0, 1000), (3600, 1060))
    before.turn(1.0, 0)
    before.turn(0.0, 3600)
    before.supply_lost()
    saved = msgspec.json.decode(msgspec.json.encode(before.to_save()), type=SavedCount)
    after = LampCount()
    after.restore(saved)
    after.meter(1075, 20, at_most_w=1000)
    totals = after.totals()
    assert (totals.burning_s, totals.switches, totals.energy_wh, totals.supply_losses) == (3600, 0, 75, 1)


def test_what_was_saved_is_added_once() -> None:
    count = LampCount()
    for _ in range(3):
        count.restore(SavedCount(burning_s=100, switches=2))
    assert count.totals().switches == 2


@given(st.lists(st.floats(0, 500), min_size=1, max_size=50), st.sets(st.integers(0, 49)))
def test_no_reset_and_no_restart_makes_a_count_fall(gains: list[float], breaks: set[int]) -> None:
    count, meter_wh, expected, before = LampCount(), 1000.0, 0.0, 0.0
    count.meter(meter_wh, 0, at_most_w=1000)
    for number, gain in enumerate(gains):
        if number in breaks and number % 2:
            meter_wh = 0.0
        elif number in breaks:
            saved, count = count.to_save(), LampCount()
            count.restore(saved)
        meter_wh += gain
        expected += gain
        count.meter(meter_wh, (number + 1) * 3600, at_most_w=1000)
        assert count.totals().energy_wh >= before
        before = count.totals().energy_wh
    # A reset hides what was drawn up to the first reading below the old one; a restart rounds to 0.1 Wh.
    assert before <= expected + 0.1 * len(gains) + 0.1
    if not breaks:
        assert before == pytest.approx(expected, abs=0.1)
