"""What the API answers and takes about money; see `hub.api.schemas`. Amounts are whole đồng."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from hub.api.schemas import FundingOut, In, Out
from hub.funding.model import ContributorKind, EntryKind


class LineIn(In):
    """A pole's part of an entry: a whole number of đồng."""

    pole: Annotated[str, Field(max_length=31)]
    amount_vnd: Annotated[int, Field(ge=1, strict=True)]


class EntryIn(In):
    """A ledger entry. `description` is published, `memo` is for staff; a name only with consent."""

    kind: EntryKind
    happened_on: date
    idempotency_key: Annotated[str, Field(min_length=1, max_length=120)]
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=1000)]
    contributor_kind: ContributorKind | None = None
    contributor_name: Annotated[str, Field(max_length=160)] | None = None
    name_public: bool = False
    description: Annotated[str, Field(max_length=300)] = ""
    memo: Annotated[str, Field(max_length=300)] = ""


class ReversalIn(In):
    """Undo an entry; say why."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=120)]
    memo: Annotated[str, Field(min_length=1, max_length=300)]


class EntryOut(Out):
    """A ledger entry; `amount_vnd` is the part of `pole`, or the whole where `pole` is null."""

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


class PoleFundingOut(Out):
    """A pole's money, its sums and its entries, newest first."""

    pole: str
    funding: FundingOut
    entries: list[EntryOut]


class FundingList(Out):
    """The whole ledger: totals, each pole's sums, the newest entries, and the chain's head to print."""

    totals: FundingOut
    poles: dict[str, FundingOut]
    entries: list[EntryOut]
    head_id: int
    head_hash: str
