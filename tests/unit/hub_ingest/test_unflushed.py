"""How many nodes' rows of state are written at once, on a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Iterable

from hub.ingest.judging.directory import KnownNode
from hub.ingest.ranges import RangeSet
from hub.ingest.unflushed import AT_LEAST, AT_LEAST_IN_A_RUSH, AT_ONCE, EVERY_S, LONGEST_S, Slot, Unflushed

PROVINCE = 49_000


def slots(count: int) -> list[Slot]:
    names = [f"tg-{number:05d}" for number in range(count)]
    return [
        Slot(KnownNode(name, "tram-than", frozenset()), name, "tram-than", "1", RangeSet(), frozenset())
        for name in names
    ]


def add(unflushed: Unflushed, some: Iterable[Slot]) -> None:
    for slot in some:
        slot.since = 1
        unflushed.add(slot)


def test_few_are_written_with_every_commit() -> None:
    unflushed = Unflushed()
    for at_s in (0.0, 0.02):
        some = slots(AT_ONCE)
        add(unflushed, some)
        assert unflushed.due(at_s, messages=AT_ONCE) == some
    assert len(unflushed) == 0


def test_a_province_at_its_pace_is_written_within_a_second() -> None:
    unflushed, speakers = Unflushed(), slots(PROVINCE)
    pace = PROVINCE // 30 // 2
    for half_second in range(58):
        some = speakers[half_second * pace : (half_second + 1) * pace]
        add(unflushed, some)
        assert unflushed.due(half_second / 2, messages=pace) == some


def test_in_a_rush_each_is_written_within_about_a_minute_and_few_at_a_time() -> None:
    unflushed, speakers = Unflushed(), slots(PROVINCE)
    add(unflushed, speakers)
    unflushed.due(0.0, messages=12_000)
    written, at_s, most = {slot.name for slot in speakers[:AT_LEAST]}, 0.0, 0
    while len(written) < PROVINCE:
        at_s += EVERY_S
        turn = unflushed.due(at_s, messages=12_000)
        most = max(most, len(turn))
        written |= {slot.name for slot in turn}
        add(unflushed, turn)  # each speaks again at once
    assert at_s <= LONGEST_S + 5
    assert most <= max(AT_LEAST_IN_A_RUSH, PROVINCE * EVERY_S / LONGEST_S)


def test_after_a_rush_all_is_caught_up_with_while_a_province_goes_on() -> None:
    unflushed, speakers = Unflushed(), slots(PROVINCE)
    add(unflushed, speakers)
    unflushed.due(0.0, messages=12_000)
    at_s, spoken = 0.0, 0
    while len(unflushed) > AT_LEAST:
        at_s += EVERY_S
        for place in range(spoken, spoken + 825):
            add(unflushed, [speakers[place % PROVINCE]])
        spoken += 825
        unflushed.due(at_s, messages=825)
    assert at_s <= 40


def test_a_commune_is_written_whole_in_a_rush_too() -> None:
    unflushed, some = Unflushed(), slots(219)
    add(unflushed, some)
    assert unflushed.due(0.0, messages=10_000) == some
    add(unflushed, some)
    assert unflushed.due(EVERY_S, messages=12_000) == some
