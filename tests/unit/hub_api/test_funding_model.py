"""The ledger's rules, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.funding.chain import EMPTY, Head, digest, seal, seal_reversal, verify
from hub.funding.model import (
    AlreadyReversedError,
    ContributorKind,
    Draft,
    Entry,
    EntryKind,
    LedgerError,
    Line,
    local_day,
    same_content,
)

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # 03:00 on 2 March in Vietnam


def draft(
    kind: EntryKind = "receipt_cash",
    *,
    amount_vnd: int = 500_000,
    key: str = "k1",
    who: ContributorKind | None = "household",
    happened_on: date = date(2026, 3, 1),
    description: str = "",
    lines: tuple[Line, ...] | None = None,
) -> Draft:
    return Draft(
        kind=kind,
        happened_on=happened_on,
        idempotency_key=key,
        lines=lines if lines is not None else (Line("TG-0001", amount_vnd),),
        contributor_kind=who,
        description=description,
        by="ke-toan",
    )


def chain_of(*drafts: Draft) -> list[Entry]:
    head, entries = EMPTY, []
    for one in drafts:
        entry = seal(one, head=head, now=NOW)
        entries.append(entry)
        head = Head(entry.id, entry.hash)
    return entries


def undo(entry: Entry, head: Entry, *, already: bool = False) -> Entry:
    return seal_reversal(
        entry,
        already_reversed=already,
        idempotency_key="undo",
        memo="nhập nhầm",
        by="ke-toan",
        head=Head(head.id, head.hash),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (draft(amount_vnd=0), "amount_vnd"),
        (draft(amount_vnd=-5), "amount_vnd"),
        (draft(amount_vnd=1_000_000_000_001), "amount_vnd"),
        (draft(amount_vnd=True), "amount_vnd"),
        (draft(lines=()), "lines"),
        (draft(lines=(Line("TG-0001", 1), Line("TG-0001", 2))), "lines"),
        (draft(happened_on=date(2026, 3, 3)), "date"),
        (draft(happened_on=date(1999, 12, 31)), "date"),
        (draft(who=None), "contributor_kind"),
        (draft("expense", who="household", description="x"), "contributor_kind"),
        (draft("expense", who=None), "description"),
        (draft("plan", who=None), "description"),
        (draft("receipt_in_kind"), "description"),
        (draft("reversal", who=None, description="x"), "kind"),
        (draft(key=""), "idempotency_key"),
        (draft(description="x" * 301), "description"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_field(wrong: Draft, field: str) -> None:
    with pytest.raises(LedgerError) as refusal:
        seal(wrong, head=EMPTY, now=NOW)
    assert refusal.value.field == field
    assert refusal.value.message_vi


def test_a_fraction_of_a_dong_is_refused() -> None:
    with pytest.raises(LedgerError, match="whole number"):
        seal(draft(amount_vnd=1.5), head=EMPTY, now=NOW)  # type: ignore[arg-type]


def test_the_day_of_a_receipt_is_the_day_in_vietnam() -> None:
    assert local_day(NOW) == date(2026, 3, 2)
    seal(draft(happened_on=date(2026, 3, 2)), head=EMPTY, now=NOW)


def test_a_reversal_exchanges_debit_and_credit() -> None:
    (entry,) = chain_of(draft())
    mirrored = undo(entry, entry).transfers[0]
    assert (mirrored.debit_account, mirrored.credit_account) == ("given_cash/household", "cash/TG-0001")
    assert mirrored.amount_vnd == 500_000


def test_an_entry_is_reversed_once_and_a_reversal_never() -> None:
    (entry,) = chain_of(draft())
    with pytest.raises(AlreadyReversedError):
        undo(entry, entry, already=True)
    reversal = undo(entry, entry)
    with pytest.raises(AlreadyReversedError):
        undo(reversal, reversal)


def test_an_untouched_chain_verifies() -> None:
    entries = chain_of(draft(key="a"), draft(key="b"), draft(key="c"))
    entries.append(undo(entries[1], entries[-1]))
    head, faults = verify(entries)
    assert faults == []
    assert head == Head(4, entries[-1].hash)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "khác"},
        {"happened_on": date(2026, 1, 1)},
        {"by": "nguoi-khac"},
        {"contributor_kind": "firm"},
        {"memo": "thêm"},
    ],
)
def test_a_changed_entry_is_found(change: dict[str, object]) -> None:
    entries = chain_of(draft(key="a"), draft(key="b"), draft(key="c"))
    entries[1] = replace(entries[1], **change)  # type: ignore[arg-type]
    _, faults = verify(entries)
    assert [one.entry_id for one in faults] == [2]


def test_a_changed_amount_that_is_sealed_anew_breaks_the_next_link() -> None:
    entries = chain_of(draft(key="a"), draft(key="b"), draft(key="c"))
    forged = replace(entries[1], transfers=(replace(entries[1].transfers[0], amount_vnd=5),))
    entries[1] = replace(forged, hash=digest(forged))
    _, faults = verify(entries)
    assert [one.entry_id for one in faults] == [3]


def test_a_removed_entry_is_found() -> None:
    entries = chain_of(draft(key="a"), draft(key="b"), draft(key="c"))
    _, faults = verify([entries[0], entries[2]])
    assert {one.entry_id for one in faults} == {3}


def test_a_reversal_that_is_no_mirror_is_found() -> None:
    entries = chain_of(draft(key="a"))
    reversal = undo(entries[0], entries[0])
    forged = replace(reversal, transfers=(replace(reversal.transfers[0], amount_vnd=1),))
    _, faults = verify([entries[0], replace(forged, hash=digest(forged))])
    assert [one.entry_id for one in faults] == [2]
    assert "mirror" in faults[0].message_en


def test_same_content_compares_all_that_was_asked() -> None:
    (entry,) = chain_of(draft())
    assert same_content(entry, draft())
    assert not same_content(entry, draft(amount_vnd=1))
    assert not same_content(entry, draft(who="firm"))
    assert not same_content(entry, draft(description="x"))
