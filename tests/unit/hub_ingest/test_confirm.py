"""The hub's word to a node stays within the contract whatever it has to say."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from hub.incidents.rulebook import RuleBook
from hub.incidents.watcher import Watcher
from hub.ingest.judging.batch import Batch, Confirmation
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.link.confirm import FEW, LINGER_S, Confirmer, messages, plain
from hub.ingest.link.port import InMemoryLink
from hub.ingest.ranges import RangeSet
from hub.ingest.state import IngestState
from hub.ingest.unflushed import Slot
from protocol import Kind, Range, Stored, decode, encode

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
    decoded = messages("tg-0001", EPOCH, told)
    assert len(decoded) == 3
    assert sorted(one.first for message in decoded for one in message.ranges) == list(range(1, 5001, 2))


def _slot(name: str = "tg-0001") -> Slot:
    known = KnownNode(name, "tram-than", frozenset())
    return Slot(known, name, "tram-than", EPOCH, RangeSet(), frozenset())


def _batch(*runs: tuple[Slot, int, int]) -> Batch:
    batch = Batch(IngestState(Watcher(RuleBook([]), {})), InMemoryDirectory(), datetime.now(UTC), 60)
    batch.runs = {slot: [first, last] for slot, first, last in runs}
    return batch


def _told(link: InMemoryLink) -> list[Stored]:
    return [decode(Kind.STORED, message.payload, node="tg-0001") for message in link.published]


def test_the_quick_form_is_the_contracts_own() -> None:
    message = Stored(v=1, node="tg-0001", epoch=UUID(EPOCH), ranges=[Range(4, 17)])
    assert plain(_slot(), [4, 17]) == encode(message)


def test_while_little_comes_a_node_is_told_at_once() -> None:
    link = InMemoryLink()
    Confirmer(link).committed(_batch((_slot(), 1, 2)), FEW - 1, 100.0)
    assert [one.ranges for one in _told(link)] == [[Range(1, 2)]]


def test_under_load_one_word_is_said_for_many_commits() -> None:
    link = InMemoryLink()
    confirmer = Confirmer(link)
    slot = _slot()
    for turn in range(4):
        confirmer.committed(_batch((slot, 2 * turn + 1, 2 * turn + 2)), FEW, 100.0 + turn * LINGER_S / 4)
    assert link.published == []
    confirmer.committed(_batch(), 0, 100.0 + LINGER_S / 4 * 5)
    assert [one.ranges for one in _told(link)] == [[Range(1, 8)]]


def test_a_gap_between_two_commits_is_not_confirmed() -> None:
    link = InMemoryLink()
    confirmer = Confirmer(link)
    slot = _slot()
    confirmer.committed(_batch((slot, 1, 3)), FEW, 100.0)
    confirmer.committed(_batch((slot, 7, 9)), FEW, 100.1)
    confirmer.committed(_batch(), 0, 102.0)
    seqs = {seq for one in _told(link) for first, last in one.ranges for seq in range(first, last + 1)}
    assert seqs == {1, 2, 3, 7, 8, 9}
