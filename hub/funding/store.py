"""Appends entries to the ledger. Writers wait for each other, because each entry seals the one before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, insert, select, text, update

from hub.funding import reads
from hub.funding.chain import Fault, Head, seal, seal_reversal, verify
from hub.funding.model import (
    Draft,
    Entry,
    IdempotencyConflictError,
    LedgerError,
    same_content,
)
from hub.funding.tables import contributor, ledger_account, ledger_entry, ledger_transfer
from hub.registry.reads import pole_codes

_LOCK = 7_201_983_002  # any number, as long as every writer of the ledger asks for the same one


@contextmanager
def open_ledger(conn: Connection) -> Iterator[Ledger]:
    """The ledger within the caller's transaction; what was recorded is written at the end of the block.

    Other writers wait until that transaction ends. After an exception nothing of the block is written.
    """
    ledger = Ledger(conn)
    yield ledger
    ledger.flush()


class Ledger:
    """Appends to the ledger, in few statements; opened by `open_ledger`, which writes what is left."""

    def __init__(self, conn: Connection) -> None:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        self._conn = conn
        self._head = reads.head(conn)
        self._accounts = set(conn.execute(select(ledger_account.c.code)).scalars())
        self._poles = frozenset(pole_codes(conn))
        self._new_accounts: list[str] = []
        self._unwritten: dict[str, Entry] = {}

    def record(self, draft: Draft, *, now: datetime) -> tuple[Entry, bool]:
        """Append an entry, and whether it is new: the same draft under the same key is recorded once.

        Raises LedgerError; IdempotencyConflictError where the key stands for something else.
        """
        key = draft.idempotency_key
        known = self._unwritten.get(key) or reads.entry_by_key(self._conn, key)
        if known is not None:
            if same_content(known, draft):
                return known, False
            raise _conflict(key, known)
        for line in draft.lines:
            if line.pole not in self._poles:
                raise LedgerError(
                    "pole",
                    f"Không có cột đèn nào mang mã “{line.pole}”.",
                    f"no pole {line.pole!r} is registered",
                )
        return self._append(seal(draft, head=self._head, now=now)), True

    def reverse(
        self, entry_id: int, *, idempotency_key: str, memo: str, by: str, now: datetime
    ) -> tuple[Entry, bool] | None:
        """Append the reversal of an entry, and whether it is new; None where there is no such entry.

        Raises AlreadyReversedError, LedgerError, IdempotencyConflictError.
        """
        self.flush()
        entry = reads.entry(self._conn, entry_id)
        if entry is None:
            return None
        known = reads.entry_by_key(self._conn, idempotency_key)
        if known is not None:
            if known.reverses_id == entry_id:
                return known, False
            raise _conflict(idempotency_key, known)
        undo = seal_reversal(
            entry,
            already_reversed=reads.reversal_of(self._conn, entry_id) is not None,
            idempotency_key=idempotency_key,
            memo=memo,
            by=by,
            head=self._head,
            now=now,
        )
        return self._append(undo), True

    def flush(self) -> None:
        """Write what was recorded since the last time."""
        if self._new_accounts:
            self._conn.execute(insert(ledger_account), [_account(code) for code in self._new_accounts])
        if self._unwritten:
            entries = list(self._unwritten.values())
            self._conn.execute(insert(ledger_entry), [_row(entry) for entry in entries])
            self._conn.execute(insert(ledger_transfer), [row for one in entries for row in _transfers(one)])
        self._new_accounts, self._unwritten = [], {}

    def _append(self, entry: Entry) -> Entry:
        for transfer in entry.transfers:
            for account in (transfer.debit_account, transfer.credit_account):
                if account not in self._accounts:
                    self._accounts.add(account)
                    self._new_accounts.append(account)
        self._unwritten[entry.idempotency_key] = entry
        self._head = Head(entry.id, entry.hash)
        return entry


def _account(code: str) -> dict[str, Any]:
    kind, _, rest = code.partition("/")
    return {
        "code": code,
        "kind": kind,
        "pole": rest if kind in ("need", "cash", "goods", "works") else None,
    }


def _row(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__dataclass_fields__ if name != "transfers"}


def _transfers(entry: Entry) -> list[dict[str, Any]]:
    return [
        {
            "entry_id": entry.id,
            "n": n,
            "debit_account": one.debit_account,
            "credit_account": one.credit_account,
            "amount_vnd": one.amount_vnd,
            "pole": one.pole,
        }
        for n, one in enumerate(entry.transfers)
    ]


def contributor_id(
    conn: Connection,
    idempotency_key: str,
    *,
    kind: str,
    name: str | None,
    name_public: bool,
    now: datetime,
) -> str | None:
    """Keep a contributor's name beside the ledger, where it can be erased; None without a name.

    The id follows from the entry's idempotency key, so that a repeated request names the same one.
    """
    if not name:
        return None
    found = str(uuid5(NAMESPACE_URL, f"urn:ngonden:contributor:{idempotency_key}"))
    if not conn.execute(select(contributor.c.id).where(contributor.c.id == found)).first():
        conn.execute(
            insert(contributor).values(
                id=found,
                kind=kind,
                name=name,
                name_public=name_public,
                consent_at=now if name_public else None,
            )
        )
    return found


def erase_contributor(conn: Connection, found: str, *, now: datetime) -> bool:
    """Forget a person and keep the amounts; whether there was somebody to forget."""
    erased = conn.execute(
        update(contributor)
        .where(contributor.c.id == found, contributor.c.erased_at.is_(None))
        .values(name=None, name_public=False, consent_at=None, erased_at=now)
    )
    return erased.rowcount == 1


def verify_ledger(conn: Connection) -> tuple[Head, list[Fault]]:
    """Walk the whole chain as it stands in the database."""
    return verify(reads.chain(conn))


def _conflict(key: str, known: Entry) -> IdempotencyConflictError:
    return IdempotencyConflictError(
        "idempotency_key",
        f"Mã chống ghi trùng “{key}” đã dùng cho bút toán {known.id} có nội dung khác.",
        f"{key!r} was used for entry {known.id}, which says something else",
    )
