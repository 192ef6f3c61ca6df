"""The truth of the truth test: what has to be noticed, and what nobody could."""

from __future__ import annotations

from itertools import pairwise

from simulators.truth.episodes import Truth, truth_of
from simulators.truth.layout import Layout, lay_out_commune
from simulators.truth.plan import DAY_S, HOUR_S, Rates, Trouble, draw_plan
from simulators.truth.spans import after_seen, daily, longest_s, merged, overlap_s, without

LAYOUT = lay_out_commune(poles=20, cameras=5, seed=1)
DUSK_S = 7 * HOUR_S  # the year starts at noon


def truth(*troubles: Trouble, layout: Layout = LAYOUT) -> Truth:
    return truth_of(layout, troubles)


def required(*troubles: Trouble, what: str) -> list[bool]:
    return [one.required for one in truth(*troubles).episodes if one.what == what]


def test_a_lamp_that_dies_at_noon_and_is_mended_before_dusk_could_not_be_noticed() -> None:
    assert required(Trouble("burnt out", "XT-0001", 0, DUSK_S - HOUR_S), what="burnt out") == [False]
    assert required(Trouble("burnt out", "XT-0001", 0, DUSK_S + 2 * HOUR_S), what="burnt out") == [True]


def test_a_contactor_that_sticks_shows_by_day_only() -> None:
    night = Trouble("stuck contactor", "XT-0001", DUSK_S, DUSK_S + 9 * HOUR_S)
    day = Trouble("stuck contactor", "XT-0001", DUSK_S, DUSK_S + 16 * HOUR_S)
    assert required(night, what="stuck contactor") == [False]
    assert required(day, what="stuck contactor") == [True]


def test_every_evening_of_low_voltage_is_an_episode_of_its_own() -> None:
    found = truth(Trouble("voltage sags", "XT-0001", 0, 3 * DAY_S)).episodes
    assert [(one.begin_s / HOUR_S, one.end_s / HOUR_S) for one in found] == [(6, 10), (30, 34), (54, 58)]


def test_a_tap_that_draws_as_the_lamp_does_may_look_like_its_contactor_until_the_lamp_is_lit() -> None:
    layout = lay_out_commune(poles=60, cameras=0, seed=1)
    weak, strong = (
        next(site.pole.code for site in layout.sites if site.pole.lamp_rated_w == rated_w)
        for rated_w in (60.0, 150.0)
    )
    assert truth(Trouble("tapped in the evening", weak, 0, 2 * DAY_S), layout=layout).excuses == []
    found = truth(Trouble("tapped in the evening", strong, 0, 2 * DAY_S), layout=layout).excuses
    # The year starts at noon.
    assert [(one.begin_s / HOUR_S, one.end_s / HOUR_S) for one in found] == [(6, 7), (30, 31)]
    assert {one.kinds for one in found} == {frozenset({"lamp_unexpected_on"})}


def test_a_hub_that_is_down_all_the_while_need_not_know() -> None:
    lamp = Trouble("meter silent", "XT-0001", HOUR_S, 4 * HOUR_S)
    assert required(lamp, what="meter silent") == [True]
    assert required(lamp, Trouble("hub down", "", 0, 5 * HOUR_S), what="meter silent") == [False]
    assert required(
        lamp, Trouble("trip", LAYOUT.sites[0].pole.feeder, 0, 5 * HOUR_S), what="meter silent"
    ) == [False]


def test_a_trip_excuses_its_nodes_only_where_they_keep_quiet() -> None:
    found = truth(Trouble("trip", "XT-L1", HOUR_S, 2 * HOUR_S))
    assert [(one.kind, one.originator, one.required) for one in found.episodes] == [
        ("feeder_outage", "XT-L1", True)
    ]
    nodes = next(one for one in found.excuses if "communication_failure" in one.kinds)
    assert nodes.must_be_quiet
    assert set(LAYOUT.feeders["XT-L1"]) < nodes.originators


def test_work_that_was_planned_at_the_hub_is_quiet_though_the_hub_was_down_when_it_began() -> None:
    node = LAYOUT.sites[0].node
    down = Trouble("hub down", "", HOUR_S / 2, 1.2 * HOUR_S)
    for planned in (False, True):
        work = Trouble("maintenance", node, HOUR_S, 3 * HOUR_S, size=600, planned=planned)
        (excuse,) = truth(work, down).excuses
        assert excuse.must_be_quiet is planned


def test_a_node_that_dies_within_its_feeders_trip_need_not_be_told_apart() -> None:
    node = LAYOUT.feeders["XT-L1"][0]
    dead = Trouble("node dead", node, HOUR_S, 2 * HOUR_S)
    assert required(dead, what="node dead") == [True]
    assert required(dead, Trouble("trip", "XT-L1", 0.5 * HOUR_S, 3 * HOUR_S), what="node dead") == [False]


def test_the_same_seed_draws_the_same_year_and_one_place_has_one_trouble_of_a_family_at_a_time() -> None:
    plan = draw_plan(LAYOUT, days=90, seed=3, rates=Rates().times(10))
    assert plan == draw_plan(LAYOUT, days=90, seed=3, rates=Rates().times(10))
    assert plan != draw_plan(LAYOUT, days=90, seed=4, rates=Rates().times(10))
    lamps = [one for one in plan if one.where == "XT-0001"]
    assert len(lamps) > 1
    assert all(one.end_s < other.begin_s for one, other in pairwise(lamps))


def test_every_feeder_has_nodes_that_sense_the_mains() -> None:
    sites = {site.node: site for site in LAYOUT.sites}
    assert all(any(sites[node].senses_mains for node in nodes) for nodes in LAYOUT.feeders.values())
    assert len(LAYOUT.cameras) == 5


def test_stretches_of_time() -> None:
    assert merged([(5, 6), (0, 2), (1, 3)]) == [(0, 3), (5, 6)]
    assert list(without((0, 10), [(2, 3), (9, 12)])) == [(0, 2), (3, 9)]
    assert longest_s([(0, 2), (3, 9)]) == 6
    assert overlap_s((0, 10), [(-1, 1), (9, 20)]) == 2
    assert after_seen(0, 5, [(1, 3), (9, 12)]) == 7
    assert after_seen(0, 8, [(1, 3), (9, 12)]) == 13
    night = list(daily((0, 2 * DAY_S), (19, 29)))
    assert [(begin / HOUR_S, end / HOUR_S) for begin, end in night] == [(7, 17), (31, 41)]
