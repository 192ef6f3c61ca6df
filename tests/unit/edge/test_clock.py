from datetime import UTC, datetime, timedelta

from edge.clock import MockClock, SystemClock, boot_id, kernel_clock_is_synced


def test_the_machines_clock_is_aware_utc_and_steady() -> None:
    clock = SystemClock("trusted")
    assert clock.now().utcoffset() == timedelta(0)
    before_s = clock.monotonic()
    assert clock.monotonic() >= before_s
    assert clock.synced()


def test_the_kernels_word_is_taken_where_it_is_asked_for() -> None:
    assert SystemClock("kernel").synced() == kernel_clock_is_synced()


def test_a_mock_clock_moves_only_when_told() -> None:
    clock = MockClock(datetime(1970, 1, 1, tzinfo=UTC), synced=False)
    steady_s = clock.monotonic()
    clock.advance(90)
    assert clock.monotonic() == steady_s + 90
    clock.jump_to(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.monotonic() == steady_s + 90
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert not clock.synced()


def test_a_moment_pairs_the_wall_with_the_boots_steady_clock() -> None:
    clock = SystemClock("trusted")
    first, second = clock.moment(), clock.moment()
    assert first.boot == second.boot == boot_id()
    assert second.offset_s - first.offset_s < 0.5, "both clocks ran on together"
    assert (first.synced, first.quality) == (True, "synced")


def test_a_reboot_begins_another_steady_clock() -> None:
    clock = MockClock(datetime(2026, 1, 1, tzinfo=UTC))
    before = clock.moment()
    clock.reboot(datetime(1970, 1, 1, tzinfo=UTC))
    after = clock.moment()
    assert after.boot != before.boot
    assert after.mono_s < before.mono_s
    assert after.quality == "unsynced"


class StepsWhileRead(SystemClock):
    """A machine that is interrupted for a second just as its clock is read, and stepped meanwhile."""

    def __init__(self) -> None:
        super().__init__("trusted")
        self.steady_s = iter([10.0, 11.0, *(11.0 + 0.001 * step for step in range(9))])
        self.wall = iter([datetime(1970, 1, 1, tzinfo=UTC), *[datetime(2026, 1, 1, tzinfo=UTC)] * 9])

    def monotonic(self) -> float:
        return next(self.steady_s)

    def now(self) -> datetime:
        return next(self.wall)


def test_a_step_between_two_readings_never_pairs_the_old_wall_with_the_new_second() -> None:
    moment = StepsWhileRead().moment()
    assert moment.utc == datetime(2026, 1, 1, tzinfo=UTC)
    assert 11.0 <= moment.mono_s <= 11.01
