"""The money: what each pole needed, was given and has cost; entries and their reversals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.deps import HubDep, Staff, Viewer, acting
from hub.api.problems import Problem, refused, unknown_pole
from hub.api.schemas import FundingOut
from hub.api.schemas.funding import EntryIn, EntryOut, FundingList, PoleFundingOut, ReversalIn
from hub.api.sight import seen_communes, seen_pole
from hub.funding import reads
from hub.funding.model import AlreadyReversedError, Draft, IdempotencyConflictError, LedgerError, Line
from hub.funding.store import contributor_id, open_ledger
from hub.registry import reads as registry

router = APIRouter(prefix="/api/v1", tags=["funding"])

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/funding")
def list_funding(hub: HubDep, by: Viewer, limit: Limit = 100) -> FundingList:
    """Totals, each pole's sums, the newest entries, and the head of the chain to print on a report."""
    with hub.reads.connect() as conn:
        head, seen = reads.head(conn), seen_communes(by)
        return FundingList(
            totals=FundingOut.model_validate(reads.totals(conn, seen)),
            poles={
                pole: FundingOut.model_validate(sums)
                for pole, sums in reads.funding_by_pole(conn, communes=seen).items()
            },
            entries=[
                EntryOut.model_validate(one)
                for one in reads.recent_entries(conn, communes=seen, limit=limit)
            ],
            head_id=head.id,
            head_hash=head.hash,
        )


@router.get("/poles/{code}/funding")
def show_funding(code: str, hub: HubDep, by: Viewer, limit: Limit = 200) -> PoleFundingOut:
    """One pole's sums and entries."""
    with hub.reads.connect() as conn:
        seen_pole(conn, by, code)
        return PoleFundingOut(
            pole=code,
            funding=FundingOut.model_validate(reads.pole_funding(conn, code)),
            entries=[EntryOut.model_validate(one) for one in reads.entries(conn, code, limit=limit)],
        )


@router.post("/funding/entries", status_code=201, responses={200: {"description": "Recorded before"}})
def record_entry(body: EntryIn, request: Request, response: Response, hub: HubDep, by: Staff) -> EntryOut:
    """Record an entry. The same request again (same `idempotency_key`) answers 200 and records nothing."""
    now = hub.clock()
    with acting(hub, request, by, kind=body.kind, key=body.idempotency_key) as conn:
        _check_seen(conn, by, (line.pole for line in body.lines))
        try:
            with open_ledger(conn) as ledger:
                entry, new = ledger.record(
                    Draft(
                        kind=body.kind,
                        happened_on=body.happened_on,
                        idempotency_key=body.idempotency_key,
                        lines=tuple(Line(line.pole, line.amount_vnd) for line in body.lines),
                        contributor_kind=body.contributor_kind,
                        contributor_id=contributor_id(
                            conn,
                            body.idempotency_key,
                            kind=body.contributor_kind or "",
                            name=body.contributor_name,
                            name_public=body.name_public,
                            now=now,
                        ),
                        description=body.description.strip(),
                        memo=body.memo.strip(),
                        by=by.name,
                    ),
                    now=now,
                )
        except LedgerError as error:
            raise _refused(error) from None
        view = reads.entry_view(conn, entry.id)
    response.status_code = 201 if new else 200
    return EntryOut.model_validate(view)


@router.post(
    "/funding/entries/{entry_id}/reversal",
    status_code=201,
    responses={200: {"description": "Reversed before by the same request"}},
)
def reverse_entry(
    entry_id: int, body: ReversalIn, request: Request, response: Response, hub: HubDep, by: Staff
) -> EntryOut:
    """Undo an entry by its mirror image, once; nothing is ever changed or deleted."""
    with acting(hub, request, by, entry=entry_id, key=body.idempotency_key) as conn:
        if by.communes and not all(_sees(conn, by, pole) for pole in reads.entry_poles(conn, entry_id)):
            raise _unknown_entry(entry_id)
        try:
            with open_ledger(conn) as ledger:
                done = ledger.reverse(
                    entry_id,
                    idempotency_key=body.idempotency_key,
                    memo=body.memo.strip(),
                    by=by.name,
                    now=hub.clock(),
                )
        except LedgerError as error:
            raise _refused(error) from None
        if done is None:
            raise _unknown_entry(entry_id)
        entry, new = done
        view = reads.entry_view(conn, entry.id)
    response.status_code = 201 if new else 200
    return EntryOut.model_validate(view)


def _sees(conn: Connection, by: User, pole: str) -> bool:
    info = registry.pole(conn, pole)
    return info is not None and by.sees(info.commune_code)


def _check_seen(conn: Connection, by: User, poles: Iterable[str]) -> None:
    """A pole that nobody registered is the ledger's to refuse, with the field's name; a foreign one is ours."""
    for pole in poles:
        if by.communes and not _sees(conn, by, pole):
            raise unknown_pole(pole)


def _unknown_entry(entry_id: int) -> Problem:
    return Problem(404, "unknown-entry", f"no entry {entry_id}", f"Không có bút toán số {entry_id}.")


def _refused(error: LedgerError) -> Problem:
    if isinstance(error, AlreadyReversedError):
        return Problem(409, "already-reversed", str(error), error.message_vi)
    if isinstance(error, IdempotencyConflictError):
        return Problem(409, "idempotency-conflict", str(error), error.message_vi)
    return refused(error.field, str(error), error.message_vi)
