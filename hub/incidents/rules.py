"""When an incident opens and closes. Pure: `now` and thresholds are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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


def judge_burning(
    *,
    effect_level: float,
    due: bool | None,
    power_w: float | None,
    lamp_rated_w: float | None,
    params: Mapping[str, float],
) -> Verdict:
    """A lamp that is not due and not driven, and draws `on_share` of its rating or more, burns all the same."""
    if effect_level > 0 or due is not False:
        # By night a stuck contactor cannot be told from a lamp that is lit: nothing is mended by dusk.
        return Verdict.NO_EVIDENCE
    if power_w is None or not lamp_rated_w:
        return Verdict.NO_EVIDENCE
    return Verdict.BAD if power_w >= params["on_share"] * lamp_rated_w else Verdict.GOOD


def judge_low(
    value: float | None, limit: float, *, hysteresis: float, is_open: bool, dead: float = 0
) -> Verdict:
    """Below the limit is bad, and once open until `hysteresis` above it; below `dead` it is another matter."""
    if value is None or value < dead:
        return Verdict.NO_EVIDENCE
    return Verdict.BAD if value < (limit + hysteresis if is_open else limit) else Verdict.GOOD


def judge_high(value: float | None, limit: float, *, hysteresis: float, is_open: bool) -> Verdict:
    """From the limit on is bad, and once open until `hysteresis` below it."""
    if value is None:
        return Verdict.NO_EVIDENCE
    return Verdict.BAD if value >= (limit - hysteresis if is_open else limit) else Verdict.GOOD


def judge_flag(bad: bool | None) -> Verdict:
    """What a plain word says; None says nothing."""
    if bad is None:
        return Verdict.NO_EVIDENCE
    return Verdict.BAD if bad else Verdict.GOOD


PICTURE_KINDS: Mapping[str, str] = {
    "frozen": "camera_frozen",
    "dark": "camera_dark",
    "covered": "camera_covered",
    "moved": "camera_moved",
    "defocused": "camera_defocused",
}
"""A picture's word to the kind of incident it shows."""


def judge_camera(
    *,
    reachable: bool,
    stream: str | None,
    picture: str | None,
    clock_offset_s: float | None,
    recording_age_s: float | None,
    clock_limit_s: float,
    recording_limit_s: float,
) -> dict[str, Verdict]:
    """What one reading of a camera shows, kind by kind; what was not asked is not in it."""
    found = {"camera_offline": Verdict.GOOD if reachable else Verdict.BAD}
    if reachable and stream is not None:
        found["camera_stream_lost"] = judge_flag(stream != "live")
    if picture == "ok":
        found |= dict.fromkeys(PICTURE_KINDS.values(), Verdict.GOOD)
    elif picture is not None and picture in PICTURE_KINDS:
        # One bad word hides what the others would say: a covered lens may have been turned, too.
        # What stands stays; what was pending on a word of its own, now and then, starts anew.
        found |= dict.fromkeys(PICTURE_KINDS.values(), Verdict.NOT_DUE)
        found[PICTURE_KINDS[picture]] = Verdict.BAD
    if clock_offset_s is not None:
        found["camera_clock_drift"] = judge_flag(abs(clock_offset_s) > clock_limit_s)
    if recording_age_s is not None:
        found["recording_gap"] = judge_flag(recording_age_s > recording_limit_s)
    return found


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
        return Watch(bad_since=bad_since, by_word=watch.by_word), None
    return Watch(is_open=True, bad_since=bad_since, by_word=watch.by_word), Change.OPENED


def _step_open(watch: Watch, verdict: Verdict, now: datetime, rule: Rule) -> tuple[Watch, Change | None]:
    if verdict is Verdict.NO_EVIDENCE:
        return watch, None
    if verdict is not Verdict.GOOD:
        # A failed lamp that is off by day is not mended: the incident waits for the next evening.
        return replace(watch, good_since=None), None
    good_since = watch.good_since or now
    if now - good_since < timedelta(seconds=rule.clear_after_s):
        return replace(watch, good_since=good_since), None
    return Watch(), Change.CLOSED
