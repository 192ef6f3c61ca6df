"""A notifier in short: who is told of, and who kept quiet all the while."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.truth.notices import Listener
from hub.incidents.reads import ChangeView, IncidentView

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
OPENED = IncidentView(
    id=7,
    kind="communication_failure",
    originator_type="node",
    originator="xt-0001",
    pole=None,
    opened_at=BEGIN,
    closed_at=None,
    opened_evidence={},
    closed_evidence=None,
    revision=1,
    commune="xa-that",
    feeder="XT-L1",
    severity="major",
    since_at=BEGIN,
    parent_id=None,
    quiet_reason=None,
    acknowledged_at=None,
    acknowledged_by=None,
    assigned_group=None,
    closed_how=None,
    closed_by=None,
    notify_after=None,
)
WAITING = replace(OPENED, notify_after=BEGIN + timedelta(seconds=120))
GROUPED = replace(WAITING, quiet_reason="group", parent_id=9)


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def heard(*turns: tuple[float, IncidentView | None]) -> set[int]:
    listener = Listener()
    for seconds, view in turns:
        step = ChangeView(1, 7, after(seconds), "changed", "", "", {}, 1)
        listener.take([] if view is None else [(step, view)], after(seconds))
    return listener.heard


def closed(view: IncidentView, seconds: float) -> IncidentView:
    return replace(view, closed_at=after(seconds))


def test_what_opens_without_a_wait_is_told_at_the_next_look() -> None:
    assert heard((0, OPENED)) == set()
    assert heard((0, OPENED), (1, None)) == {7}
    assert heard((0, OPENED), (30, closed(OPENED, 30))) == {7}


def test_what_is_explained_within_its_wait_is_never_told() -> None:
    assert heard((0, WAITING), (60, GROUPED), (500, None), (600, closed(GROUPED, 600))) == set()


def test_what_ends_within_its_wait_is_never_told() -> None:
    assert heard((0, WAITING), (60, closed(WAITING, 60)), (500, None)) == set()


def test_what_is_explained_too_late_has_been_told() -> None:
    assert heard((0, WAITING), (300, GROUPED)) == {7}


def test_what_is_released_is_told_only_when_it_does_not_end_by_itself() -> None:
    released = replace(WAITING, notify_after=after(720))
    assert heard((0, GROUPED), (600, released), (650, closed(released, 650)), (900, None)) == set()
    assert heard((0, GROUPED), (600, released), (800, None)) == {7}
