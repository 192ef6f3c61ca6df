"""The set of received seqs, against Python's own set."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest import ranges
from hub.ingest.ranges import RangeSet, compressed

SEQS = st.lists(st.integers(1, 60), max_size=120)


@given(SEQS)
def test_it_knows_exactly_what_was_added_and_says_what_was_new(seqs: list[int]) -> None:
    found, truth = RangeSet(), set[int]()
    for seq in seqs:
        assert found.add(seq) is (seq not in truth)
        truth.add(seq)
        assert {n for n in range(62) if n in found} == truth
        assert found.last == max(truth)


@given(SEQS)
def test_its_ranges_are_ascending_disjoint_and_never_touch(seqs: list[int]) -> None:
    pairs = compressed(seqs)
    for (_, last), (first, _) in pairwise(pairs):
        assert first > last + 1
    assert {n for first, last in pairs for n in range(first, last + 1)} == set(seqs)
    assert RangeSet(pairs).pairs() == pairs


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=40))
def test_spans_go_in_as_their_numbers_would(spans: list[tuple[int, int]]) -> None:
    found, truth = RangeSet(), set[int]()
    for first, more in spans:
        found.add_span(first, first + more)
        truth |= set(range(first, first + more + 1))
        assert found.pairs() == compressed(truth)


def test_a_node_of_gaps_alone_cannot_grow_it_without_end() -> None:
    found = RangeSet()
    for seq in range(1, 2 * ranges.MAX_RANGES + 100, 2):
        found.add(seq)
    assert len(found.pairs()) == ranges.MAX_RANGES
    assert found.pairs()[0][0] == 1
    assert 2 * ranges.MAX_RANGES + 98 not in found
