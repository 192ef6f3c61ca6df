"""What others may ask the ledger. Every balance is summed from transfers, none is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, true, union_all

from hub.funding.chain import EMPTY, Head
from hub.funding.model import ContributorKind, Entry, EntryKind, Transfer
from hub.funding.tables import contributor, ledger_account, ledger_entry, ledger_transfer
from hub.registry.reads import pole_codes


@dataclass(frozen=True, slots=True)
class PoleFunding:
    """Whole đồng. `received` = cash + in kind; `balance` = received − spent, as cash and goods on hand."""

    need_vnd: int
    received_cash_vnd: int
    received_in_kind_vnd: int
    received_vnd: int
    spent_vnd: int
    balance_vnd: int
    balance_cash_vnd: int
    balance_in_kind_vnd: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry as it concerns one pole (`amount_vnd` is that pole's part), or whole where `pole` is None.

    `contributor_name` is filled only where its owner agreed to be named in public.
    """

    id: int
    happened_on: date
    recorded_at: datetime
    kind: EntryKind
    pole: str | None
    amount_vnd: int
    contributor_kind: ContributorKind | None
    contributor_name: str | None
    description: str
    memo: str
    by: str
    reverses_id: int | None
    reversed_by_id: int | None
    hash: str


NOTHING = PoleFunding(0, 0, 0, 0, 0, 0, 0, 0)

_CHUNK = 500


def pole_funding(conn: Connection, pole: str) -> PoleFunding:
    """One pole's need, received, spent and balance; all zero where nothing was recorded."""
    return _sums(conn, ledger_transfer.c.pole == pole).get(pole, NOTHING)


def funding_by_pole(conn: Connection, *, communes: Collection[str] | None = None) -> dict[str, PoleFunding]:
    """Every pole that has entries, of some communes or of all."""
    if communes is None:
        return _sums(conn, None)
    found: dict[str, PoleFunding] = {}
    codes = _poles_of(conn, communes)
    for start in range(0, len(codes), _CHUNK):
        found |= _sums(conn, ledger_transfer.c.pole.in_(codes[start : start + _CHUNK]))
    return found


def totals(conn: Connection, communes: Collection[str] | None = None) -> PoleFunding:
    """The sums over the poles of some communes, or over the whole ledger."""
    parts = funding_by_pole(conn, communes=communes).values()
    return PoleFunding(
        *(sum(getattr(part, field) for part in parts) for field in PoleFunding.__dataclass_fields__)
    )


def entries(conn: Connection, pole: str, *, limit: int = 200) -> list[EntryView]:
    """A pole's entries, newest first."""
    return _views(conn, pole, limit)


def recent_entries(
    conn: Connection, *, communes: Collection[str] | None = None, limit: int = 200
) -> list[EntryView]:
    """The newest entries of the whole ledger, with their whole amounts.

    With `communes`, those that concern their poles, with the part of these.
    """
    return _views(conn, None, limit, among=None if communes is None else _poles_of(conn, communes))


def entry_poles(conn: Connection, entry_id: int) -> frozenset[str]:
    """The poles that an entry concerns; empty where there is no such entry."""
    query = select(ledger_transfer.c.pole).where(ledger_transfer.c.entry_id == entry_id)
    return frozenset(conn.execute(query).scalars())


def entry_view(conn: Connection, entry_id: int) -> EntryView | None:
    """One entry with its whole amount, or None."""
    found = _views(conn, None, 1, entry_id=entry_id)
    return found[0] if found else None


def head(conn: Connection) -> Head:
    """Where the chain ends now."""
    row = conn.execute(
        select(ledger_entry.c.id, ledger_entry.c.hash).order_by(ledger_entry.c.id.desc()).limit(1)
    ).one_or_none()
    return EMPTY if row is None else Head(row.id, row.hash)


def chain(conn: Connection) -> Iterator[Entry]:
    """Every entry in the chain's order, for `hub.funding.chain.verify`."""
    transfers = _transfers(conn, None)
    for row in conn.execute(select(ledger_entry).order_by(ledger_entry.c.id)):
        yield _entry(row, transfers.get(row.id, ()))


def entry(conn: Connection, entry_id: int) -> Entry | None:
    """One entry with its transfers, or None."""
    row = conn.execute(select(ledger_entry).where(ledger_entry.c.id == entry_id)).one_or_none()
    return None if row is None else _entry(row, _transfers(conn, [row.id])[row.id])


def entry_by_key(conn: Connection, idempotency_key: str) -> Entry | None:
    """The entry that was recorded under an idempotency key, or None."""
    found = conn.execute(
        select(ledger_entry.c.id).where(ledger_entry.c.idempotency_key == idempotency_key)
    ).scalar_one_or_none()
    return None if found is None else entry(conn, found)


def reversal_of(conn: Connection, entry_id: int) -> int | None:
    """The id of the entry that reverses this one, or None."""
    return conn.execute(
        select(ledger_entry.c.id).where(ledger_entry.c.reverses_id == entry_id)
    ).scalar_one_or_none()


