"""Which seqs of an epoch are committed: a sorted set of ranges, small as long as there are few gaps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

MAX_RANGES = 10_000
"""A node that leaves more gaps than this is broken; its oldest gaps are then taken as filled, so that
one node cannot make every commit of the hub slow."""


class RangeSet:
    """Seqs from 1 up, kept as disjoint, non-touching ranges in ascending order."""

    __slots__ = ("_firsts", "_lasts", "last")

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        """Of all ranges but the highest, whose end moves with nearly every seq and stands apart."""
        self.last = 0
        """The highest seq that is in; 0 while there is none. To be read only."""
        for first, last in ranges:
            self._firsts.append(first)
            self._lasts.append(last)
        self._lift()

    def add(self, seq: int) -> bool:
        """Put one seq in; False when it was there already."""
        if self.last and seq == self.last + 1:  # what nearly always happens
            self.last = seq
            return True
        if seq in self:
            return False
        self.add_span(seq, seq)
        return True

    def extend_to(self, last: int) -> None:
        """Put in every seq from behind the highest one to `last`."""
        if self.last:
            self.last = last
        else:
            self.add_span(1, last)

    def add_span(self, first: int, last: int) -> None:
        """Put in first … last, both included, however many they are."""
        firsts, lasts = self._firsts, self._lasts
        if firsts:
            lasts.append(self.last)
        low = bisect_left(lasts, first - 1)
        high = bisect_right(firsts, last + 1)
        if low < high:
            first, last = min(first, firsts[low]), max(last, lasts[high - 1])
        firsts[low:high] = [first]
        lasts[low:high] = [last]
        if len(firsts) > MAX_RANGES:
            del firsts[1], lasts[0]
        self._lift()

    def _lift(self) -> None:
        self.last = self._lasts.pop() if self._lasts else 0

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._firsts, seq)
        if at == len(self._firsts):
            return at > 0 and seq <= self.last
        return at > 0 and seq <= self._lasts[at - 1]

    def pairs(self) -> list[tuple[int, int]]:
        """The ranges, ascending, both ends included."""
        return list(zip(self._firsts, [*self._lasts, self.last], strict=True)) if self._firsts else []


def compressed(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """Seqs in any order, with repeats, as ascending ranges."""
    found = RangeSet()
    for seq in sorted(set(seqs)):
        found.add(seq)
    return found.pairs()
