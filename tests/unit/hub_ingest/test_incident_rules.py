"""When incidents open and close, with time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.incidents.catalogue import DEFAULT_RULES
from hub.incidents.model import LAMP_FAILURE, Change, Rule, Verdict, Watch
from hub.incidents.rules import judge_lamp, judge_node, step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = Rule("x", hold_off_s=60, clear_after_s=30)
PARAMS = DEFAULT_RULES[LAMP_FAILURE].params


def run(*observations: tuple[float, Verdict], rule: Rule = RULE) -> list[tuple[float, Change]]:
    watch, changes = Watch(), []
    for at_s, verdict in observations:
        watch, change = step(watch, verdict, NOW + timedelta(seconds=at_s), rule)
        if change is not None:
            changes.append((at_s, change))
    return changes


BAD, GOOD, NONE, NOT_DUE = Verdict.BAD, Verdict.GOOD, Verdict.NO_EVIDENCE, Verdict.NOT_DUE


def test_trouble_opens_when_it_has_lasted_for_the_hold_off() -> None:
    assert run((0, BAD), (59, BAD), (60, BAD), (90, BAD)) == [(60, Change.OPENED)]


@pytest.mark.parametrize("interruption", [GOOD, NOT_DUE])
def test_an_interruption_starts_the_hold_off_anew(interruption: Verdict) -> None:
    assert run((0, BAD), (50, interruption), (55, BAD), (100, BAD)) == []


def test_no_evidence_leaves_what_is_pending() -> None:
    assert run((0, BAD), (50, NONE), (60, BAD)) == [(60, Change.OPENED)]


def test_it_closes_only_after_lasting_good() -> None:
    opened = ((0, BAD), (60, BAD))
    assert run(*opened, (70, GOOD), (99, GOOD)) == [(60, Change.OPENED)]
    assert run(*opened, (70, GOOD), (100, GOOD))[1:] == [(100, Change.CLOSED)]
    assert run(*opened, (70, GOOD), (90, BAD), (100, GOOD), (120, GOOD))[1:] == []
    assert run(*opened, (70, GOOD), (90, NONE), (100, GOOD))[1:] == [(100, Change.CLOSED)]


def test_without_hold_off_and_clear_after_one_observation_is_enough() -> None:
    assert run((0, BAD), (1, GOOD), rule=Rule("x", 0, 0)) == [(0, Change.OPENED), (1, Change.CLOSED)]


@pytest.mark.parametrize(
    ("level", "power_w", "rated_w", "is_open", "verdict"),
    [
        (1.0, 40.0, 40.0, False, GOOD),
        (1.0, 7.9, 40.0, False, BAD),
        (1.0, 8.0, 40.0, False, GOOD),
        (1.0, 8.0, 40.0, True, BAD),  # between the two shares it stays what it was
        (1.0, 12.0, 40.0, True, GOOD),
        (0.5, 3.9, 40.0, False, BAD),
        (0.5, 4.0, 40.0, False, GOOD),
        (0.0, 0.0, 40.0, False, NOT_DUE),
        (1.0, None, 40.0, False, NONE),
        (1.0, 40.0, None, False, NONE),
    ],
)
def test_a_lamp_is_judged_by_its_share_of_what_it_should_draw(
    level: float, power_w: float | None, rated_w: float | None, is_open: bool, verdict: Verdict
) -> None:
    judged = judge_lamp(
        effect_level=level, power_w=power_w, lamp_rated_w=rated_w, is_open=is_open, params=PARAMS
    )
    assert judged is verdict


def test_a_node_that_said_it_stops_is_judged_after_its_grace() -> None:
    params = {"stopped_grace_s": 600.0}
    assert judge_node("online", stopped_for_s=0, params=params) is GOOD
    assert judge_node("lost", stopped_for_s=0, params=params) is BAD
    assert judge_node("silent", stopped_for_s=0, params=params) is BAD
    assert judge_node("stopped", stopped_for_s=599, params=params) is NONE
    assert judge_node("stopped", stopped_for_s=600, params=params) is BAD