def _poles_of(conn: Connection, communes: Collection[str]) -> list[str]:
    return [code for commune in communes for code in pole_codes(conn, commune=commune)]


def _sums(conn: Connection, where: ColumnElement[bool] | None) -> dict[str, PoleFunding]:
    """Per pole: debits minus credits of each kind of account, read as the words of the page."""
    sides = [
        select(
            ledger_transfer.c.pole,
            ledger_account.c.kind,
            (ledger_transfer.c.amount_vnd * sign).label("amount_vnd"),
        )
        .join(ledger_account, ledger_account.c.code == account)
        .where(true() if where is None else where)
        for account, sign in ((ledger_transfer.c.debit_account, 1), (ledger_transfer.c.credit_account, -1))
    ]
    flows = union_all(*sides).subquery()
    debit_minus_credit: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pole, kind, amount in conn.execute(
        select(flows.c.pole, flows.c.kind, func.sum(flows.c.amount_vnd)).group_by(
            flows.c.pole, flows.c.kind
        )
    ):
        debit_minus_credit[pole][kind] = int(amount)  # PostgreSQL sums a bigint to a Decimal
    return {pole: _as_funding(kinds) for pole, kinds in debit_minus_credit.items()}


def _as_funding(debit_minus_credit: Mapping[str, int]) -> PoleFunding:
    cash, goods = -debit_minus_credit["given_cash"], -debit_minus_credit["given_in_kind"]
    spent = debit_minus_credit["works"]
    return PoleFunding(
        need_vnd=debit_minus_credit["need"],
        received_cash_vnd=cash,
        received_in_kind_vnd=goods,
        received_vnd=cash + goods,
        spent_vnd=spent,
        balance_vnd=cash + goods - spent,
        balance_cash_vnd=debit_minus_credit["cash"],
        balance_in_kind_vnd=debit_minus_credit["goods"],
    )


def _views(
    conn: Connection,
    pole: str | None,
    limit: int,
    *,
    entry_id: int | None = None,
    among: Collection[str] | None = None,
) -> list[EntryView]:
    undo = ledger_entry.alias("undo")
    statement = (
        select(
            ledger_entry,
            func.sum(ledger_transfer.c.amount_vnd).label("amount_vnd"),
            func.min(undo.c.id).label("reversed_by_id"),
            func.min(contributor.c.name).label("contributor_name"),
        )
        .join(ledger_transfer, ledger_transfer.c.entry_id == ledger_entry.c.id)
        .outerjoin(undo, undo.c.reverses_id == ledger_entry.c.id)
        .outerjoin(
            contributor,
            and_(contributor.c.id == ledger_entry.c.contributor_id, contributor.c.name_public.is_(True)),
        )
        .group_by(ledger_entry.c.id)
        .order_by(ledger_entry.c.id.desc())
        .limit(limit)
    )
    if pole is not None:
        statement = statement.where(ledger_transfer.c.pole == pole)
    if among is not None:
        statement = statement.where(ledger_transfer.c.pole.in_(among))
    if entry_id is not None:
        statement = statement.where(ledger_entry.c.id == entry_id)
    return [
        EntryView(
            id=row.id,
            happened_on=row.happened_on,
            recorded_at=row.recorded_at,
            kind=row.kind,
            pole=pole,
            amount_vnd=int(row.amount_vnd),
            contributor_kind=row.contributor_kind,
            contributor_name=row.contributor_name,
            description=row.description,
            memo=row.memo,
            by=row.by,
            reverses_id=row.reverses_id,
            reversed_by_id=row.reversed_by_id,
            hash=row.hash,
        )
        for row in conn.execute(statement)
    ]


def _transfers(conn: Connection, ids: Collection[int] | None) -> dict[int, tuple[Transfer, ...]]:
    statement = select(ledger_transfer).order_by(ledger_transfer.c.entry_id, ledger_transfer.c.n)
    if ids is not None:
        statement = statement.where(ledger_transfer.c.entry_id.in_(ids))
    found: dict[int, list[Transfer]] = defaultdict(list)
    for row in conn.execute(statement):
        found[row.entry_id].append(
            Transfer(row.debit_account, row.credit_account, row.amount_vnd, row.pole)
        )
    return {entry_id: tuple(transfers) for entry_id, transfers in found.items()}


def _entry(row: Row[Any], transfers: tuple[Transfer, ...]) -> Entry:
    return Entry(
        id=row.id,
        recorded_at=row.recorded_at,
        happened_on=row.happened_on,
        kind=row.kind,
        idempotency_key=row.idempotency_key,
        reverses_id=row.reverses_id,
        contributor_kind=row.contributor_kind,
        contributor_id=row.contributor_id,
        description=row.description,
        memo=row.memo,
        by=row.by,
        transfers=transfers,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )
