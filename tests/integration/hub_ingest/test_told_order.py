"""Words of nodes that overtake each other around a restart: the older one stays the older one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.incidents.reads import IncidentView, Status
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.test_told_faults import sampled, told

pytestmark = pytest.mark.servers

KIND = "power_tapping"
A_MOMENT = timedelta(seconds=5)


def _of_kind(rig: Rig, status: Status) -> list[IncidentView]:
    return [one for one in rig.incidents(status) if one.kind == KIND]


def test_a_late_end_does_not_close_what_began_after_it(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(10, rig.now, KIND, True))
    rig.restart()
    rig.take(Kind.EVENT, told(9, rig.now - A_MOMENT, KIND, False))
    rig.pass_time(60, every_s=10)
    assert len(_of_kind(rig, "open")) == 1


def test_a_late_end_does_not_close_what_a_newer_sample_tells_of(rig: Rig) -> None:
    rig.take(Kind.TELEMETRY, sampled(10, rig.now, KIND))
    rig.restart()
    rig.take(Kind.EVENT, told(9, rig.now - A_MOMENT, KIND, False))
    rig.pass_time(60, every_s=10)
    assert len(_of_kind(rig, "open")) == 1


def test_a_late_beginning_does_not_open_what_a_newer_event_has_ended(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(10, rig.now, KIND, True))
    rig.pass_time(10, every_s=5)
    rig.take(Kind.EVENT, told(12, rig.now, KIND, False))
    rig.pass_time(60, every_s=10)
    assert _of_kind(rig, "open") == []
    rig.restart()
    rig.take(Kind.EVENT, told(11, rig.now, KIND, True))
    rig.pass_time(60, every_s=10)
    assert _of_kind(rig, "open") == []
    assert len(_of_kind(rig, "all")) == 1


def test_a_late_beginning_does_not_open_what_a_newer_sample_has_ended(rig: Rig) -> None:
    begun_at = rig.now
    rig.take(Kind.TELEMETRY, sampled(11, rig.now, KIND))
    rig.pass_time(20, every_s=5)
    rig.take(Kind.TELEMETRY, sampled(12, rig.now))
    assert _of_kind(rig, "open") == []
    rig.restart()
    rig.take(Kind.EVENT, told(10, begun_at, KIND, True))
    rig.pass_time(60, every_s=10)
    assert _of_kind(rig, "open") == []
    assert len(_of_kind(rig, "all")) == 1


def test_a_new_beginning_opens_after_a_restart_as_before_it(rig: Rig) -> None:
    rig.take(Kind.EVENT, told(10, rig.now, KIND, True))
    rig.pass_time(10, every_s=5)
    rig.take(Kind.EVENT, told(11, rig.now, KIND, False))
    rig.pass_time(60, every_s=10)
    rig.restart()
    rig.take(Kind.EVENT, told(12, rig.now, KIND, True))
    rig.pass_time(60, every_s=10)
    assert len(_of_kind(rig, "open")) == 1
    assert len(_of_kind(rig, "all")) == 2


def test_what_history_said_began_waits_through_a_restart_for_a_live_word(rig: Rig) -> None:
    begun_at = rig.now - timedelta(hours=2)
    rig.take(Kind.EVENT, told(10, begun_at, KIND, True, historical=True, power_w=180.0))
    assert _of_kind(rig, "open") == []
    rig.restart()
    rig.take(Kind.TELEMETRY, sampled(11, rig.now, KIND))
    (opened,) = _of_kind(rig, "open")
    assert opened.opened_evidence["since"] == begun_at.isoformat()
    assert opened.opened_evidence["power_w"] == 180.0
