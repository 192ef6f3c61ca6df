"""From the outbox to a store that is down, slow to forgive, or refuses some."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from hub.telemetry.drainer import POINTS_AT_ONCE, Drainer, write_splitting
from hub.telemetry.outbox import InMemoryOutbox
from hub.telemetry.port import (
    Health,
    Point,
    PointsRefusedError,
    Series,
    StoreUnavailableError,
    Tally,
)
from tests.support.points import bare_point


class PickyStore:
    """Refuses a batch with a seq of `poison`, after having stored the others; says no while `down`."""

    def __init__(self, poison: frozenset[int] = frozenset()) -> None:
        self.poison = poison
        self.down = False
        self.seqs: set[int] = set()
        self.sizes: list[int] = []

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        if self.down:
            raise StoreUnavailableError("down")
        self.sizes.append(len(points))
        self.seqs |= {point.seq for point in points} - self.poison
        if any(point.seq in self.poison for point in points):
            raise PointsRefusedError("no")

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        raise NotImplementedError

    def count(self, node: str, epoch: str) -> Tally:
        raise NotImplementedError

    def health(self) -> Health:
        return Health(up=not self.down, detail="picky")

    def close(self) -> None: ...


def points(*seqs: int) -> list[Point]:
    return [
        bare_point(
            node="n", epoch="e", seq=seq, commune="c", pole="P", time_ms=seq, received_ms=seq, reason="sun"
        )
        for seq in seqs
    ]


@pytest.mark.parametrize("poison", [set(), {1}, {37}, {50}, {2, 3, 49}, set(range(1, 51))])
def test_the_bad_points_are_found_and_all_others_stored(poison: set[int]) -> None:
    store = PickyStore(frozenset(poison))
    written = write_splitting(store, 1, points(*range(1, 51)))
    assert {point.seq for point, _ in written.refused} == poison
    assert written.points == 50 - len(poison)
    assert store.seqs == set(range(1, 51)) - poison


def test_a_store_that_is_down_leaves_the_outbox_as_it_is_and_is_tried_again() -> None:
    store, outbox = PickyStore(), InMemoryOutbox()
    outbox.batches = {1: points(1, 2), 2: points(3)}
    drainer = Drainer(outbox, store)
    store.down = True
    assert not drainer.step()
    assert not drainer.store_is_up()
    assert sorted(outbox.batches) == [1, 2]
    store.down = False
    assert drainer.step()
    assert drainer.store_is_up()
    assert (outbox.batches, outbox.points_written) == ({}, 3)
    assert not drainer.step()


def test_small_batches_share_a_write_and_large_ones_do_not() -> None:
    store, outbox = PickyStore(), InMemoryOutbox()
    outbox.batches = {1: points(1), 2: points(2, 3), 3: points(*range(10, 10 + POINTS_AT_ONCE))}
    Drainer(outbox, store).step()
    assert store.sizes == [3, POINTS_AT_ONCE]


def test_what_many_small_commits_left_is_written_in_full_writes() -> None:
    """A commit every 20 ms leaves a few points each: catching up by those would cost a write per commit."""
    store, outbox = PickyStore(), InMemoryOutbox()
    outbox.batches = {number: points(*range(40 * number, 40 * number + 40)) for number in range(1, 501)}
    Drainer(outbox, store).step()
    assert outbox.batches == {}
    assert store.sizes == [5000, 5000, 5000, 5000]


def test_refused_points_are_handed_over_with_the_stores_words() -> None:
    store, outbox = PickyStore(frozenset({2})), InMemoryOutbox()
    outbox.batches = {1: points(1, 2, 3)}
    Drainer(outbox, store).step()
    ((refused, words),) = outbox.refused
    assert (refused.seq, words) == (2, "no")
    assert (outbox.points_written, outbox.batches) == (2, {})
