"""History raises no alarm: it is kept as closed, dates what is open, and tells what a silent node did."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.incidents.history import dark_since, mended_at
from hub.incidents.model import BACKHAUL_OUTAGE, COMMUNICATION_FAILURE, FEEDER_OUTAGE, LAMP_FAILURE, Verdict
from tests.unit.hub_incidents.stage import FEEDER, START, Stage, camera, node, pole


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def test_a_fault_that_began_and_ended_unheard_is_kept_as_closed_at_its_own_times() -> None:
    stage = Stage()
    stage.pass_time(7200)
    stage.tell(camera(1), "camera_frozen", True, at=minutes(10))
    stage.tell(camera(1), "camera_frozen", False, at=minutes(40))
    (kept,) = stage.settle()
    assert kept.standing is not None
    assert (kept.standing.since, kept.columns["closed_at"]) == (minutes(10), minutes(40))
    assert (kept.columns["closed_how"], kept.standing.quiet) == ("corrected", "history")
    assert stage.open() == []


def test_a_fault_that_began_unheard_and_still_shows_opens_with_its_true_beginning() -> None:
    stage = Stage()
    stage.pass_time(7200)
    stage.tell(camera(1), "camera_frozen", True, at=minutes(10))
    assert stage.settle() == []
    stage.told.still_shown(stage.watcher, "camera_frozen", camera(1), stage.now, dict)
    stage.settle()
    assert stage.the("CAM-0001", "camera_frozen").since == minutes(10)
    assert stage.the("CAM-0001", "camera_frozen").opened_at == stage.now


def test_a_fault_that_began_unheard_and_ends_now_is_kept_too() -> None:
    stage = Stage()
    stage.pass_time(7200)
    stage.tell(camera(1), "camera_frozen", True, at=minutes(10))
    stage.tell(camera(1), "camera_frozen", False)
    (kept,) = stage.settle()
    assert kept.columns["closed_at"] == stage.now


def test_an_end_without_a_beginning_is_nothing() -> None:
    stage = Stage()
    stage.pass_time(7200)
    stage.tell(camera(1), "camera_frozen", False, at=minutes(40))
    assert stage.settle() == []


def replay(stage: Stage, good: range | None = None, bad: range | None = None) -> None:
    for span, verdict in ((good, Verdict.GOOD), (bad, Verdict.BAD)):
        for minute in span or ():
            stage.watcher.corrections.take("tg-0001", "TG-0001", minutes(minute), verdict, stage.now)


def test_a_silent_node_that_kept_its_lamp_lit_was_cut_off_and_not_out() -> None:
    stage = Stage()
    stage.fall_silent(1)
    stage.settle()
    stage.pass_time(3600)
    stage.come_back(1)
    replay(stage, good=range(1, 50))
    assert stage.settle() == []
    (corrected,) = stage.pass_time(20)
    assert (corrected.key, corrected.change) == (("tg-0001", COMMUNICATION_FAILURE), "corrected")
    assert corrected.merge is not None
    assert (corrected.merge["history_lit"], corrected.merge["history_dark"]) == (49, 0)


def test_a_lamp_that_was_mended_while_its_node_was_silent_is_closed_from_then_on() -> None:
    stage = Stage()
    stage.tell(pole(1), LAMP_FAILURE, True)
    stage.settle()
    stage.pass_time(3600)
    stage.tell(pole(1), LAMP_FAILURE, False)
    stage.settle()
    replay(stage, bad=range(1, 20), good=range(20, 59))
    (corrected,) = stage.pass_time(30)
    assert (corrected.change, corrected.columns["closed_at"]) == ("corrected", minutes(20))
    assert corrected.opened_at == START


def test_a_lamp_that_failed_while_its_node_was_silent_was_dark_since_then() -> None:
    stage = Stage()
    stage.pass_time(3600)
    stage.tell(pole(1), LAMP_FAILURE, True)
    stage.settle()
    replay(stage, good=range(1, 30), bad=range(30, 60))
    (corrected,) = stage.pass_time(30)
    assert corrected.columns["since_at"] == minutes(30)
    assert stage.the("TG-0001", LAMP_FAILURE).since == minutes(30)


def test_samples_far_apart_prove_nothing_between_them() -> None:
    assert dark_since(minutes(60), [], [minutes(1), minutes(50)]) == minutes(50)
    assert dark_since(minutes(60), [minutes(55)], [minutes(50)]) is None


def test_what_was_dark_again_later_was_not_mended_before() -> None:
    good, bad = [minutes(10), minutes(40)], [minutes(30)]
    assert mended_at(minutes(0), minutes(60), good, bad) == minutes(40)
    assert mended_at(minutes(45), minutes(60), good, bad) is None


def test_nobody_is_corrected_who_has_no_incident() -> None:
    stage = Stage()
    replay(stage, bad=range(1, 30))
    assert stage.pass_time(30) == []


def test_a_power_cut_told_afterwards_turns_the_outage_that_looked_like_a_lost_link() -> None:
    stage = Stage(nodes=4)
    stage.fall_silent(1, 2, 3, 4)
    stage.settle()
    stage.pass_time(1800)
    stage.tell(node(1), "supply_loss", True, at=START - timedelta(seconds=80))
    stage.tell(node(1), "supply_loss", False, at=stage.now - timedelta(seconds=90))
    stage.settle()
    assert stage.words(FEEDER, BACKHAUL_OUTAGE) == ["opened", "turned"]
    assert len(stage.open(FEEDER_OUTAGE)) == 1


def silence_that_ended(stage: Stage) -> None:
    stage.fall_silent(1, 2, 3, 4)
    stage.settle()
    stage.pass_time(1800)
    stage.come_back(1, 2, 3, 4)
    stage.pass_time(11)
    assert stage.words(FEEDER, BACKHAUL_OUTAGE) == ["opened", "closed"]


def test_a_power_cut_told_after_all_was_well_again_puts_the_name_right_and_tells_nobody() -> None:
    stage = Stage(nodes=4)
    silence_that_ended(stage)
    stage.tell(node(1), "supply_loss", True, at=START - timedelta(seconds=80))
    stage.tell(node(1), "supply_loss", False, at=stage.now - timedelta(seconds=20))
    stage.tell(node(2), "supply_loss", True, at=START - timedelta(seconds=80))
    stage.tell(node(2), "supply_loss", False, at=stage.now - timedelta(seconds=20))
    (corrected,) = [step for step in stage.settle() if step.change == "corrected"]
    assert (corrected.key, corrected.opened_at) == ((FEEDER, BACKHAUL_OUTAGE), START)
    assert corrected.columns == {"kind": FEEDER_OUTAGE, "severity": "critical"}
    assert corrected.merge == {"supply_loss_told_by": "tg-0001"}
    assert stage.loud() == []


def test_a_restart_after_a_power_cut_that_comes_as_history_is_evidence_and_no_restart_to_count() -> None:
    stage = Stage(nodes=4)
    silence_that_ended(stage)
    for _ in range(5):
        stage.told.reset(stage.watcher, node(1), stage.now, "power_cut", live=False)
    assert [step.change for step in stage.settle()] == ["corrected"]
    assert stage.open() == []


def test_another_days_power_cut_and_another_nodes_say_nothing_of_a_silence() -> None:
    stage = Stage(nodes=5)
    silence_that_ended(stage)
    stage.told.reset(stage.watcher, node(5), stage.now, "power_cut", live=False)
    stage.told.reset(stage.watcher, node(1), START - timedelta(hours=1), "power_cut", live=False)
    stage.told.reset(stage.watcher, node(1), stage.now + timedelta(hours=1), "power_cut", live=False)
    stage.told.reset(stage.watcher, node(1), stage.now, "crash", live=False)
    assert stage.settle() == []
