"""Import of a registry file: the whole file or nothing, and a second time it changes nothing.

A file that is only partly taken leaves somebody guessing which poles are in; so every row is checked first,
all that is wrong is told at once, and only a file without errors is stored. Poles that a file does not
name stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from hub.registry.agreement import disagreements
from hub.registry.rows import COLUMNS, REQUIRED, PoleRow, read_row
from hub.registry.writing import Writer
from hub.tabular import RowError, TableError, read_sheet


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Poles created, updated, unchanged. With errors nothing is stored and all three are 0."""

    stored: bool
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[RowError, ...] = ()
    ignored_columns: tuple[str, ...] = ()


def import_registry(conn: Connection, data: bytes, *, now: datetime, dry_run: bool = False) -> ImportResult:
    """Take in a CSV or XLSX file within the caller's transaction; `dry_run` only tells what would happen.

    Never raises for what is in the file: errors are in the result, with row and column.
    """
    try:
        sheet = read_sheet(data, COLUMNS, REQUIRED)
    except TableError as error:
        return ImportResult(False, errors=(RowError(1, "", error.message_vi, error.message_en),))
    rows: list[PoleRow] = []
    errors: list[RowError] = []
    for raw in sheet.rows:
        read = read_row(raw)
        if isinstance(read, PoleRow):
            rows.append(read)
        else:
            errors.extend(read)
    errors.extend(disagreements(conn, rows))
    if errors:
        errors.sort(key=lambda one: one.row)
        return ImportResult(False, errors=tuple(errors), ignored_columns=tuple(sheet.ignored_columns))
    trial = conn.begin_nested()
    counts = Writer(conn).store(rows, now)
    if dry_run:
        trial.rollback()
    else:
        trial.commit()
    return ImportResult(
        not dry_run,
        created=counts["created"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        ignored_columns=tuple(sheet.ignored_columns),
    )
