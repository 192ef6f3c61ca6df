"""The ledger's rules: which accounts an entry moves, what may be reversed, how the chain is sealed.

Double entry as TigerBeetle does it: a transfer moves a positive amount from a credit account to a debit
account, balances are never stored but summed. Need, received and spent are different things, so each
stands in accounts of its own:

    plan             need/<pole>   <- planned             what the pole is to cost
    receipt_cash     cash/<pole>   <- given_cash/<who>    money in the box
    receipt_in_kind  goods/<pole>  <- given_in_kind/<who> a lamp, a mounting spot, days of work, valued
    expense          works/<pole>  <- cash/<pole>         money turned into works
    expense_in_kind  works/<pole>  <- goods/<pole>        goods put to use

so that received − spent = what is left as cash and goods, by construction. A balance may fall below zero:
somebody advanced the money, and a ledger that refused it would only teach people to write false dates.
A mistake is never changed; its reversal is a new entry with debit and credit exchanged, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args

EntryKind = Literal["plan", "receipt_cash", "receipt_in_kind", "expense", "expense_in_kind", "reversal"]
ContributorKind = Literal["household", "person", "firm", "association", "state_budget"]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
CONTRIBUTOR_KINDS: tuple[ContributorKind, ...] = get_args(ContributorKind)

MAX_AMOUNT_VND = 1_000_000_000_000
"""One line's bound: a commune's whole programme costs half a billion; more is a slip of the keyboard."""

EARLIEST_DAY = date(2000, 1, 1)

_VIETNAM = timedelta(hours=7)  # no daylight saving since 1975: the calendar day of a receipt is a local one


class LedgerError(ValueError):
    """An entry that the ledger refuses. `field` is what to correct; texts in Vietnamese and English."""

    def __init__(self, field: str, message_vi: str, message_en: str) -> None:
        super().__init__(f"{field}: {message_en}")
        self.field = field
        self.message_vi = message_vi
        self.message_en = message_en


class AlreadyReversedError(LedgerError):
    """The entry already has its reversal, or is one."""


class IdempotencyConflictError(LedgerError):
    """The idempotency key was used for an entry with other content."""


@dataclass(frozen=True, slots=True)
class Line:
    """A whole number of đồng, above zero, that concerns one pole."""

    pole: str
    amount_vnd: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount_vnd` đồng out of `credit_account` into `debit_account`."""

    debit_account: str
    credit_account: str
    amount_vnd: int
    pole: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry as somebody wants to record it. `description` is published, `memo` is for staff alone."""

    kind: EntryKind
    happened_on: date
    idempotency_key: str
    lines: tuple[Line, ...]
    contributor_kind: ContributorKind | None = None
    contributor_id: str | None = None
    description: str = ""
    memo: str = ""
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry in its place in the chain; `hash` covers everything here and the hash before it."""

    id: int
    recorded_at: datetime
    happened_on: date
    kind: EntryKind
    idempotency_key: str
    reverses_id: int | None
    contributor_kind: ContributorKind | None
    contributor_id: str | None
    description: str
    memo: str
    by: str
    transfers: tuple[Transfer, ...]
    prev_hash: str
    hash: str


def account_kind(account: str) -> str:
    """The kind of an account is the first part of its code: `cash/TG-0042` is `cash`."""
    return account.partition("/")[0]


def transfers_of(draft: Draft) -> tuple[Transfer, ...]:
    """The transfers of a draft, one per line."""
    who = draft.contributor_kind
    accounts = {
        "plan": ("need/{pole}", "planned"),
        "receipt_cash": ("cash/{pole}", f"given_cash/{who}"),
        "receipt_in_kind": ("goods/{pole}", f"given_in_kind/{who}"),
        "expense": ("works/{pole}", "cash/{pole}"),
        "expense_in_kind": ("works/{pole}", "goods/{pole}"),
    }
    debit, credit = accounts[draft.kind]
    return tuple(
        Transfer(debit.format(pole=line.pole), credit.format(pole=line.pole), line.amount_vnd, line.pole)
        for line in draft.lines
    )


