"""The chain of entries: each is sealed with the hash of the one before, so that
no past can be rewritten unseen.

No library: it is one SHA-256 over canonical JSON, and what it covers must stand here to be
checked by others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hub.funding.model import (
    AlreadyReversedError,
    Draft,
    Entry,
    Transfer,
    check,
    check_texts,
    local_day,
    transfers_of,
)

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends; what a report prints so that later tampering shows."""

    id: int
    hash: str


EMPTY = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry at which the chain does not hold, and why."""

    entry_id: int
    message_vi: str
    message_en: str


def seal(draft: Draft, *, head: Head, now: datetime) -> Entry:
    """Put a draft at the end of the chain; raises LedgerError where it breaks a rule."""
    check(draft, now)
    return _sealed(
        Entry(
            id=head.id + 1,
            recorded_at=now.astimezone(UTC),
            happened_on=draft.happened_on,
            kind=draft.kind,
            idempotency_key=draft.idempotency_key,
            reverses_id=None,
            contributor_kind=draft.contributor_kind,
            contributor_id=draft.contributor_id,
            description=draft.description,
            memo=draft.memo,
            by=draft.by,
            transfers=transfers_of(draft),
            prev_hash=head.hash,
            hash="",
        )
    )


def seal_reversal(
    entry: Entry,
    *,
    already_reversed: bool,
    idempotency_key: str,
    memo: str,
    by: str,
    head: Head,
    now: datetime,
) -> Entry:
    """The entry that undoes `entry`; raises AlreadyReversedError for one that is undone or a reversal."""
    if entry.kind == "reversal":
        raise AlreadyReversedError(
            "id",
            f"Bút toán {entry.id} là bút toán đảo, không đảo lại được. Hãy ghi một bút toán mới.",
            f"entry {entry.id} is itself a reversal: record a new entry instead",
        )
    if already_reversed:
        raise AlreadyReversedError(
            "id",
            f"Bút toán {entry.id} đã được đảo rồi.",
            f"entry {entry.id} is already reversed",
        )
    check_texts(idempotency_key, "", memo, by)
    return _sealed(
        Entry(
            id=head.id + 1,
            recorded_at=now.astimezone(UTC),
            happened_on=local_day(now),
            kind="reversal",
            idempotency_key=idempotency_key,
            reverses_id=entry.id,
            contributor_kind=entry.contributor_kind,
            contributor_id=entry.contributor_id,
            description=entry.description,
            memo=memo,
            by=by,
            transfers=tuple(
                Transfer(t.credit_account, t.debit_account, t.amount_vnd, t.pole) for t in entry.transfers
            ),
            prev_hash=head.hash,
            hash="",
        )
    )


def digest(entry: Entry) -> str:
    """SHA-256 (hex) over the entry's fields and the hash before it, as canonical JSON (UTF-8)."""
    body = [
        entry.prev_hash,
        entry.id,
        entry.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.happened_on.isoformat(),
        entry.kind,
        entry.idempotency_key,
        entry.reverses_id,
        entry.contributor_kind,
        entry.contributor_id,
        entry.description,
        entry.memo,
        entry.by,
        [[t.debit_account, t.credit_account, t.amount_vnd, t.pole] for t in entry.transfers],
    ]
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(entries: Iterable[Entry]) -> tuple[Head, list[Fault]]:
    """Walk the whole chain in order; the head reached and every entry that does not hold."""
    head, faults = EMPTY, []
    by_id: dict[int, Sequence[Transfer]] = {}
    for entry in entries:
        if entry.id != head.id + 1:
            faults.append(
                Fault(
                    entry.id,
                    f"Thiếu bút toán giữa {head.id} và {entry.id}.",
                    f"entries between {head.id} and {entry.id} are missing",
                )
            )
        if entry.prev_hash != head.hash:
            faults.append(
                Fault(
                    entry.id,
                    "Mã nối với bút toán trước không khớp.",
                    "does not name the hash of the entry before it",
                )
            )
        if entry.hash != digest(entry):
            faults.append(
                Fault(
                    entry.id,
                    "Nội dung không khớp mã niêm phong: bút toán đã bị sửa sau khi ghi.",
                    "content does not match its hash: it was changed after it was recorded",
                )
            )
        if entry.reverses_id is not None:
            swapped = [
                Transfer(t.credit_account, t.debit_account, t.amount_vnd, t.pole) for t in entry.transfers
            ]
            if swapped != list(by_id.get(entry.reverses_id, ())):
                faults.append(
                    Fault(
                        entry.id,
                        f"Bút toán đảo không trùng với bút toán {entry.reverses_id}.",
                        f"does not mirror the entry {entry.reverses_id} that it reverses",
                    )
                )
        by_id[entry.id] = entry.transfers
        head = Head(entry.id, entry.hash)
    return head, faults


def _sealed(entry: Entry) -> Entry:
    return replace(entry, hash=digest(entry))
