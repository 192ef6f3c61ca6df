"""Nodes that go down together are one outage, with its evidence; it ends as one, and stragglers stand alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.incidents.catalogue import DEFAULT_RULES
from hub.incidents.model import (
    BACKHAUL_OUTAGE,
    COMMUNICATION_FAILURE,
    FEEDER_OUTAGE,
    HUB,
    HUB_BLIND,
    METER_STALE,
    SUPPLY_LOSS,
    Key,
    Place,
    Subject,
    Verdict,
    feeder_name,
)
from hub.incidents.quieting.grouping import Down, find_group, is_over
from hub.incidents.rulebook import RuleRow
from tests.unit.hub_incidents.stage import FEEDER, START, Stage, camera, node, pole

PARAMS = DEFAULT_RULES[FEEDER_OUTAGE].params
LONE = Key("tg-0001", COMMUNICATION_FAILURE)


def down(number: int, at_s: float, *, spread_s: float = 0, supply: bool = False) -> Down:
    earliest = START + timedelta(seconds=at_s)
    return Down(f"n{number}", earliest, earliest + timedelta(seconds=spread_s), supply)


def test_three_nodes_and_sixty_per_cent_within_ninety_seconds_are_a_group() -> None:
    three = [down(1, 0), down(2, 45), down(3, 90)]
    group = find_group(three, up=2, params=PARAMS)
    assert group is not None
    assert (len(group.nodes), group.reporting, group.kind) == (3, 5, BACKHAUL_OUTAGE)
    assert (group.since, group.within_s) == (START, 90)
    assert find_group(three, up=3, params=PARAMS) is None  # half of the feeder
    assert find_group(three[:2], up=0, params=PARAMS) is None  # two nodes
    assert find_group([down(1, 0), down(2, 45), down(3, 91)], up=0, params=PARAMS) is None


def test_a_silent_node_went_some_time_after_its_last_word() -> None:
    """Words of a metered node come every ten minutes; their spread must not hide that all went at once."""
    metered = [down(1, 0, spread_s=660), down(2, 300, spread_s=660), down(3, 590, spread_s=660)]
    group = find_group(metered, up=0, params=PARAMS)
    assert group is not None
    assert group.within_s == 0


def test_a_node_lost_an_hour_before_is_no_part_and_counts_as_neither() -> None:
    group = find_group([down(0, -3600), down(1, 0), down(2, 1), down(3, 2)], up=2, params=PARAMS)
    assert group is not None
    assert group.nodes == {"n1", "n2", "n3"}
    assert group.reporting == 5


def test_one_word_of_lost_supply_makes_it_the_feeder() -> None:
    group = find_group([down(1, 0, supply=True), down(2, 0), down(3, 0)], up=0, params=PARAMS)
    assert group is not None
    assert (group.kind, group.without_supply) == (FEEDER_OUTAGE, 1)


def test_a_group_is_over_when_four_fifths_are_back() -> None:
    assert not is_over(10, 3, PARAMS)
    assert is_over(10, 2, PARAMS)
    assert not is_over(3, 1, PARAMS)
    assert is_over(3, 0, PARAMS)


def test_two_communes_may_name_a_feeder_alike() -> None:
    assert feeder_name("a", "L1") != feeder_name("b", "L1")
    long = [feeder_name("c" * 63, "feeder-" + "x" * 50 + end) for end in "12"]
    assert len(set(long)) == 2
    assert all(len(name) <= 63 for name in long)


def test_feeder_outage_is_one_incident_not_thirty() -> None:
    stage = Stage(nodes=30)
    stage.lose_supply(*range(1, 31))
    stage.settle()
    group = stage.the(FEEDER, FEEDER_OUTAGE)
    assert stage.loud() == [group.key]
    assert len(stage.open(SUPPLY_LOSS)) == 30
    assert {(one.parent, one.quiet) for one in stage.open(SUPPLY_LOSS)} == {(group.key, "group")}
    (opened,) = [step for step in stage.steps if step.key == group.key]
    assert opened.detail["nodes_down"] == opened.detail["nodes_reporting"] == 30
    assert opened.detail["nodes_without_supply"] == 30
    stage.fall_silent(*range(1, 31))
    stage.settle()
    assert stage.loud() == [group.key]


def test_those_that_open_before_the_group_wait_with_their_notice_and_are_then_part_of_it() -> None:
    stage = Stage(nodes=4)
    stage.lose_supply(1)
    stage.settle()
    first = stage.the("tg-0001", SUPPLY_LOSS)
    assert stage.loud() == [first.key]
    assert first.notify_after == START + timedelta(seconds=120)
    stage.pass_time(20)
    stage.lose_supply(2)
    stage.settle()
    stage.pass_time(20)
    stage.lose_supply(3)
    stage.settle()
    assert first.quiet == "group"
    assert stage.words("tg-0001", SUPPLY_LOSS) == ["opened", "grouped"]
    assert stage.words("tg-0003", SUPPLY_LOSS) == ["opened"]  # it opened as a part
    assert stage.the(FEEDER, FEEDER_OUTAGE).since == START


def test_a_node_without_a_feeder_is_told_of_at_once() -> None:
    stage = Stage()
    alone = node(1)._replace(place=node(1).place._replace(feeder=""))
    stage.tell(alone, SUPPLY_LOSS, True)
    stage.settle()
    assert stage.the("tg-0001", SUPPLY_LOSS).notify_after is None


def test_silence_alone_is_the_way_to_the_hub_until_evidence_agrees() -> None:
    stage = Stage(nodes=5)
    stage.fall_silent(1, 2, 3, 4)
    stage.settle()
    assert stage.loud() == [Key(FEEDER, BACKHAUL_OUTAGE)]
    stage.pass_time(30)
    stage.lose_supply(5)  # its UPS carries it on, its neighbours have none
    stage.settle()
    assert stage.loud() == [Key(FEEDER, FEEDER_OUTAGE)]
    assert stage.words(FEEDER, BACKHAUL_OUTAGE) == ["opened", "turned"]
    assert {one.parent for one in stage.open(COMMUNICATION_FAILURE)} == {Key(FEEDER, FEEDER_OUTAGE)}


def test_a_node_that_boots_after_a_power_cut_is_evidence_too() -> None:
    stage = Stage(nodes=5)
    stage.fall_silent(1, 2, 3, 4, 5)
    stage.settle()
    stage.pass_time(600)
    stage.told.reset(stage.watcher, node(1), stage.now, "power_cut")
    stage.come_back(1)
    assert stage.loud() == [Key(FEEDER, FEEDER_OUTAGE)]


def test_the_group_ends_with_its_parts_and_what_stays_behind_stands_alone() -> None:
    stage = Stage(nodes=10)
    stage.fall_silent(*range(1, 11))
    stage.settle()
    stage.pass_time(600)
    stage.come_back(*range(1, 8))
    assert stage.loud() == [Key(FEEDER, BACKHAUL_OUTAGE)]  # seven of ten are back
    stage.come_back(8)
    stage.come_back(9)
    stage.pass_time(10)
    assert stage.loud() == [Key("tg-0010", COMMUNICATION_FAILURE)]
    straggler = stage.the("tg-0010", COMMUNICATION_FAILURE)
    assert (straggler.parent, straggler.quiet) == (None, None)
    assert stage.words("tg-0010", COMMUNICATION_FAILURE) == ["opened", "released"]
    (released,) = [step for step in stage.steps if step.change == "released"]
    assert released.columns["notify_after"] == stage.now + timedelta(seconds=120)
    assert stage.words(FEEDER, BACKHAUL_OUTAGE) == ["opened", "closed"]
    stage.come_back(10)
    assert stage.open() == []


def test_a_group_whose_nodes_come_and_go_while_they_return_does_not_end_too_early() -> None:
    stage = Stage(nodes=4)
    stage.lose_supply(1, 2, 3, 4)
    stage.settle()
    stage.get_supply(1, 2, 3, 4)
    stage.settle()
    stage.pass_time(5)
    stage.lose_supply(1, 2, 3)
    stage.settle()
    stage.pass_time(20)
    assert stage.words(FEEDER, FEEDER_OUTAGE) == ["opened"]
    stage.get_supply(1, 2, 3)
    stage.settle()
    stage.pass_time(11)
    assert stage.words(FEEDER, FEEDER_OUTAGE) == ["opened", "closed"]


def test_a_lone_power_cut_is_one_notice_though_the_node_dies_of_it() -> None:
    stage = Stage(nodes=10)
    stage.lose_supply(1)
    stage.settle()
    stage.pass_time(120)
    stage.fall_silent(1)
    stage.settle()
    assert stage.loud() == [Key("tg-0001", SUPPLY_LOSS)]
    assert stage.the("tg-0001", COMMUNICATION_FAILURE).parent == Key("tg-0001", SUPPLY_LOSS)


def test_a_node_of_long_heartbeats_whose_last_word_is_old_is_a_part_of_its_feeders_trip() -> None:
    stage = Stage(nodes=5)
    stage.lose_supply(1, 2, 3)
    stage.settle()
    stage.fall_silent(4, last_seen_s_ago=1700, heartbeat_s=1800)
    stage.fall_silent(5, last_seen_s_ago=1700, heartbeat_s=30)
    stage.settle()
    assert stage.loud() == [Key("tg-0005", COMMUNICATION_FAILURE), Key(FEEDER, FEEDER_OUTAGE)]
    assert stage.the("tg-0004", COMMUNICATION_FAILURE).parent == Key(FEEDER, FEEDER_OUTAGE)


def test_a_trip_that_began_while_the_hub_was_deaf_is_told_once_though_a_battery_tells_its_true_beginning() -> (
    None
):
    stage = Stage(nodes=5)
    the_hub = Subject("hub", HUB, None, "", Place())
    stage.see(the_hub, HUB_BLIND, Verdict.BAD)
    stage.pass_time(3600)
    stage.see(the_hub, HUB_BLIND, Verdict.BAD, since=START)
    stage.see(the_hub, HUB_BLIND, Verdict.GOOD)
    stage.pass_time(91)
    stage.see(node(5), SUPPLY_LOSS, Verdict.BAD)
    stage.pass_time(31)
    stage.see(node(5), SUPPLY_LOSS, Verdict.BAD, since=START + timedelta(seconds=600))
    stage.fall_silent(1, 2, 3, 4, last_seen_s_ago=100)
    stage.settle()
    stage.tell(node(1), SUPPLY_LOSS, True)
    stage.settle()
    assert stage.loud() == [Key(FEEDER, FEEDER_OUTAGE)]


def trip_over(stage: Stage, *, look_every_s: float = 60, looks: int = 3) -> dict[str, float]:
    """A trip that outlasts some looks and ends; after how many seconds each leftover is told."""
    stage.lose_supply(*range(1, 10))
    stage.fall_silent(10)
    stage.settle()
    for _ in range(looks):
        stage.tell(pole(1), METER_STALE, True)
        stage.tell(camera(1), "camera_offline", True)
        stage.pass_time(look_every_s)
    stage.get_supply(*range(1, 9))
    stage.settle()
    stage.pass_time(11)
    assert stage.words(FEEDER, FEEDER_OUTAGE) == ["opened", "closed"]
    released = [step for step in stage.steps if step.change == "released"]
    return {
        f"{step.key.originator} {step.key.kind}": (step.columns["notify_after"] - stage.now).total_seconds()
        for step in released
    }


def test_what_a_trip_leaves_behind_waits_until_its_node_has_looked_again() -> None:
    stage = Stage(nodes=10)
    stage.promised_s = 660
    assert trip_over(stage) == {
        "TG-0001 meter_stale": 1452,
        "CAM-0001 camera_offline": 1452,
        "tg-0009 supply_loss": 1452,
        # That it speaks at all needs no look.
        "tg-0010 communication_failure": 120,
    }


def test_a_node_that_looks_less_often_than_it_speaks_has_the_time_of_its_looks() -> None:
    told = trip_over(Stage(nodes=10), look_every_s=300)
    assert told["TG-0001 meter_stale"] == told["CAM-0001 camera_offline"] == 660
    assert told["tg-0009 supply_loss"] == 120


def test_a_long_silence_within_a_trip_is_not_taken_for_a_rhythm() -> None:
    told = trip_over(Stage(nodes=10), look_every_s=20_000, looks=2)
    assert told["TG-0001 meter_stale"] == 7920


def test_a_node_that_looks_every_half_minute_waits_as_long_as_nodes_boot() -> None:
    assert set(trip_over(Stage(nodes=10), look_every_s=30).values()) == {120}


def test_two_of_ten_nodes_are_two_incidents() -> None:
    stage = Stage(nodes=10)
    stage.fall_silent(1, 2)
    stage.settle()
    assert stage.loud() == [LONE, Key("tg-0002", COMMUNICATION_FAILURE)]


@pytest.mark.parametrize("least", [2, 4])
def test_how_many_make_a_group_is_data(least: int) -> None:
    row = RuleRow("tram-than", FEEDER_OUTAGE, 0, 10, {"min_nodes": least})
    stage = Stage(nodes=3, rules=[row])
    stage.fall_silent(1, 2, 3)
    stage.settle()
    assert (len(stage.loud()) == 1) is (least == 2)
