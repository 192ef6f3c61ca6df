"""Stretches of time as pairs of seconds, begin before end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Span = tuple[float, float]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in ascending, disjoint stretches."""
    found: list[Span] = []
    for begin_s, end_s in sorted(spans):
        if found and begin_s <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_s))
        else:
            found.append((begin_s, end_s))
    return found


def without(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """What is left of a stretch; `holes` ascending and disjoint."""
    begin_s, end_s = span
    for hole_begin_s, hole_end_s in holes:
        if hole_end_s <= begin_s:
            continue
        if hole_begin_s >= end_s:
            break
        if hole_begin_s > begin_s:
            yield (begin_s, hole_begin_s)
        begin_s = max(begin_s, hole_end_s)
    if begin_s < end_s:
        yield (begin_s, end_s)


def daily(span: Span, hours: tuple[float, float], *, noon_at_s: float = 0.0) -> Iterator[Span]:
    """The parts of a stretch that lie in these local hours of each day; hours after 24 go on past midnight.

    `noon_at_s` is a moment at which it is noon.
    """
    midnight_s = noon_at_s - 12 * 3600
    day = int((span[0] - midnight_s) // 86_400) - 1
    while midnight_s + day * 86_400 < span[1]:
        begin_s = midnight_s + day * 86_400 + hours[0] * 3600
        end_s = midnight_s + day * 86_400 + hours[1] * 3600
        if max(begin_s, span[0]) < min(end_s, span[1]):
            yield (max(begin_s, span[0]), min(end_s, span[1]))
        day += 1


def longest_s(spans: Iterable[Span]) -> float:
    """The length of the longest, 0 without any."""
    return max((end_s - begin_s for begin_s, end_s in spans), default=0.0)


def overlap_s(span: Span, others: Iterable[Span]) -> float:
    """How much of a stretch lies in the others, which are disjoint."""
    return sum(max(0.0, min(span[1], end_s) - max(span[0], begin_s)) for begin_s, end_s in others)


def after_seen(begin_s: float, needs_s: float, holes: Iterable[Span]) -> float:
    """The moment at which so much time has passed outside of the holes, which are ascending and disjoint."""
    at_s, left_s = begin_s, needs_s
    for hole_begin_s, hole_end_s in holes:
        if hole_end_s <= at_s:
            continue
        seen_s = max(0.0, hole_begin_s - at_s)
        if seen_s >= left_s:
            break
        at_s, left_s = hole_end_s, left_s - seen_s
    return at_s + left_s
