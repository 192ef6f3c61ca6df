"""What a lamp should do now: pure decisions, time as an argument.

Someone's wish comes first and always ends: an override, or maintenance, whichever was given later. Then the
light sensor, then the sun; and with nothing to go by the road is lit. Whatever has failed, a lamp is put out
only by a wish, by a profile, or by a word that can be believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from edge.lamp.schedule import FULL, SunWord

Reason = Literal[
    "override", "maintenance", "photocell", "sun", "dimming", "motion", "contactor_rest", "fail_lit"
]

OFF = 0.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What someone ordered, with its end on both clocks: whichever comes first ends it."""

    until_utc: datetime
    ends_monotonic_s: float
    command: UUID
    issued_at_utc: datetime

    def stands(self, *, now: datetime, monotonic_s: float, clock_synced: bool) -> bool:
        """Whether it is still in force. A wall clock that can't be believed is not asked."""
        if monotonic_s >= self.ends_monotonic_s:
            return False
        return not (clock_synced and now >= self.until_utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override(Wish):
    """A wish for a level."""

    level: float


@dataclass(frozen=True, slots=True)
class Maintenance(Wish):
    """People work at the pole: its lamp stays lit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known at one moment. None is what nobody knows."""

    override: Override | None = None
    """One that still stands; so is `maintenance`."""
    maintenance: Maintenance | None = None
    dark: bool | None = None
    """The light sensor's word."""
    sensor_proven: bool = False
    """The sensor has said both words since the start."""
    sun: SunWord | None = None
    """None while no time can be believed."""
    profile: float = FULL
    """The night's level at this hour; full light while the hour is not known."""
    raised_to: float | None = None
    """The level that motion calls for; None while nothing moves."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The level to drive, and why; `commanded_level` and its end stand there only with an override."""

    level: float
    reason: Reason
    due: bool | None = None
    """Whether the road should be lit now, whatever anyone wishes; None when that can't be told."""
    commanded_level: float | None = None
    override_until_utc: datetime | None = None


def decide(evidence: Evidence) -> Decision:
    """Choose among what is known."""
    due, why = _due(evidence)
    override, maintenance = evidence.override, evidence.maintenance
    if maintenance is not None and (override is None or maintenance.issued_at_utc > override.issued_at_utc):
        wish = Decision(FULL, "maintenance", due)
        if override is None:
            return wish
        return replace(wish, commanded_level=override.level, override_until_utc=override.until_utc)
    if override is not None:
        return Decision(override.level, "override", due, override.level, override.until_utc)
    if due is None:
        return Decision(FULL, why, None)
    if not due:
        return Decision(OFF, why, False)
    if evidence.raised_to is not None and evidence.raised_to > evidence.profile:
        return Decision(evidence.raised_to, "motion", True)
    return Decision(evidence.profile, why if evidence.profile >= FULL else "dimming", True)


def _due(evidence: Evidence) -> tuple[bool | None, Reason]:
    if evidence.dark:
        return True, "photocell"
    if evidence.dark is None:
        return (None, "fail_lit") if evidence.sun is None else (evidence.sun.due, "sun")
    if evidence.sun is None:
        # A sensor that never said dark may be stuck: without a clock its word alone puts no lamp out.
        return (False, "photocell") if evidence.sensor_proven else (None, "fail_lit")
    if evidence.sun.due and evidence.sun.night:
        return True, "sun"
    return False, "photocell"


@dataclass(frozen=True, slots=True)
class RestRules:
    """How long an output stays as it is after it has switched, seconds."""

    min_on_s: float
    min_off_s: float


@dataclass(frozen=True, slots=True)
class Switching:
    """The output's state as far as wear goes: its level, and when it was last switched on or off."""

    level: float | None = None
    switched_at_s: float | None = None

    def free_at_s(self, rules: RestRules) -> float | None:
        """When (steady clock) it may switch again; None when it may now."""
        if self.level is None or self.switched_at_s is None:
            return None
        return self.switched_at_s + (rules.min_on_s if self.level > 0 else rules.min_off_s)


def let_rest(
    before: Switching, decision: Decision, *, monotonic_s: float, rules: RestRules
) -> tuple[Switching, Decision]:
    """Hold a decision back while the contactor rests; dimming is no switching.

    The first decision after a start is free, and so is the first switch after it: nobody knows when the
    output was switched before. Light for darkness waits at most `min_off_s`.
    """
    if before.level is None:
        return Switching(decision.level), decision
    if (decision.level > 0) == (before.level > 0):
        return Switching(decision.level, before.switched_at_s), decision
    free_at_s = before.free_at_s(rules)
    if free_at_s is not None and monotonic_s < free_at_s:
        return before, replace(decision, level=before.level, reason="contactor_rest")
    return Switching(decision.level, monotonic_s), decision


@dataclass(frozen=True, slots=True)
class MotionTrack:
    """What a motion sensor has told: since when it moves without a pause, and when it last moved."""

    since_s: float | None = None
    moved_at_s: float | None = None


def follow_motion(
    track: MotionTrack, moving: bool | None, *, monotonic_s: float, stuck_after_s: float
) -> MotionTrack:
    """The track after one more reading. Motion without a pause for `stuck_after_s` is a broken sensor's."""
    if not moving:
        return MotionTrack(moved_at_s=track.moved_at_s)
    since_s = monotonic_s if track.since_s is None else track.since_s
    stuck = monotonic_s - since_s >= stuck_after_s
    return MotionTrack(since_s, None if stuck else monotonic_s)


def motion_holds(track: MotionTrack, *, monotonic_s: float, hold_s: float) -> bool:
    """Whether something moved within the last `hold_s`."""
    return track.moved_at_s is not None and monotonic_s - track.moved_at_s < hold_s
