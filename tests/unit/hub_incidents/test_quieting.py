"""Nobody is told of a part, of announced work, or of what comes and goes; all of it is watched on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.incidents.model import (
    COMMUNICATION_FAILURE,
    LAMP_FAILURE,
    SUPPLY_LOSS,
    Key,
    Verdict,
    feeder_subject,
)
from hub.incidents.quieting.maintenance import Scope, Window, covers, under_way
from hub.incidents.rulebook import RuleRow
from tests.unit.hub_incidents.stage import PLACE, START, Stage, camera, node, pole


def window(scope: Scope = "hamlet", name: str = "Khu 3", *, hours: float = 1) -> Window:
    return Window(1, "tram-than", scope, name, START, START + timedelta(hours=hours))


def lamp_dies(stage: Stage, number: int = 1) -> None:
    stage.tell(pole(number), LAMP_FAILURE, True)
    stage.settle()


def test_a_camera_that_is_dark_under_a_dead_lamp_has_no_fault_of_its_own() -> None:
    stage = Stage()
    lamp_dies(stage)
    stage.pass_time(900)
    stage.tell(camera(1), "camera_dark", True)
    stage.settle()
    dark = stage.the("CAM-0001", "camera_dark")
    assert (dark.parent, dark.quiet) == (Key("TG-0001", LAMP_FAILURE), "group")
    assert stage.loud() == [Key("TG-0001", LAMP_FAILURE)]


def test_a_camera_under_another_lamp_is_not_excused_by_it() -> None:
    stage = Stage()
    lamp_dies(stage, 2)
    stage.tell(camera(1), "camera_dark", True)
    stage.tell(camera(2), "camera_covered", True)
    stage.settle()
    assert len(stage.loud()) == 3


def test_a_camera_still_dark_under_the_mended_lamp_stands_alone() -> None:
    stage = Stage()
    lamp_dies(stage)
    stage.tell(camera(1), "camera_dark", True)
    stage.settle()
    stage.tell(pole(1), LAMP_FAILURE, False)
    stage.settle()
    assert stage.loud() == [Key("CAM-0001", "camera_dark")]
    assert stage.words("CAM-0001", "camera_dark") == ["opened", "released"]


def test_a_camera_noticed_a_moment_before_the_power_cut_that_took_it_is_part_of_it() -> None:
    stage = Stage()
    stage.tell(camera(1), "camera_offline", True)
    stage.settle()
    assert stage.the("CAM-0001", "camera_offline").notify_after == START + timedelta(seconds=60)
    stage.pass_time(5)
    stage.lose_supply(1)
    stage.settle()
    assert stage.loud() == [Key("tg-0001", SUPPLY_LOSS)]


def test_a_lamp_dead_for_days_is_not_explained_by_tonights_power_cut() -> None:
    stage = Stage()
    lamp_dies(stage)
    stage.pass_time(86_400)
    stage.lose_supply(1)
    stage.settle()
    assert stage.loud() == [Key("TG-0001", LAMP_FAILURE), Key("tg-0001", SUPPLY_LOSS)]


def test_parts_hang_on_the_outermost_cause() -> None:
    stage = Stage(nodes=3)
    stage.lose_supply(1)
    stage.tell(camera(1), "camera_offline", True)
    stage.settle()
    stage.lose_supply(2, 3)
    stage.settle()
    assert len(stage.loud()) == 1
    assert {one.parent for one in stage.open() if one.parent} == {stage.loud()[0]}


@pytest.mark.parametrize(
    ("scope", "name", "covered"),
    [
        ("commune", "tram-than", True),
        ("hamlet", "Khu 3", True),
        ("hamlet", "Khu 4", False),
        ("feeder", "L1", True),
        ("group", "Tổ 1", True),
        ("group", "Tổ 2", False),
        ("pole", "TG-0001", True),
        ("pole", "TG-0002", False),
        ("node", "tg-0001", True),
        ("node", "tg-0002", False),
    ],
)
def test_what_a_window_covers(scope: Scope, name: str, covered: bool) -> None:
    assert covers(window(scope, name), camera(1)) is covered


def test_a_window_of_another_commune_covers_nothing_here() -> None:
    assert not covers(window(), pole(1, PLACE._replace(commune="xa-khac")))


def test_a_feeders_window_covers_the_feeders_own_outage() -> None:
    assert covers(window("feeder", "L1"), feeder_subject(PLACE))
    assert not covers(window("hamlet", "Khu 3"), feeder_subject(PLACE))


def test_a_window_holds_from_its_begin_to_its_end() -> None:
    one = window(hours=1)
    assert under_way([one], START - timedelta(seconds=1)) == []
    assert under_way([one], START) == [one]
    assert under_way([one], START + timedelta(hours=1)) == []


def test_under_announced_work_incidents_open_quietly_and_become_loud_when_it_ends() -> None:
    stage = Stage()
    stage.watcher.plan([window()])
    lamp_dies(stage)
    assert stage.the("TG-0001", LAMP_FAILURE).quiet == "maintenance"
    stage.pass_time(3599)
    assert stage.loud() == []
    (released,) = stage.pass_time(1)
    assert (released.change, released.detail["reason"]) == ("released", "maintenance")
    assert stage.loud() == [Key("TG-0001", LAMP_FAILURE)]


def test_a_window_that_was_cancelled_makes_loud_what_it_kept_quiet() -> None:
    stage = Stage()
    stage.watcher.plan([window()])
    lamp_dies(stage)
    stage.watcher.plan([])
    stage.settle()
    assert stage.loud() == [Key("TG-0001", LAMP_FAILURE)]


def test_work_that_begins_at_a_pole_quiets_what_is_open_there() -> None:
    stage = Stage()
    lamp_dies(stage)
    lamp_dies(stage, 2)
    stage.watcher.arranging.maintain(pole(1), begins=True)
    stage.settle()
    assert stage.loud() == [Key("TG-0002", LAMP_FAILURE)]
    assert stage.words("TG-0001", LAMP_FAILURE) == ["opened", "quieted"]
    stage.watcher.arranging.maintain(pole(1), begins=False)
    stage.settle()
    assert stage.words("TG-0001", LAMP_FAILURE) == ["opened", "quieted", "released"]


def flap(stage: Stage, times: int) -> None:
    for _ in range(times):
        lamp_dies(stage)
        stage.pass_time(60)
        stage.tell(pole(1), LAMP_FAILURE, False)
        stage.settle()
        stage.pass_time(60)


def test_what_comes_and_goes_is_told_once_and_stays_open_until_it_was_well_for_an_hour() -> None:
    stage = Stage()
    flap(stage, 5)
    assert stage.open() == []
    lamp_dies(stage)
    assert stage.the("TG-0001", LAMP_FAILURE).quiet == "flapping"
    stage.tell(pole(1), LAMP_FAILURE, False)
    stage.settle()
    flap(stage, 3)
    words = stage.words("TG-0001", LAMP_FAILURE)
    assert words.count("flapping") == 1
    assert words.count("opened") == 6
    assert len(stage.open()) == 1
    stage.pass_time(3500)
    assert len(stage.open()) == 1
    stage.pass_time(101)
    assert stage.open() == []


def test_five_openings_over_a_day_are_not_flapping() -> None:
    stage = Stage()
    for _ in range(8):
        flap(stage, 1)
        stage.pass_time(3600)
    assert "flapping" not in stage.words("TG-0001", LAMP_FAILURE)


def test_how_often_is_flapping_is_data() -> None:
    stage = Stage(rules=[RuleRow("", LAMP_FAILURE, 60, 30, {"flap_count": 1})])
    flap(stage, 1)
    lamp_dies(stage)
    assert stage.the("TG-0001", LAMP_FAILURE).quiet == "flapping"


def test_a_kind_that_is_switched_off_opens_nothing_and_closes_what_is_open() -> None:
    stage = Stage()
    lamp_dies(stage)
    off = RuleRow("tram-than", LAMP_FAILURE, 60, 30, {}, enabled=False)
    stage.watcher.rules = Stage(rules=[off]).watcher.rules
    stage.tell(pole(1), LAMP_FAILURE, True)
    stage.tell(pole(2), LAMP_FAILURE, True)
    stage.settle()
    assert stage.open() == []


def test_what_a_person_resolved_comes_back_only_after_a_while_and_only_if_it_still_stands() -> None:
    stage = Stage()
    lamp_dies(stage)
    lamp_dies(stage, 2)
    for number in (1, 2):
        stage.watcher.resolved_by_hand(Key(f"TG-{number:04}", LAMP_FAILURE), stage.now)
    stage.settle()
    assert stage.open() == []
    stage.pass_time(3600)
    stage.tell(pole(2), LAMP_FAILURE, False)
    stage.settle()
    stage.pass_time(3600 * 3 - 1)
    assert stage.open() == []
    stage.pass_time(1)
    assert [one.key.originator for one in stage.open()] == ["TG-0001"]
    assert stage.the("TG-0001", LAMP_FAILURE).since == START


def test_what_broke_anew_after_it_was_resolved_and_well_opens_at_once() -> None:
    stage = Stage()
    lamp_dies(stage)
    stage.watcher.resolved_by_hand(Key("TG-0001", LAMP_FAILURE), stage.now)
    stage.tell(pole(1), LAMP_FAILURE, False)
    lamp_dies(stage)
    assert len(stage.open()) == 1


def test_parts_of_an_outage_that_a_person_resolved_do_not_cry_out_one_by_one() -> None:
    stage = Stage(nodes=5)
    stage.fall_silent(1, 2, 3, 4, 5)
    stage.settle()
    (group,) = stage.loud()
    stage.watcher.resolved_by_hand(group, stage.now)
    stage.settle()
    stage.pass_time(60)
    assert stage.loud() == []
    assert len(stage.open(COMMUNICATION_FAILURE)) == 5


def test_what_an_outage_that_a_person_resolved_leaves_behind_is_told_when_the_rest_is_well() -> None:
    stage = Stage(nodes=5)
    stage.lose_supply(1)
    stage.tell(camera(1), "camera_offline", True)
    stage.settle()
    stage.watcher.resolved_by_hand(Key("tg-0001", SUPPLY_LOSS), stage.now)
    stage.settle()
    assert stage.loud() == []
    stage.get_supply(1)
    stage.settle()
    assert stage.loud() == [Key("CAM-0001", "camera_offline")]


def test_a_node_that_restarts_again_and_again_is_told_of_and_closes_after_hours_of_rest() -> None:
    stage = Stage()
    for _ in range(3):
        stage.told.reset(stage.watcher, node(1), stage.now, "crash")
        stage.settle()
        stage.pass_time(600)
    assert stage.open() == []
    stage.told.reset(stage.watcher, node(1), stage.now, "crash")
    stage.settle()
    assert [one.key.kind for one in stage.open()] == ["device_reset"]
    stage.pass_time(6 * 3600 - 1)
    assert len(stage.open()) == 1
    stage.pass_time(1)
    assert stage.open() == []


def test_silent_readings_neither_open_nor_close() -> None:
    stage = Stage()
    stage.see(node(1), COMMUNICATION_FAILURE, Verdict.NO_EVIDENCE)
    stage.settle()
    assert stage.steps == []
