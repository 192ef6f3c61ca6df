"""Which seqs of an epoch are committed: a sorted set of ranges, small as long as there are few gaps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

MAX_RANGES = 10_000
"""A node that leaves more gaps than this is broken; its oldest gaps are then taken as filled, so that
one node cannot make every commit of the hub slow."""


class RangeSet:
    """Seqs from 1 up, kept as disjoint, non-touching ranges in ascending order."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self._firsts.append(first)
            self._lasts.append(last)

    def add(self, seq: int) -> bool:
        """Put one seq in; False when it was there already."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and seq == lasts[-1] + 1:  # what nearly always happens
            lasts[-1] = seq
            return True
        at = bisect_right(firsts, seq)
        if at and seq <= lasts[at - 1]:
            return False
        touches_left = at > 0 and lasts[at - 1] == seq - 1
        touches_right = at < len(firsts) and firsts[at] == seq + 1
        if touches_left and touches_right:
            lasts[at - 1] = lasts[at]
            del firsts[at], lasts[at]
        elif touches_left:
            lasts[at - 1] = seq
        elif touches_right:
            firsts[at] = seq
        else:
            firsts.insert(at, seq)
            lasts.insert(at, seq)
            if len(firsts) > MAX_RANGES:
                del firsts[1], lasts[0]
        return True

    @property
    def last(self) -> int:
        """The highest seq that is in; 0 while there is none."""
        return self._lasts[-1] if self._lasts else 0

    def extend_to(self, last: int) -> None:
        """Put in every seq from behind the highest one to `last`."""
        if self._lasts:
            self._lasts[-1] = last
        else:
            self.add_span(1, last)

    def add_span(self, first: int, last: int) -> None:
        """Put in first … last, both included, however many they are."""
        firsts, lasts = self._firsts, self._lasts
        low = bisect_left(lasts, first - 1)
        high = bisect_right(firsts, last + 1)
        if low < high:
            first, last = min(first, firsts[low]), max(last, lasts[high - 1])
        firsts[low:high] = [first]
        lasts[low:high] = [last]
        if len(firsts) > MAX_RANGES:
            del firsts[1], lasts[0]

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._firsts, seq)
        return at > 0 and seq <= self._lasts[at - 1]

    def pairs(self) -> list[tuple[int, int]]:
        """The ranges, ascending, both ends included."""
        return list(zip(self._firsts, self._lasts, strict=True))


def compressed(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """Seqs in any order, with repeats, as ascending ranges."""
    found = RangeSet()
    for seq in sorted(set(seqs)):
        found.add(seq)
    return found.pairs()
