from hypothesis import given
from hypothesis import strategies as st

from edge.outbox.ranges import RangeSet

SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=30)


@given(SPANS)
def test_it_holds_exactly_what_was_added_in_as_few_runs_as_possible(spans: list[tuple[int, int]]) -> None:
    ranges, numbers = RangeSet(), set[int]()
    for first, length in spans:
        ranges.add(first, first + length)
        numbers.update(range(first, first + length + 1))
    assert {number for number in range(90) if number in ranges} == numbers
    assert ranges.size == len(numbers)
    assert ranges.ranges == sum(1 for number in numbers if number - 1 not in numbers)
    assert [number for first, last in ranges for number in range(first, last + 1)] == sorted(numbers)
    assert bool(ranges) == bool(numbers)


def test_an_empty_range_adds_nothing() -> None:
    ranges = RangeSet()
    ranges.add(5, 4)
    assert not ranges


def test_clear_forgets_all() -> None:
    ranges = RangeSet()
    ranges.add(1, 9)
    ranges.clear()
    assert not ranges
    assert 5 not in ranges
