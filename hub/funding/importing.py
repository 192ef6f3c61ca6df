"""Import of ledger entries from a file: the whole file or nothing, and a second time it records nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from sqlalchemy import Connection

from hub.funding.model import CONTRIBUTOR_KINDS, ContributorKind, Draft, EntryKind, LedgerError, Line
from hub.funding.store import open_ledger
from hub.registry.folding import fold
from hub.tabular import Row, RowError, TableError, day, read_sheet, whole_vnd

COLUMNS: dict[str, tuple[str, ...]] = {
    "kind": ("loại", "loại bút toán"),
    "pole": ("mã cột", "mã cột đèn", "pole code", "code"),
    "amount_vnd": ("số tiền", "số tiền (đồng)", "thành tiền", "amount"),
    "contributor_kind": ("người đóng góp", "loại người đóng góp", "contributor"),
    "description": ("in kind description", "in kind", "hiện vật", "nội dung", "hạng mục"),
    "date": ("ngày", "happened on"),
    "idempotency_key": ("mã chống trùng", "số chứng từ", "key"),
    "memo": ("ghi chú",),
}
REQUIRED = ("kind", "pole", "amount_vnd", "date", "idempotency_key")

KINDS: dict[str, EntryKind] = {
    "plan": "plan",
    "ke hoach": "plan",
    "du toan": "plan",
    "receipt_cash": "receipt_cash",
    "thu": "receipt_cash",
    "thu tien mat": "receipt_cash",
    "receipt_in_kind": "receipt_in_kind",
    "thu hien vat": "receipt_in_kind",
    "expense": "expense",
    "chi": "expense",
    "expense_in_kind": "expense_in_kind",
    "dung hien vat": "expense_in_kind",
}
"""Words for the kinds of entry, folded. A reversal is never imported: it is recorded where it is decided."""

CONTRIBUTORS: dict[str, ContributorKind] = {
    **{kind: kind for kind in CONTRIBUTOR_KINDS},
    "ho gia dinh": "household",
    "ca nhan": "person",
    "doanh nghiep": "firm",
    "hoi doan the": "association",
    "to chuc": "association",
    "ngan sach nha nuoc": "state_budget",
}


@dataclass(frozen=True, slots=True)
class FundImportResult:
    """Entries recorded, and those that were known already. With errors nothing is recorded."""

    stored: bool
    recorded: int = 0
    known: int = 0
    errors: tuple[RowError, ...] = ()
    ignored_columns: tuple[str, ...] = ()


def import_entries(conn: Connection, data: bytes, *, by: str, now: datetime) -> FundImportResult:
    """Take in a CSV or XLSX file of entries within the caller's transaction; errors are in the result."""
    try:
        sheet = read_sheet(data, COLUMNS, REQUIRED)
    except TableError as error:
        return FundImportResult(False, errors=(RowError(1, "", error.message_vi, error.message_en),))
    trial = conn.begin_nested()
    errors: list[RowError] = []
    recorded = 0
    with open_ledger(conn) as ledger:
        for row in sheet.rows:
            draft = _draft(row, by)
            if not isinstance(draft, Draft):
                errors.extend(draft)
                continue
            try:
                recorded += ledger.record(draft, now=now)[1]
            except LedgerError as error:
                errors.append(RowError(row.number, error.field, error.message_vi, str(error)))
    ignored = tuple(sheet.ignored_columns)
    if errors:
        trial.rollback()
        return FundImportResult(False, errors=tuple(errors), ignored_columns=ignored)
    trial.commit()
    return FundImportResult(True, recorded, len(sheet.rows) - recorded, ignored_columns=ignored)


def _draft(row: Row, by: str) -> Draft | list[RowError]:
    errors: list[RowError] = []

    def wrong(column: str, message_vi: str, message_en: str) -> None:
        errors.append(RowError(row.number, column, message_vi, message_en))

    kind = KINDS.get(fold(row.get("kind")))
    if kind is None:
        wrong(
            "kind", "Loại phải là: kế hoạch, thu, thu hiện vật, chi, dùng hiện vật.", f"one of {_known()}"
        )
    who = CONTRIBUTORS.get(fold(row.get("contributor_kind")))
    if who is None and row.get("contributor_kind"):
        wrong(
            "contributor_kind",
            "Phải là: hộ gia đình, cá nhân, doanh nghiệp, tổ chức, ngân sách nhà nước.",
            f"one of {', '.join(CONTRIBUTOR_KINDS)}",
        )
    amount_vnd, happened_on = 0, date.min
    try:
        amount_vnd = whole_vnd(row.get("amount_vnd"))
    except ValueError:
        wrong(
            "amount_vnd",
            f"“{row.get('amount_vnd')}” không phải số tiền nguyên đồng.",
            f"{row.get('amount_vnd')!r} is not a whole number of đồng",
        )
    try:
        happened_on = day(row.get("date"))
    except ValueError:
        wrong(
            "date",
            f"“{row.get('date')}” không phải ngày: viết 2025-12-31 hoặc 31/12/2025.",
            f"{row.get('date')!r} is not a day: write 2025-12-31 or 31/12/2025",
        )
    if errors:
        return errors
    description, memo = row.get("description"), row.get("memo")
    is_receipt = kind in ("receipt_cash", "receipt_in_kind")
    if not description and not is_receipt:
        # A plan's or expense's note says what it is for, which is public; a receipt's may name somebody.
        description, memo = memo, ""
    return Draft(
        kind=cast(EntryKind, kind),
        happened_on=happened_on,
        idempotency_key=row.get("idempotency_key"),
        lines=(Line(row.get("pole").upper(), amount_vnd),),
        contributor_kind=who,
        description=description,
        memo=memo,
        by=by,
    )


def _known() -> str:
    return ", ".join(dict.fromkeys(KINDS.values()))
