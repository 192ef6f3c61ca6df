"""A set of whole numbers kept as ranges: what the hub has confirmed is nearly always one run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class RangeSet:
    """Grows by ranges, merges neighbours, answers membership in O(log ranges)."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def add(self, first: int, last: int) -> None:
        """Take in first … last, both included; nothing when last < first."""
        if last < first:
            return
        # Every range that touches or overlaps first-1 … last+1 melts into the new one.
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def clear(self) -> None:
        """Forget all."""
        self._firsts.clear()
        self._lasts.clear()

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._firsts, self._lasts, strict=True))

    def __bool__(self) -> bool:
        return bool(self._firsts)

    @property
    def ranges(self) -> int:
        """How many separate runs it holds."""
        return len(self._firsts)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(last - first + 1 for first, last in self)