def same_content(entry: Entry, draft: Draft) -> bool:
    """Whether `entry` records what `draft` says: then a repeated request is answered, not recorded."""
    return (
        entry.kind == draft.kind
        and entry.happened_on == draft.happened_on
        and entry.contributor_kind == draft.contributor_kind
        and entry.contributor_id == draft.contributor_id
        and entry.description == draft.description
        and entry.memo == draft.memo
        and entry.transfers == transfers_of(draft)
    )


def check(draft: Draft, now: datetime) -> None:
    """Refuse what breaks a rule of the ledger; raises LedgerError with the field to correct."""
    if draft.kind == "reversal" or draft.kind not in ENTRY_KINDS:
        raise LedgerError(
            "kind", "Loại bút toán không hợp lệ.", f"must be one of {', '.join(ENTRY_KINDS[:-1])}"
        )
    check_texts(draft.idempotency_key, draft.description, draft.memo, draft.by)
    if not draft.lines:
        raise LedgerError("lines", "Bút toán phải có ít nhất một cột đèn.", "at least one pole is needed")
    if len({line.pole for line in draft.lines}) != len(draft.lines):
        raise LedgerError("lines", "Một cột đèn xuất hiện hai lần.", "a pole stands there twice")
    for line in draft.lines:
        _check_amount(line.amount_vnd)
    if draft.happened_on > local_day(now):
        raise LedgerError("date", "Ngày không được ở tương lai.", "must not be in the future")
    if draft.happened_on < EARLIEST_DAY:
        raise LedgerError("date", "Ngày quá xa trong quá khứ.", f"must not be before {EARLIEST_DAY}")
    receipt = draft.kind.startswith("receipt_")
    if receipt != (draft.contributor_kind is not None):
        raise LedgerError(
            "contributor_kind",
            "Khoản thu phải ghi loại người đóng góp; kế hoạch và khoản chi thì không.",
            "a receipt needs it, a plan or an expense must not have it",
        )
    if draft.contributor_kind is not None and draft.contributor_kind not in CONTRIBUTOR_KINDS:
        raise LedgerError(
            "contributor_kind",
            "Loại người đóng góp không hợp lệ.",
            f"must be one of {', '.join(CONTRIBUTOR_KINDS)}",
        )
    if draft.contributor_id is not None and not receipt:
        raise LedgerError(
            "contributor_name", "Chỉ khoản thu mới có người đóng góp.", "only a receipt has a contributor"
        )
    if draft.kind != "receipt_cash" and not draft.description:
        raise LedgerError(
            "description",
            "Cần ghi rõ hạng mục, hiện vật hay nội dung chi.",
            "say what it is for: the item planned, the goods given, the works paid",
        )


def check_texts(idempotency_key: str, description: str, memo: str, by: str) -> None:
    """The bounds of an entry's texts; raises LedgerError."""
    if not 1 <= len(idempotency_key) <= 120:
        raise LedgerError(
            "idempotency_key", "Mã chống ghi trùng cần 1–120 ký tự.", "must have 1 to 120 characters"
        )
    for field, text in (("description", description), ("memo", memo)):
        if len(text) > 300:
            raise LedgerError(field, "Tối đa 300 ký tự.", "must have at most 300 characters")
    if not 1 <= len(by) <= 64:
        raise LedgerError("by", "Thiếu tên người ghi.", "who records it must be named")


def _check_amount(amount_vnd: object) -> None:
    if isinstance(amount_vnd, bool) or not isinstance(amount_vnd, int):
        raise LedgerError("amount_vnd", "Số tiền phải là số nguyên đồng.", "must be a whole number of đồng")
    if not 1 <= amount_vnd <= MAX_AMOUNT_VND:
        raise LedgerError(
            "amount_vnd",
            "Số tiền phải từ 1 đồng đến 1.000 tỷ đồng.",
            f"must be from 1 to {MAX_AMOUNT_VND} đồng",
        )


def local_day(now: datetime) -> date:
    """The calendar day in Vietnam."""
    return (now.astimezone(UTC) + _VIETNAM).date()
