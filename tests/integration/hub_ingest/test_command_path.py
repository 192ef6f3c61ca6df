"""A command from its row to the broker, and its receipts back into the row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection

from hub.commands.store import (
    CommandRefusedError,
    CommandView,
    command,
    commands,
    request_auto,
    request_camera_cycle,
    request_maintenance,
    request_maintenance_end,
    request_override,
)
from hub.ingest import reads
from protocol import Command, Kind, Range
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import START, after, receipt, state

pytestmark = pytest.mark.servers


def ask(rig: Rig, *, level: float = 1.0) -> CommandView:
    with rig.engine.begin() as conn:
        return request_override(
            conn,
            pole="TG-0001",
            node="tg-0001",
            commune="tram-than",
            level=level,
            until=rig.now + timedelta(hours=1),
            by="an",
            now=rig.now,
        )


def sent(rig: Rig) -> list[Command]:
    found = [message for message in rig.link.published if message.topic.endswith("/command")]
    return [msgspec.json.decode(message.payload, type=Command) for message in found]


def now_of(rig: Rig, asked: CommandView) -> CommandView:
    found = rig.read(lambda conn: command(conn, asked.id))
    assert found is not None
    return found


def test_an_override_reaches_the_broker_with_its_expiry_and_is_marked_sent(rig: Rig) -> None:
    asked = ask(rig, level=0.5)
    assert asked.status == "requested"
    rig.pass_time(1)

    (out,) = sent(rig)
    assert (str(out.id), out.pole, out.action, out.level) == (asked.id, "TG-0001", "lamp_override", 0.5)
    assert (out.until, out.expires_at) == (after(3600), asked.expires_at)
    (message,) = [one for one in rig.link.published if one.topic.endswith("/command")]
    assert message.topic == "ngonden/1/tram-than/tg-0001/command"
    assert message.expiry_s is not None
    assert 50 <= message.expiry_s <= 60
    view = now_of(rig, asked)
    assert (view.status, view.sent_at) == ("sent", rig.now)
    assert view.revision > asked.revision
    rig.pass_time(5)
    assert len(sent(rig)) == 1


def test_receipts_move_it_on_and_bring_the_measured_watts(rig: Rig) -> None:
    asked = ask(rig)
    rig.pass_time(1)
    rig.take(Kind.RECEIPT, receipt(1, asked.id, "accepted", at=rig.now))
    assert now_of(rig, asked).status == "accepted"
    rig.take(Kind.RECEIPT, receipt(2, asked.id, "applied", at=rig.now, power_w=39.2, level=1.0))

    view = now_of(rig, asked)
    assert (view.status, view.power_w, view.receipt_level) == ("applied", 39.2, 1.0)
    assert [one.status for one in view.receipts] == ["accepted", "applied"]
    assert rig.stored()[-1].ranges == [Range(2, 2)]
    assert rig.stats()["receipts_stored"] == 2


def test_receipts_out_of_order_or_twice_do_no_harm(rig: Rig) -> None:
    asked = ask(rig)
    rig.pass_time(1)
    for seq, status in ((2, "applied"), (1, "accepted"), (2, "applied"), (3, "superseded")):
        rig.take(Kind.RECEIPT, receipt(seq, asked.id, status, at=rig.now, power_w=40.0))  # type: ignore[arg-type]
    view = now_of(rig, asked)
    assert view.status == "applied"
    assert [one.status for one in view.receipts] == ["applied", "accepted", "superseded"]


def test_a_refusal_keeps_the_nodes_reason(rig: Rig) -> None:
    asked = ask(rig)
    rig.pass_time(1)
    rig.take(Kind.RECEIPT, receipt(1, asked.id, "rejected", at=rig.now, reason="no such pole"))
    view = now_of(rig, asked)
    assert (view.status, view.reason) == ("rejected", "no such pole")


def test_a_command_that_nobody_answers_expires_and_a_late_answer_still_counts(rig: Rig) -> None:
    asked = ask(rig)
    rig.pass_time(66, every_s=6)
    assert (now_of(rig, asked).status, now_of(rig, asked).reason) == ("expired", "no_answer")
    rig.take(Kind.RECEIPT, receipt(1, asked.id, "applied", at=after(20), power_w=40.0))
    assert now_of(rig, asked).status == "applied"


def test_it_waits_for_the_broker(rig: Rig) -> None:
    rig.link.connected_since = None
    asked = ask(rig)
    rig.pass_time(3)
    assert now_of(rig, asked).status == "requested"
    rig.link.connected_since = rig.monotonic_s
    rig.pass_time(1)
    assert now_of(rig, asked).status == "sent"


def test_a_birth_gets_what_was_not_answered_but_nothing_stale(rig: Rig) -> None:
    rig.take(Kind.STATE, state())
    stale = ask(rig)
    rig.pass_time(50, every_s=5)
    fresh = ask(rig)
    rig.pass_time(15, every_s=5)
    assert [str(one.id) for one in sent(rig)] == [stale.id, fresh.id]
    rig.take(Kind.STATE, state(session=uuid4(), at=rig.now))
    rig.pass_time(1)
    assert [str(one.id) for one in sent(rig)] == [stale.id, fresh.id, fresh.id]
    rig.take(Kind.STATE, state(session=UUID(int=7), at=rig.now))
    rig.take(Kind.RECEIPT, receipt(1, fresh.id, "accepted", at=rig.now))
    rig.pass_time(3)
    assert len(sent(rig)) <= 4


def test_back_to_automatic_carries_neither_level_nor_end(rig: Rig) -> None:
    with rig.engine.begin() as conn:
        request_auto(conn, pole="TG-0001", node="tg-0001", commune="tram-than", by="an", now=rig.now)
    rig.pass_time(1)
    (out,) = sent(rig)
    assert (out.action, out.level, out.until) == ("lamp_auto", None, None)


@pytest.mark.parametrize(("number", "reason"), [(1, "unknown_command"), (2, "foreign_command")])
def test_a_receipt_that_fits_no_command_is_set_aside(rig: Rig, number: int, reason: str) -> None:
    asked = ask(rig)
    rig.pass_time(1)
    about = asked.id if reason == "foreign_command" else str(uuid4())
    rig.take(Kind.RECEIPT, receipt(1, about, "applied", at=rig.now, number=number), number=number)
    (kept,) = rig.read(reads.rejects)
    assert kept.reason == reason
    assert now_of(rig, asked).status == "sent"


@pytest.mark.parametrize(("level", "hours"), [(1.5, 1), (-0.1, 1), (0.5, 0), (0.5, -1)])
def test_what_makes_no_sense_is_refused_in_both_languages(rig: Rig, level: float, hours: float) -> None:
    def try_it(conn: Connection) -> None:
        request_override(
            conn,
            pole="TG-0001",
            node="tg-0001",
            commune="tram-than",
            level=level,
            until=START + timedelta(hours=hours),
            by="an",
            now=START,
        )

    with rig.engine.begin() as conn, pytest.raises(CommandRefusedError) as caught:
        try_it(conn)
    assert caught.value.detail_vi
    assert rig.read(commands) == []


def test_maintenance_and_a_cameras_cycle_travel_like_any_command(rig: Rig) -> None:
    where: dict[str, Any] = {
        "pole": "TG-0001",
        "node": "tg-0001",
        "commune": "tram-than",
        "by": "an",
        "now": rig.now,
    }
    with rig.engine.begin() as conn:
        request_maintenance(conn, until=after(7200), **where)
        request_camera_cycle(conn, camera="CAM-0001", **where)
        request_maintenance_end(conn, **where)
    rig.pass_time(1)
    found = {one.action: one for one in sent(rig)}
    assert found["maintenance_begin"].until == after(7200)
    assert found["camera_cycle"].camera == "CAM-0001"
    assert found["maintenance_end"].until is None
