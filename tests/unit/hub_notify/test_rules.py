"""What goes to whom: decided from changes, routes and the time alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hub.incidents.reads import ChangeView, IncidentView
from hub.notify.model import Delivery, Happening, Place, Status
from hub.notify.rules import BACK_OFF_S, concerns, judge, next_try, plan, shares
from tests.support.hub_world import NIGHT
from tests.support.notices import route, view

PLACE = Place(commune="tram-than", hamlets=frozenset({"Khu 1"}), groups=frozenset({"Tổ 1"}), pole="TG-0001")


def happening(change: str = "opened", incident: IncidentView | None = None) -> Happening:
    return Happening(ChangeView(7, 1, NIGHT, change, "", "", {}, 1), incident or view(), PLACE)


def delivery(n: int = 1, purpose: str = "opened", **changes: object) -> Delivery:
    values: dict[str, object] = {
        "id": n,
        "key": f"k{n}",
        "purpose": purpose,
        "target_type": "channel",
        "target": "truc",
        "language": "vi",
        "route_id": 1,
        "incident_id": n,
        "after_id": None,
        "merged_into": None,
        "body": None,
        "subject": "",
        "status": "waiting",
        "tries": 0,
        "created_at": NIGHT,
        "created_by": "",
        "due_at": NIGHT,
        "claimed_at": None,
        "finished_at": None,
        "unsure": False,
        "last_error": "",
    }
    return Delivery(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"commune": "tram-than"}, True),
        ({"commune": "tu-vu"}, False),
        ({"hamlet": "Khu 1"}, True),
        ({"hamlet": "Khu 2"}, False),
        ({"group": "Tổ 1"}, True),
        ({"group": "Tổ 2"}, False),
        ({"kinds": frozenset({"lamp_failure"})}, True),
        ({"kinds": frozenset({"camera_dark"})}, False),
        ({"least_severity": "major"}, True),
        ({"least_severity": "critical"}, False),
    ],
)
def test_a_route_wants_what_fits_all_its_conditions(wish: dict[str, object], wanted: bool) -> None:
    assert concerns(route(**wish), view(), PLACE) is wanted


def test_the_group_it_was_given_to_counts_more_than_the_poles_own() -> None:
    given = view(assigned_group="Tổ 2")
    assert concerns(route(group="Tổ 2"), given, PLACE)
    assert not concerns(route(group="Tổ 1"), given, PLACE)


def test_what_is_critical_does_not_wait_for_others_of_its_storm() -> None:
    for severity, wait_s in (("critical", 0), ("major", 15), ("minor", 15)):
        made = plan([happening(incident=view(severity=severity))], {1: route()}, {}, now=NIGHT, gather_s=15)
        assert [one.due_at - NIGHT for one in made.new] == [timedelta(seconds=wait_s)]


def test_a_chain_of_escalations_ends_where_it_would_go_round() -> None:
    routes = {
        1: route(id=1, channels=("a",), escalate_after_min=10, escalate_to=2),
        2: route(id=2, channels=("b",), escalate_after_min=20, escalate_to=3, for_escalation=True),
        3: route(id=3, channels=("c",), escalate_after_min=5, escalate_to=1, for_escalation=True),
    }
    made = plan([happening()], routes, {}, now=NIGHT).new
    assert [(one.purpose, one.target, one.due_at - NIGHT) for one in made] == [
        ("opened", "a", timedelta(0)),
        ("escalated", "b", timedelta(minutes=10)),
        ("escalated", "c", timedelta(minutes=30)),
    ]


def test_an_incident_somebody_has_taken_on_is_told_and_not_escalated() -> None:
    routes = {
        1: route(id=1, escalate_after_min=10, escalate_to=2),
        2: route(id=2, channels=("b",), for_escalation=True),
    }
    made = plan([happening(incident=view(acknowledged_at=NIGHT))], routes, {}, now=NIGHT).new
    assert [one.purpose for one in made] == ["opened"]


@pytest.mark.parametrize("change", ["commented", "assigned", "grouped", "a_newer_step"])
def test_other_steps_tell_nobody(change: str) -> None:
    made = plan([happening(change)], {1: route()}, {}, now=NIGHT)
    assert (made.new, made.closings, made.unneeded) == ([], [], [])


@pytest.mark.parametrize(
    ("status", "followed"), [("sent", 1), ("merged", 1), ("sending", 1), ("waiting", 1)]
)
def test_an_end_follows_every_opening_that_stands(status: Status, followed: int) -> None:
    over = view(closed_at=NIGHT)
    for change in ("closed", "corrected"):
        made = plan([happening(change, over)], {}, {1: [delivery(status=status)]}, now=NIGHT)
        assert [planned.key for _, planned in made.closings] == ["closed:1"] * followed


@pytest.mark.parametrize("status", ["failed", "dropped"])
def test_no_end_follows_an_opening_that_nobody_got(status: Status) -> None:
    over = view(closed_at=NIGHT)
    assert plan([happening("closed", over)], {}, {1: [delivery(status=status)]}, now=NIGHT).closings == []


def test_history_that_corrects_a_lasting_incident_ends_nothing() -> None:
    made = plan([happening("corrected")], {1: route()}, {1: [delivery(status="sent")]}, now=NIGHT)
    assert (made.new, made.closings) == ([], [])


def test_what_belongs_to_no_commune_is_every_communes_affair() -> None:
    of_hub = view(commune="", pole=None, originator_type="hub", originator="hub", kind="hub_blind")
    assert concerns(route(commune="tu-vu"), of_hub, Place(commune=""))
    assert not concerns(route(commune="tu-vu", hamlet="Khu 1"), of_hub, Place(commune=""))


class Later:
    """An incident that carries the moment before which nobody is to be told."""

    def __init__(self, notify_after: datetime | None) -> None:
        self._view = view()
        self.notify_after = notify_after

    def __getattr__(self, name: str) -> object:
        return getattr(self._view, name)


@pytest.mark.parametrize("after_s", [None, 0, 90])
def test_nobody_is_told_before_the_moment_that_the_incident_names(after_s: int | None) -> None:
    moment = None if after_s is None else NIGHT + timedelta(seconds=after_s)
    later: IncidentView = Later(moment)  # type: ignore[assignment]
    due = NIGHT + timedelta(seconds=after_s or 0)
    assert [one.due_at for one in plan([happening("opened", later)], {1: route()}, {}, now=NIGHT).new] == [
        due
    ]
    verdict = judge(delivery(), later, None, now=NIGHT)
    assert (verdict.kind, verdict.until) == (("wait", moment) if after_s else ("go", None))
    assert judge(delivery(), later, None, now=due).kind == "go"


def test_an_outage_that_turned_is_told_to_who_has_not_heard_of_it() -> None:
    routes = {1: route(id=1), 2: route(id=2, channels=("cong-an",), kinds=frozenset({"feeder_outage"}))}
    turned = happening("turned", view(kind="feeder_outage"))
    made = plan([turned], routes, {1: [delivery(status="sent")]}, now=NIGHT)
    assert [one.target for one in made.new] == ["cong-an"]


@pytest.mark.parametrize(
    ("purpose", "incident", "after", "verdict"),
    [
        ("opened", view(), None, "go"),
        ("opened", view(closed_at=NIGHT), None, "drop"),
        ("opened", view(quiet_reason="group"), None, "drop"),
        ("opened", None, None, "drop"),
        ("escalated", view(), "sent", "go"),
        ("escalated", view(), "waiting", "go"),
        ("escalated", view(), "dropped", "drop"),
        ("escalated", view(acknowledged_at=NIGHT), "sent", "drop"),
        ("closed", view(closed_at=NIGHT), "sent", "go"),
        ("closed", view(closed_at=NIGHT), "waiting", "wait"),
        ("closed", view(closed_at=NIGHT), "sending", "wait"),
        ("closed", view(closed_at=NIGHT), "failed", "drop"),
        ("closed", view(closed_at=NIGHT), "dropped", "drop"),
        ("digest", None, None, "go"),
        ("test", None, None, "go"),
    ],
)
def test_a_message_is_judged_again_when_its_moment_comes(
    purpose: str, incident: IncidentView | None, after: Status | None, verdict: str
) -> None:
    assert judge(delivery(purpose=purpose), incident, after, now=NIGHT).kind == verdict


def test_an_opening_that_may_have_arrived_is_never_dropped() -> None:
    assert judge(delivery(unsure=True, tries=1), view(closed_at=NIGHT), None, now=NIGHT).kind == "go"


def sizes(due: list[Delivery], allowed: int, storm_over: int = 10) -> list[int]:
    return [len(one) for one in shares(due, allowed=allowed, storm_over=storm_over)]


def test_few_go_one_by_one_and_many_as_one() -> None:
    ten = [delivery(n) for n in range(10)]
    assert sizes(ten, allowed=20) == [1] * 10
    assert sizes([*ten, delivery(11)], allowed=20) == [11]
    assert sizes(ten, allowed=4) == [10]
    assert sizes(ten, allowed=0) == []


def test_openings_and_ends_never_share_a_message_and_what_was_tried_stays_alone() -> None:
    due = [delivery(n) for n in range(12)] + [delivery(n, "closed") for n in range(20, 33)]
    due += [delivery(40, tries=1), delivery(41, "digest")]
    assert sorted(sizes(due, allowed=20)) == [1, 1, 12, 13]


def test_no_message_is_lost_or_doubled_by_sharing() -> None:
    due = [delivery(n, "closed" if n % 3 else "opened", tries=n % 2) for n in range(60)]
    ids = [one.id for share in shares(due, allowed=100, storm_over=5) for one in share]
    assert sorted(ids) == list(range(60))


def test_pauses_grow_and_tries_end() -> None:
    def pause_s(tries: int, retry_after_s: float | None = None) -> float | None:
        again = next_try(tries, tries_max=8, retry_after_s=retry_after_s, now=NIGHT)
        return None if again is None else (again - NIGHT).total_seconds()

    pauses = [pause_s(n) for n in range(1, 8)]
    assert pauses == list(BACK_OFF_S)
    assert pause_s(8) is None
    assert pause_s(1, 90) == 90
    assert pause_s(3, 90) == 600, "never sooner than our own pause"
    assert pause_s(1, 10_000_000) == BACK_OFF_S[-1]


def test_times_of_plans_are_aware() -> None:
    assert all(
        isinstance(one.due_at, datetime) and one.due_at.tzinfo
        for one in plan([happening()], {1: route()}, {}, now=NIGHT).new
    )
