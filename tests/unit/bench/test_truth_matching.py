"""The judge of the truth test must itself find what is missed, made up and told twice."""

from __future__ import annotations

import pytest

from bench.truth.matching import Comparison, Seen, compare, known_by, notices_per_trip
from simulators.truth.episodes import Episode, Excuse, Truth
from simulators.truth.plan import Trouble

HOUR_S = 3600.0


def episode(
    begin_h: float,
    end_h: float,
    *,
    kind: str = "lamp_failure",
    originator: str = "XT-0001",
    what: str = "burnt out",
    required: bool = True,
) -> Episode:
    return Episode(
        kind, originator, begin_h * HOUR_S, end_h * HOUR_S, what, required, HOUR_S, (end_h + 26) * HOUR_S
    )


def seen(
    number: int,
    opened_h: float,
    closed_h: float | None,
    *,
    kind: str = "lamp_failure",
    originator: str = "XT-0001",
    loud: bool = True,
) -> Seen:
    closed_s = None if closed_h is None else closed_h * HOUR_S
    return Seen(number, kind, originator, opened_h * HOUR_S, closed_s, loud)


def figures(found: Comparison, kind: str = "lamp_failure") -> tuple[int, int, int, int]:
    score = found.scores[kind]
    return score.episodes, score.found, score.true, score.false


def test_an_incident_in_its_episode_is_found_with_its_delay() -> None:
    found = compare([episode(10, 50)], [], [seen(1, 12, 51)])
    assert figures(found) == (1, 1, 1, 0)
    assert found.scores["lamp_failure"].delay_s(0.5) == 2 * HOUR_S
    assert found.scores["lamp_failure"].recall == 1
    assert found.scores["lamp_failure"].precision == 1


def test_an_episode_without_an_incident_is_missed() -> None:
    found = compare([episode(10, 50), episode(100, 150)], [], [seen(1, 12, 51)])
    assert figures(found) == (2, 1, 1, 0)
    assert [one.begin_s for one in found.missed] == [100 * HOUR_S]
    assert found.scores["lamp_failure"].recall == 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        seen(1, 5, 6),
        seen(1, 52, 53),
        seen(1, 12, 13, originator="XT-0002"),
        seen(1, 12, 13, kind="lamp_power_too_low"),
    ],
    ids=["too early", "too late", "another pole", "another kind"],
)
def test_an_incident_without_its_episode_is_a_false_alarm(wrong: Seen) -> None:
    found = compare([episode(10, 50)], [], [wrong])
    assert [one for one, _ in found.false] == [wrong]
    assert found.scores[wrong.kind].precision == 0
    assert len(found.missed) == 1


def test_a_second_incident_of_one_episode_is_told_as_again() -> None:
    found = compare([episode(10, 50)], [], [seen(1, 12, 20), seen(2, 30, 51)])
    assert figures(found) == (1, 1, 2, 0)
    assert found.scores["lamp_failure"].again == 1


def test_one_that_could_not_be_noticed_is_neither_missed_nor_false() -> None:
    hidden = episode(10, 50, required=False)
    assert figures(compare([hidden], [], [])) == (0, 0, 0, 0)
    assert figures(compare([hidden], [], [seen(1, 12, 51)])) == (0, 0, 1, 0)
    assert compare([hidden], [], []).scores["lamp_failure"].optional == 1


def test_one_that_is_still_open_when_the_next_begins_has_found_that_too() -> None:
    found = compare([episode(10, 14), episode(15, 19)], [], [seen(1, 11, 20)])
    assert figures(found) == (2, 2, 1, 0)


def test_one_that_outlives_its_episode_is_told() -> None:
    assert compare([episode(10, 50)], [], [seen(1, 12, None)]).scores["lamp_failure"].not_closed == 1
    assert compare([episode(10, 50)], [], [seen(1, 12, 80)]).scores["lamp_failure"].not_closed == 1
    assert compare([episode(10, 50)], [], [seen(1, 12, 60)]).scores["lamp_failure"].not_closed == 0


