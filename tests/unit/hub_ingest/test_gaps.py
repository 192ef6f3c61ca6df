"""What a node says it has dropped, and when it is believed."""

from __future__ import annotations

from uuid import UUID

import pytest

from edge.outbox.gaps import gaps_of
from hub.ingest.judging.gaps import told_gap
from protocol import Event
from tests.integration.hub_ingest.words import EPOCH, START

OTHER = UUID("99999999-9999-4999-8999-999999999999")


def overflow(seq: int = 1000, kind: str = "outbox_overflow", **detail: str | int | float | None) -> Event:
    return Event(seq=seq, time=START, clock="synced", kind=kind, detail=detail)


@pytest.mark.parametrize("why", ["outbox_overflow", "outbox_damaged"])
def test_what_the_node_writes_is_read_back_to_the_last_seq(why: str) -> None:
    for seqs in ([5], [1, 2, 3], [1, 2, 5, 9, 10, 11]):
        [gap] = gaps_of("outbox_overflow", seqs)
        event = Event(seq=1000, time=START, clock="synced", kind=why, detail=gap.detail(str(OTHER)))
        told = told_gap(event, str(EPOCH))
        assert told is not None
        assert told[0] == str(OTHER)
        assert [seq for first, last in told[1] for seq in range(first, last + 1)] == seqs


@pytest.mark.parametrize(
    "event",
    [
        overflow(kind="supply_loss", first_seq=1, last_seq=5, dropped=5),
        overflow(dropped=5),
        overflow(first_seq=1, last_seq=5, dropped=4),
        overflow(first_seq=5, last_seq=1, dropped=-3),
        overflow(seq=5, first_seq=1, last_seq=5, dropped=5),
        overflow(first_seq=1, last_seq=5, dropped=4, runs="1-2,4-6"),
        overflow(first_seq=1, last_seq=5, dropped=4, runs="4-5,1-2"),
        overflow(first_seq=1, last_seq=5, dropped=4, runs="1-x,4-5"),
        overflow(first_seq=1, last_seq=2**60, dropped=2**60),
        overflow(first_seq=1, last_seq=5, dropped=5, epoch="not an epoch"),
    ],
    ids=[
        "another kind",
        "no seqs",
        "a count that does not fit",
        "backwards",
        "its own seq and later",
        "runs that end elsewhere",
        "runs in disorder",
        "runs that are no numbers",
        "beyond all seqs",
        "an epoch that is none",
    ],
)
def test_what_is_not_exact_closes_nothing(event: Event) -> None:
    assert told_gap(event, str(EPOCH)) is None
