"""When an incident opens and closes. Pure: `now` and thresholds are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from hub.incidents.model import Change, Rule, Verdict, Watch


def judge_lamp(
    *,
    effect_level: float,
    power_w: float | None,
    lamp_rated_w: float | None,
    is_open: bool,
    params: Mapping[str, float],
) -> Verdict:
    """A lamp that should be lit and draws less than `fail_share` of rating × level has failed.

    Once failed it is well again from `clear_share` on; in between it stays what it was.
    """
    if effect_level <= 0:
        return Verdict.NOT_DUE
    if power_w is None or not lamp_rated_w:
        return Verdict.NO_EVIDENCE
    share = power_w / (lamp_rated_w * effect_level)
    if share < params["fail_share"]:
        return Verdict.BAD
    if is_open and share < params["clear_share"]:
        return Verdict.BAD
    return Verdict.GOOD


def judge_node(
    status: Literal["online", "silent", "lost", "stopped"],
    *,
    stopped_for_s: float,
    params: Mapping[str, float],
) -> Verdict:
    """A node that is silent or lost fails to communicate; one that said it stops, only after a grace."""
    if status == "online":
        return Verdict.GOOD
    if status == "stopped" and stopped_for_s < params["stopped_grace_s"]:
        return Verdict.NO_EVIDENCE
    return Verdict.BAD


def step(watch: Watch, verdict: Verdict, now: datetime, rule: Rule) -> tuple[Watch, Change | None]:
    """Move one (originator, kind) on by one observation at `now`."""
    if watch.is_open:
        return _step_open(watch, verdict, now, rule)
    if verdict is Verdict.NO_EVIDENCE:
        return watch, None
    if verdict is not Verdict.BAD:
        return Watch(), None
    bad_since = watch.bad_since or now
    if now - bad_since < timedelta(seconds=rule.hold_off_s):
        return Watch(bad_since=bad_since), None
    return Watch(is_open=True, bad_since=bad_since), Change.OPENED


def _step_open(watch: Watch, verdict: Verdict, now: datetime, rule: Rule) -> tuple[Watch, Change | None]:
    if verdict is Verdict.NO_EVIDENCE:
        return watch, None
    if verdict is not Verdict.GOOD:
        # A failed lamp that is off by day is not mended: the incident waits for the next evening.
        return Watch(is_open=True, bad_since=watch.bad_since), None
    good_since = watch.good_since or now
    if now - good_since < timedelta(seconds=rule.clear_after_s):
        return Watch(is_open=True, bad_since=watch.bad_since, good_since=good_since), None
    return Watch(), Change.CLOSED