def test_what_something_else_explains_is_no_false_alarm_only_where_it_kept_quiet() -> None:
    outage = Excuse(
        frozenset({"communication_failure"}),
        frozenset({"xt-0001"}),
        0,
        5 * HOUR_S,
        "trip",
        must_be_quiet=True,
    )
    quiet = seen(1, 1, 2, kind="communication_failure", originator="xt-0001", loud=False)
    loud = seen(2, 3, 4, kind="communication_failure", originator="xt-0001")
    after = seen(3, 6, 7, kind="communication_failure", originator="xt-0001", loud=False)
    found = compare([], [outage], [quiet, loud, after])
    assert found.scores["communication_failure"].excused == 1
    assert [one.id for one, _ in found.false] == [2, 3]
    assert found.false[0][1] == "aloud, though part of: trip"


def test_a_node_that_dies_while_its_mast_is_silent_is_told_of_when_only_it_stays_away() -> None:
    mast = Excuse(
        frozenset({"communication_failure"}),
        frozenset({"xt-0001"}),
        0,
        3 * HOUR_S,
        "backhaul",
        must_be_quiet=True,
    )
    dead = episode(2, 9, kind="communication_failure", originator="xt-0001", what="node dead")
    stays = seen(1, 0.1, 9, kind="communication_failure", originator="xt-0001")
    found = compare([dead], [mast], [stays])
    assert figures(found, "communication_failure") == (1, 1, 1, 0)
    ends_before = seen(1, 0.1, 1.5, kind="communication_failure", originator="xt-0001")
    assert figures(compare([dead], [mast], [ends_before]), "communication_failure") == (1, 0, 0, 1)
    assert figures(compare([dead], [], [stays]), "communication_failure") == (1, 0, 0, 1)


def test_a_trips_notices_are_counted_with_all_that_hangs_on_it() -> None:
    trips = [Trouble("trip", "L1", 0, HOUR_S), Trouble("trip", "L1", 10 * HOUR_S, 11 * HOUR_S)]
    members = {"L1": frozenset({"L1", "xt-0001", "XT-0001", "xt-0002"})}
    incidents = [
        seen(1, 0.1, 1, kind="feeder_outage", originator="L1"),
        seen(2, 0.1, 1, kind="communication_failure", originator="xt-0001", loud=False),
        seen(3, 10.1, 11, kind="feeder_outage", originator="L1"),
        seen(4, 10.1, 11, kind="communication_failure", originator="xt-0002"),
        seen(5, 10.1, 11, kind="communication_failure", originator="xt-0009"),
        seen(6, 10.2, 11, kind="lamp_failure", originator="XT-0001"),
    ]
    assert notices_per_trip(trips, members, incidents, {}) == [1, 2]


def test_a_node_that_is_dead_by_itself_is_no_notice_of_the_trip() -> None:
    trips = [Trouble("trip", "L1", 0, HOUR_S)]
    dead = episode(0, 3, kind="communication_failure", originator="xt-0001", what="node dead")
    one = seen(1, 0.1, 3, kind="communication_failure", originator="xt-0001")
    assert notices_per_trip(trips, {"L1": frozenset({"xt-0001"})}, [one], {1: dead}) == [0]
    assert notices_per_trip(trips, {"L1": frozenset({"xt-0001"})}, [one], {}) == [1]


def so_far(until_h: float, *found: Seen) -> Comparison:
    truth = Truth([episode(10, 20), episode(90, 95, kind="meter_stale")], [], [])
    return compare(known_by(truth, until_h * HOUR_S).episodes, [], found)


def test_what_still_lasts_need_not_be_found_yet() -> None:
    assert so_far(19).missed == []
    assert [one.kind for one in so_far(22).missed] == ["lamp_failure"]
    assert so_far(89).scores.keys() == {"lamp_failure"}


def test_what_may_still_be_open_is_not_late() -> None:
    assert so_far(30, seen(1, 11, None)).outlived == []
    assert len(so_far(47, seen(1, 11, None)).outlived) == 1


def test_a_trip_counts_once_nobody_may_be_told_of_it_any_more() -> None:
    trip = Trouble("trip", "XT-L1", 10 * HOUR_S, 20 * HOUR_S)
    truth = Truth([], [], [trip])
    assert known_by(truth, 20.2 * HOUR_S).trips == []
    assert known_by(truth, 20.3 * HOUR_S).trips == [trip]
