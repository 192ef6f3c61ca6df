"""Whether anybody was notified of an incident, from its row and its history. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.incidents.catalogue import CATALOGUE
from hub.incidents.reads import ChangeView, IncidentView

QUIETED = frozenset({"grouped", "quieted", "flapping"})
RELEASED = "released"


def was_loud(one: IncidentView, steps: Sequence[ChangeView]) -> bool:
    """Whether there was a moment at which it was open, not quiet, and past the wait for an explanation.

    `steps` are its history, oldest first.
    """
    turns = [step for step in steps if step.change in QUIETED or step.change == RELEASED]
    if not turns:
        return one.quiet_reason is None and _lasts_beyond(one, one.notify_after or one.opened_at)
    loud = turns[0].change != RELEASED
    since = one.opened_at + _first_wait(one)
    for turn in turns:
        if turn.change in QUIETED:
            if loud and turn.at > since:
                return True
            loud = False
        else:
            loud, since = True, max(turn.at, one.notify_after or turn.at)
    return loud and _lasts_beyond(one, since)


def _first_wait(one: IncidentView) -> timedelta:
    """How long its first notice waited; a later release has overwritten it in the row."""
    return timedelta(seconds=CATALOGUE[one.kind].rule.params["grouping_wait_s"])


def _lasts_beyond(one: IncidentView, moment: datetime) -> bool:
    return one.closed_at is None or one.closed_at > moment
