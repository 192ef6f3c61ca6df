from datetime import UTC, datetime, timedelta

from edge.clock import MockClock, SystemClock, kernel_clock_is_synced


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
