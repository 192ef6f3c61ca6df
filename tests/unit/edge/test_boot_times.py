from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from edge.clock import MockClock
from edge.outbox.boot_times import BOOT_NOTE, KEEP_BOOTS, BootTimes, Correction
from edge.outbox.outbox_file import Item
from tests.support.nodes import EVENING, event, stamped

WRONG = {
    "1970": datetime(1970, 1, 1, tzinfo=UTC),
    "three days back": EVENING - timedelta(days=3),
    "ten years ahead": EVENING + timedelta(days=3652),
}


def kept(notes: dict[str, bytes | None]) -> dict[str, bytes]:
    """As the outbox gives them back after a restart."""
    return {key.removeprefix(BOOT_NOTE): value for key, value in notes.items() if value is not None}


@pytest.mark.parametrize("start", WRONG.values(), ids=WRONG.keys())
def test_what_was_made_with_a_wrong_clock_gets_its_true_time_once_the_clock_is_right(
    start: datetime,
) -> None:
    clock, times = MockClock(start, synced=False), BootTimes()
    times.observe(clock.moment())
    made: list[Item] = []
    for _ in range(10):
        clock.advance(30)
        made.append(stamped(clock))
        times.observe(clock.moment())
    assert [times.dated(item) for item in made] == made, "nothing is known yet"
    clock.jump_to(EVENING)
    clock.is_synced = True
    correction, notes = times.observe(clock.moment())
    assert correction is not None
    assert correction.by_s == pytest.approx((EVENING - start).total_seconds() - 300, abs=0.01)
    assert len(notes) == 1
    for number, item in enumerate(made):
        dated = times.dated(item)
        truth = EVENING - timedelta(seconds=30 * (9 - number))
        assert abs(dated.time - truth) < timedelta(milliseconds=10)
        assert (dated.clock, dated.time_corrected) == ("synced", True)


def test_a_step_seen_before_the_kernel_calls_the_clock_right_is_told_whole() -> None:
    clock, times = MockClock(EVENING - timedelta(days=3), synced=False), BootTimes()
    times.observe(clock.moment())
    clock.jump_to(EVENING)
    assert times.observe(clock.moment()) == (None, {})
    clock.is_synced = True
    correction, _ = times.observe(clock.moment())
    assert correction is not None
    assert correction.by_s == pytest.approx(3 * 86400)


def test_a_step_during_a_tick_leaves_every_sample_of_it_with_its_true_time() -> None:
    """Meters answer one after the other; the clock is stepped between two, and called right later."""
    clock, times = MockClock(EVENING - timedelta(days=3), synced=False), BootTimes()
    times.observe(clock.moment())
    before = stamped(clock)
    clock.advance(0.2)
    clock.jump_to(EVENING)
    after = stamped(clock)
    clock.advance(30)
    clock.is_synced = True
    times.observe(clock.moment())
    assert abs(times.dated(before).time - (EVENING - timedelta(seconds=0.2))) < timedelta(seconds=0.01)
    assert abs(times.dated(after).time - EVENING) < timedelta(seconds=0.01)


def test_a_right_clock_that_is_moved_again_says_by_how_much_once() -> None:
    clock, times = MockClock(EVENING), BootTimes()
    assert times.observe(clock.moment())[0] is None, "right from the start: nothing was corrected"
    clock.jump_to(EVENING - timedelta(seconds=7))
    assert times.observe(clock.moment())[0] == Correction(-7)
    assert times.observe(clock.moment()) == (None, {})


def test_a_sample_with_a_right_clock_is_left_alone() -> None:
    clock, times = MockClock(EVENING), BootTimes()
    made = stamped(clock)
    clock.jump_to(EVENING + timedelta(seconds=60))
    times.observe(clock.moment())
    assert times.dated(made) is made
    assert times.dated(event()).time == EVENING, "one without a boot is what it says"


def test_a_restart_in_the_same_boot_and_a_reboot_know_what_was_noted() -> None:
    clock, times = MockClock(WRONG["1970"], synced=False), BootTimes()
    made = stamped(clock)
    clock.advance(60)
    clock.jump_to(EVENING)
    clock.is_synced = True
    _, notes = times.observe(clock.moment())
    again = BootTimes(kept(notes))
    assert again.dated(made).time == EVENING - timedelta(seconds=60)
    clock.reboot(WRONG["three days back"])
    after = BootTimes(kept(notes))
    never_synced = stamped(clock)
    after.observe(clock.moment())
    assert after.dated(made).time == EVENING - timedelta(seconds=60), "of the boot before"
    assert after.dated(never_synced) is never_synced
    clock.reboot(EVENING + timedelta(days=1), synced=True)
    after.observe(clock.moment())
    assert after.dated(never_synced) is never_synced, "a boot whose clock was never right stays flagged"


def test_the_earliest_boots_are_forgotten_and_the_notes_with_them() -> None:
    clock, notes = MockClock(EVENING), dict[str, bytes | None]()
    for day in range(KEEP_BOOTS + 5):
        clock.reboot(EVENING + timedelta(days=day), synced=True)
        times = BootTimes(kept(notes))
        notes |= times.observe(clock.moment())[1]
    assert len(kept(notes)) == KEEP_BOOTS
    newest = clock.moment().boot.hex
    assert notes[BOOT_NOTE + newest] is not None


def test_a_damaged_note_is_left_out() -> None:
    times = BootTimes({"short": b"12345678", uuid4().hex: b"1"})
    clock = MockClock(EVENING, synced=False)
    assert times.dated(stamped(clock)).clock == "unsynced"
