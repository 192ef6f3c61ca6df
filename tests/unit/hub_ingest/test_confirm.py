"""The hub's word to a node stays within the contract whatever it has to say."""

from __future__ import annotations

from uuid import uuid4

from hub.ingest.judging.batch import Confirmation
from hub.ingest.link.confirm import confirm, messages
from hub.ingest.link.port import InMemoryLink
from protocol import Kind, Range, decode

EPOCH = str(uuid4())


def test_seqs_become_ranges_and_reasons_stay_apart() -> None:
    told = Confirmation(
        stored=[5, 1, 2, 3, 2], aside=[(7, "wrong_type"), (8, "foreign_pole"), (6, "wrong_type")]
    )
    (message,) = messages("tg-0001", EPOCH, told)
    assert message.ranges == [Range(1, 3), Range(5, 5)]
    found = sorted((one.first, one.last, one.reason) for one in message.set_aside)
    assert found == [(6, 7, "wrong_type"), (8, 8, "foreign_pole")]


def test_what_is_stored_is_not_also_set_aside() -> None:
    (message,) = messages("tg-0001", EPOCH, Confirmation(stored=[4], aside=[(4, "wrong_type")]))
    assert message.set_aside == []


def test_more_gaps_than_a_message_may_hold_become_several_messages() -> None:
    told = Confirmation(stored=list(range(1, 5001, 2)))
    link = InMemoryLink()
    confirm(link, {("tram-than", "tg-0001", EPOCH): told})
    decoded = [decode(Kind.STORED, message.payload, node="tg-0001") for message in link.published]
    assert len(decoded) == 3
    assert sorted(one.first for message in decoded for one in message.ranges) == list(range(1, 5001, 2))
