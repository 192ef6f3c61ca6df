"""Communes among workers: nothing held twice, shares even, whatever has happened before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.scaling.sharing import plan
from hub.ingest.scope import Scope

NAMES = st.sampled_from(["a", "b", "c", "d"])


@given(
    holders=st.dictionaries(st.text("xyz", min_size=1, max_size=3), st.none() | NAMES, max_size=20),
    alive=st.sets(NAMES, min_size=1),
    order=st.lists(st.integers(0, 3), min_size=1, max_size=6),
)
def test_whoever_moves_first_all_end_with_even_shares(
    holders: dict[str, str | None], alive: set[str], order: list[int]
) -> None:
    workers = sorted(alive)
    turns = [workers[number % len(workers)] for number in order] + workers * 3
    for me in turns:
        decided = plan(me, holders, alive)
        for commune in decided.take:
            assert holders[commune] is None or holders[commune] not in alive
            holders[commune] = me
        for commune in decided.give:
            assert holders[commune] == me
            holders[commune] = None
    shares = [sum(holder == me for holder in holders.values()) for me in workers]
    assert sum(shares) == len(holders)
    assert max(shares) - min(shares) <= 1


def test_once_shares_are_even_nobody_moves() -> None:
    holders: dict[str, str | None] = {"x": "a", "y": "b", "z": "a"}
    for me in ("a", "b"):
        decided = plan(me, holders, {"a", "b"})
        assert (decided.take, decided.give, decided.dead) == ((), (), ())


def test_the_dead_are_named_even_where_nothing_is_taken() -> None:
    assert plan("a", {"x": "a", "y": "gone"}, {"a", "b"}).dead == ("gone",)


def test_a_scope_knows_its_topics() -> None:
    scope = Scope("a", {"tram-than": 3})
    assert scope.holds_topic("ngonden/1/tram-than/tg-0001/telemetry")
    assert not scope.holds_topic("ngonden/1/ha-hoa/hh-0001/telemetry")
    assert scope.holds_topic("not ours"), "it is a reject, and somebody must keep it"
    assert scope.stat("counters") == "counters@a"
    assert Scope().holds_topic("ngonden/1/ha-hoa/hh-0001/telemetry")
    assert Scope().stat("counters") == "counters"
