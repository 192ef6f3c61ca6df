"""From an incident's opening to the notice that it is over: who gets what, and nobody twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time
from threading import Barrier

from hub.notify import routing, store
from hub.notify.model import SENT, Outcome
from tests.support.notices import BASE_URL, Desk

BUSY = Outcome("passing", "SMTP 451 greylisted")
NO_SUCH = Outcome("permanent", "SMTP 550 no such user")


def test_the_one_who_heard_of_it_hears_that_it_is_over(desk: Desk) -> None:
    desk.route()
    opened = desk.opens()
    desk.turn()
    desk.turn(minutes=40)
    assert desk.subjects() == ["Đèn không sáng: cột TG-0001"]
    desk.closes(opened)
    desk.turn()
    assert desk.subjects() == ["Đèn không sáng: cột TG-0001", "Đã hết – Đèn không sáng: cột TG-0001"]
    told, over = desk.lists["truc"].sent
    assert "Nơi: TG-0001, Ngã ba xóm 1, tuyến F2, Khu 2, xã Trạm Thản" in told.body
    assert "Từ: 01/03/2026 21:00" in told.body
    assert "Phụ trách: Tổ tự quản 2" in told.body
    assert f"{BASE_URL}/incidents/{opened}" in told.body
    assert "kéo dài 40 phút" in over.body


def test_an_incident_goes_to_the_routes_that_want_it_and_to_each_channel_once(desk: Desk) -> None:
    desk.route(channels=("truc",), hamlet="Khu 1")
    desk.route(channels=("to-1",), group="Tổ tự quản 2")
    desk.route(channels=("to-1", "cong-an"), least_severity="major")
    desk.route(channels=("truc",), kinds=frozenset({"camera_offline"}))
    desk.opens(1)
    desk.turn()
    assert desk.statuses() == [("opened", "to-1", "sent"), ("opened", "cong-an", "sent")]


def test_the_end_is_told_to_those_who_got_the_opening_though_the_route_is_gone(desk: Desk) -> None:
    made = desk.route(channels=("truc", "to-1"))
    opened = desk.opens()
    desk.turn()
    with desk.engine.begin() as conn:
        routing.change(conn, replace(made, channels=("cong-an",)))
    desk.closes(opened)
    desk.turn()
    assert [len(desk.subjects(name)) for name in ("truc", "to-1", "cong-an")] == [2, 2, 0]
    again = desk.opens()
    desk.turn()
    with desk.engine.begin() as conn:
        assert routing.remove(conn, made.id)
    desk.closes(again)
    desk.turn()
    assert [len(desk.subjects(name)) for name in ("truc", "to-1", "cong-an")] == [2, 2, 2]


def test_what_is_over_before_it_was_told_is_not_told(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"gather_s": 30})
    desk.notifier = desk.new_notifier()
    desk.route()
    opened = desk.opens()
    desk.turn()
    desk.closes(opened)
    desk.turn(seconds=10)
    desk.turn(minutes=5)
    assert desk.subjects() == []
    assert desk.statuses() == [("opened", "truc", "dropped")]


def test_a_quiet_incident_is_told_once_it_is_released(desk: Desk) -> None:
    desk.route()
    part = desk.opens(quiet_reason="group")
    desk.turn()
    assert desk.subjects() == []
    desk.changes(part, "released", quiet_reason=None)
    desk.turn()
    desk.changes(part, "released", quiet_reason=None)
    desk.turn()
    assert desk.subjects() == ["Đèn không sáng: cột TG-0001"]


def test_an_incident_explained_while_it_waited_is_not_told(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"gather_s": 60})
    desk.notifier = desk.new_notifier()
    desk.route()
    part = desk.opens()
    desk.turn()
    desk.changes(part, "grouped", quiet_reason="group")
    desk.turn(seconds=61)
    assert desk.statuses() == [("opened", "truc", "dropped")]
    desk.closes(part)
    desk.turn()
    assert desk.subjects() == []


def test_quiet_hours_hold_until_morning_and_critical_passes(desk: Desk) -> None:
    desk.route(quiet_from=time(20, 0), quiet_until=time(6, 0))
    lamp = desk.opens(1)
    feeder = desk.opens(2, kind="supply_loss", severity="critical")
    desk.turn(minutes=1)
    assert desk.subjects() == ["Mất điện lưới: cột TG-0002"]
    desk.turn(hours=8, minutes=58)
    assert len(desk.subjects()) == 1
    desk.turn(minutes=1)
    assert desk.subjects()[1:] == ["Đèn không sáng: cột TG-0001"]
    desk.closes(lamp)
    desk.closes(feeder)
    desk.turn()
    assert len(desk.subjects()) == 4


def test_nobody_takes_it_on_so_it_goes_to_the_next_and_both_hear_the_end(desk: Desk) -> None:
    police = desk.route(channels=("cong-an",), for_escalation=True)
    desk.route(channels=("to-1",), escalate_after_min=30, escalate_to=police.id)
    opened = desk.opens()
    desk.turn()
    desk.turn(minutes=29)
    assert desk.subjects("cong-an") == []
    desk.turn(minutes=1)
    assert desk.subjects("cong-an") == ["Chưa ai nhận việc – Đèn không sáng: cột TG-0001"]
    desk.closes(opened)
    desk.turn()
    assert [len(desk.subjects(name)) for name in ("to-1", "cong-an")] == [2, 2]


def test_who_takes_it_on_stops_the_escalation(desk: Desk) -> None:
    police = desk.route(channels=("cong-an",), for_escalation=True)
    desk.route(channels=("to-1",), escalate_after_min=30, escalate_to=police.id)
    opened = desk.opens()
    desk.turn()
    desk.changes(opened, "acknowledged", by="lan", acknowledged_at=desk.clock(), acknowledged_by="lan")
    desk.turn(minutes=1)
    desk.turn(minutes=60)
    desk.closes(opened)
    desk.turn()
    assert desk.subjects("cong-an") == []
    assert ("escalated", "cong-an", "dropped") in desk.statuses()


def test_an_opening_that_can_never_arrive_escalates_at_once(desk: Desk) -> None:
    desk.lists["to-1"]._answers = [NO_SUCH]
    police = desk.route(channels=("cong-an",), for_escalation=True)
    desk.route(channels=("to-1",), escalate_after_min=30, escalate_to=police.id)
    desk.opens()
    desk.turn()
    desk.turn(seconds=1)
    assert len(desk.subjects("cong-an")) == 1


def test_passing_failures_are_tried_again_with_growing_pauses_and_the_end_waits_for_the_opening(
    desk: Desk,
) -> None:
    desk.lists["truc"]._answers = [BUSY, BUSY, SENT]
    desk.route()
    opened = desk.opens()
    desk.turn()
    desk.closes(opened)
    desk.turn(seconds=10)
    assert desk.subjects() == []
    shown = desk.deliveries()[0]
    assert (shown.status, shown.tries, shown.last_error) == ("waiting", 1, BUSY.reason)
    # An incident that is over is not news any more: the waiting opening is dropped, its end with it.
    desk.turn(seconds=20)
    desk.turn(seconds=10)
    assert {one.status for one in desk.deliveries()} == {"dropped"}


def test_tries_are_bounded_and_the_failure_is_shown(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"tries_max": 3})
    desk.notifier = desk.new_notifier()
    desk.lists["truc"]._answers = [BUSY] * 3
    desk.route()
    desk.opens()
    for minutes in (0, 1, 3, 11):
        desk.turn(minutes=minutes)
    failed = desk.deliveries()[0]
    assert (failed.status, failed.tries, failed.last_error) == ("failed", 3, BUSY.reason)
    with desk.engine.begin() as conn:
        assert store.retry(conn, failed.id, now=desk.clock()) is not None
    desk.turn()
    assert desk.deliveries()[0].status == "sent"


def test_a_permanent_failure_is_not_tried_again(desk: Desk) -> None:
    desk.lists["truc"]._answers = [NO_SUCH]
    desk.route()
    opened = desk.opens()
    desk.turn()
    desk.closes(opened)
    desk.turn(hours=1)
    assert len(desk.lists["truc"].tried) == 1
    assert desk.statuses() == [("opened", "truc", "failed")]


def test_a_storm_becomes_one_summary_and_its_end_too(desk: Desk) -> None:
    desk.route()
    opened = [desk.opens(1, originator=f"x-{n}") for n in range(25)]
    desk.turn()
    assert desk.subjects() == ["25 sự cố cùng lúc tại xã Trạm Thản"]
    assert "… và 5 sự cố nữa" in desk.lists["truc"].sent[0].body
    for one in opened:
        desk.closes(one)
    desk.turn()
    assert desk.subjects()[1:] == ["Đã hết 25 sự cố tại xã Trạm Thản"]
    assert sum(1 for one in desk.deliveries() if one.status == "merged") == 50


def test_a_summary_that_failed_in_passing_goes_again_as_it_is(desk: Desk) -> None:
    desk.lists["truc"]._answers = [BUSY]
    desk.route()
    opened = [desk.opens(1, originator=f"x-{n}") for n in range(12)]
    desk.turn()
    desk.closes(opened[0])
    desk.turn(seconds=10)
    desk.turn(seconds=25)
    assert desk.subjects()[:1] == ["12 sự cố cùng lúc tại xã Trạm Thản"]
    assert "1 sự cố trong số này đã hết" in desk.lists["truc"].sent[0].body
    desk.turn(seconds=10)
    assert desk.subjects()[1:] == ["Đã hết – Đèn không sáng: cột TG-0001"]


def test_a_channel_gets_no_more_than_its_rate(desk: Desk) -> None:
    desk.book.open = {name: type(one)(name, 3, one.channel) for name, one in desk.book.open.items()}
    desk.route()
    for n in range(3):
        desk.opens(1, originator=f"x-{n}")
    desk.turn()
    assert len(desk.subjects()) == 3
    for n in range(3, 7):
        desk.opens(1, originator=f"x-{n}")
    desk.turn(seconds=30)
    assert len(desk.subjects()) == 3
    desk.turn(seconds=31)
    assert desk.subjects()[3:] == ["4 sự cố cùng lúc tại xã Trạm Thản"]


def test_the_digest_comes_once_each_morning_with_what_is_open(desk: Desk) -> None:
    desk.route(at_once=False, digest_at=time(7, 0))
    desk.opens(1)
    gone = desk.opens(2)
    desk.turn()
    desk.closes(gone)
    desk.turn(hours=9, minutes=59)
    assert desk.subjects() == []
    desk.turn(minutes=1)
    desk.turn(minutes=1)
    assert desk.subjects() == ["Tình hình đèn sáng 02/03/2026: 1 sự cố đang mở"]
    assert "Đã hết trong 24 giờ qua: 1." in desk.lists["truc"].sent[0].body
    desk.new_notifier().turn()
    assert len(desk.subjects()) == 1
    desk.turn(hours=24)
    assert len(desk.subjects()) == 2


def test_a_notifier_that_dies_between_sending_and_noting_sends_again_and_says_so(desk: Desk) -> None:
    desk.route()
    desk.opens()

    class DiesError(Exception):
        """The machine loses its power."""

    class DyingChannel:
        service = address = "dying"

        def send(self, message: object) -> Outcome:
            raise DiesError

    well = desk.book.open["truc"]
    desk.book.open["truc"] = type(well)("truc", 1000, DyingChannel())
    desk.turn()
    assert [one.status for one in desk.deliveries()] == ["sending"]
    desk.book.open["truc"] = well
    desk.notifier = desk.new_notifier()
    desk.turn(seconds=30)
    assert desk.subjects() == [], "its claim may still be alive"
    desk.turn(seconds=store.LEASE.total_seconds())
    assert desk.subjects() == ["Đèn không sáng: cột TG-0001"]
    assert desk.deliveries()[0].tries == 2


def test_two_notifiers_on_one_database_never_send_the_same_twice(desk: Desk) -> None:
    desk.route(channels=("truc", "to-1", "cong-an"))
    others = [desk.new_notifier() for _ in range(3)]
    opened = []
    for n in range(9):
        opened.append(desk.opens(1, originator=f"x-{n}"))
        together = Barrier(len(others))

        def look(index: int, together: Barrier = together) -> None:
            together.wait()
            others[index].turn()

        with ThreadPoolExecutor(len(others)) as pool:
            list(pool.map(look, range(len(others))))
    desk.turn()
    assert [len(desk.subjects(name)) for name in desk.lists] == [9, 9, 9]
    assert {one.status for one in desk.deliveries()} == {"sent"}


def test_old_messages_are_forgotten_but_not_those_whose_end_is_to_be_told(desk: Desk) -> None:
    desk.route()
    lasting, short = desk.opens(1), desk.opens(2)
    desk.turn()
    desk.closes(short)
    desk.turn(minutes=1)
    desk.turn(days=desk.settings.keep_days + 1)
    assert [one.incident_id for one in desk.deliveries()] == [lasting]
    desk.closes(lasting)
    desk.turn(seconds=1)
    assert desk.subjects()[-1] == "Đã hết – Đèn không sáng: cột TG-0001"


def test_history_that_ended_it_is_told_once(desk: Desk) -> None:
    desk.route()
    opened = desk.opens()
    desk.turn()
    desk.changes(opened, "corrected", closed_at=desk.clock(), closed_how="corrected", closed_by="")
    desk.changes(opened, "corrected")
    desk.turn()
    desk.turn()
    assert [one.purpose for one in desk.deliveries()] == ["opened", "closed"]
    assert len(desk.subjects()) == 2


def test_who_may_have_got_the_opening_hears_the_end_though_no_answer_came(desk: Desk) -> None:
    desk.lists["truc"]._answers = [Outcome("passing", "timed out", unsure=True)]
    desk.route()
    opened = desk.opens()
    desk.turn()
    desk.closes(opened)
    desk.turn(seconds=10)
    desk.turn(seconds=25)
    desk.turn(seconds=10)
    assert desk.subjects() == ["Đèn không sáng: cột TG-0001", "Đã hết – Đèn không sáng: cột TG-0001"]
