"""Lists as people keep them: CSV and XLSX files read into rows of text, with headers in either language.

What an office sends: UTF-8 with or without a byte order mark, UTF-16 as Excel's "Unicode text", separators
`,` `;` or tab, a decimal comma, dates as 31/12/2025, amounts as 1.500.000.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from hub.registry.folding import fold

MAX_ROWS = 100_000
MAX_UNPACKED_BYTES = 300 * 1024 * 1024
"""An XLSX file is a zip: this is what it may become when unpacked."""

_NOT_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one row, and what to do. `row` as the spreadsheet shows it: the header is row 1."""

    row: int
    column: str
    message_vi: str
    message_en: str


class TableError(ValueError):
    """The file as a whole can't be read; texts in Vietnamese and English say what to do."""

    def __init__(self, message_vi: str, message_en: str) -> None:
        super().__init__(message_en)
        self.message_vi = message_vi
        self.message_en = message_en


@dataclass(frozen=True, slots=True)
class Row:
    """One row by the names of its columns; a column that the file does not have is absent."""

    number: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell's text, empty where there is none."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's rows, and the headers that mean nothing to this import."""

    rows: list[Row]
    columns: frozenset[str]
    ignored_columns: list[str]


def read_sheet(data: bytes, columns: Mapping[str, Sequence[str]], required: Sequence[str]) -> Sheet:
    """Read a CSV or XLSX file. `columns` names each column with the other headers it may have.

    Raises TableError when the file can't be read, lacks a required column or has one twice.
    """
    records = _xlsx(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    table = [(number, cells) for number, cells in enumerate(records, 1) if any(cells)]
    if not table:
        raise TableError("Tệp không có dòng nào.", "the file has no rows")
    _, header = table[0]
    place, ignored = _places(header, columns)
    missing = [name for name in required if name not in place]
    if missing:
        names = ", ".join(f"{name} ({columns[name][0]})" for name in missing)
        raise TableError(
            f"Thiếu cột: {names}. Dòng đầu tiên phải là tên các cột.",
            f"these columns are missing: {names}; the first row must name the columns",
        )
    rows = [
        Row(number, {name: cells[at] if at < len(cells) else "" for name, at in place.items()})
        for number, cells in table[1:]
    ]
    return Sheet(rows, frozenset(place), ignored)


def header_word(text: str) -> str:
    """A header as it is compared: `Mã cột đèn` and `ma_cot_den` are the same."""
    return _NOT_WORD.sub("_", fold(text)).strip("_")


def _places(
    header: Sequence[str], columns: Mapping[str, Sequence[str]]
) -> tuple[dict[str, int], list[str]]:
    names = {header_word(alias): name for name, aliases in columns.items() for alias in (name, *aliases)}
    place: dict[str, int] = {}
    ignored = []
    for at, title in enumerate(header):
        name = names.get(header_word(title))
        if name is None:
            if title:
                ignored.append(title)
        elif name in place:
            raise TableError(
                f"Cột “{title}” xuất hiện hai lần ({name}).",
                f"column {title!r} stands there twice ({name})",
            )
        else:
            place[name] = at
    return place, ignored


def _csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from _bounded([cell.strip() for cell in record] for record in reader)
    except csv.Error as error:
        raise TableError(
            f"Dòng {reader.line_num} không đúng dạng CSV (thường do dấu nháy kép chưa đóng).",
            f"line {reader.line_num} is not CSV: {error}",
        ) from None


def _decoded(data: bytes) -> str:
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(
            "Không đọc được chữ trong tệp. Trong Excel hãy chọn Lưu thành → “CSV UTF-8” hoặc .xlsx.",
            "the text is not UTF-8: in Excel choose Save as → “CSV UTF-8”, or send the .xlsx",
        ) from None


def _xlsx(data: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    unreadable = TableError("Không đọc được tệp Excel này.", "this is not a readable XLSX file")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise TableError("Tệp Excel quá lớn khi giải nén.", "the XLSX file unpacks to too much")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        # SyntaxError is the base of XML's ParseError: openpyxl lets it out of a broken part.
        raise error if isinstance(error, TableError) else unreadable from None
    try:
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise unreadable
        yield from _bounded(
            [_text(value) for value in record] for record in sheet.iter_rows(values_only=True)
        )
    finally:
        book.close()


def _bounded(records: Iterator[list[str]]) -> Iterator[list[str]]:
    yield from islice(records, MAX_ROWS + 1)
    if next(records, None) is not None:
        raise TableError(
            f"Tệp có hơn {MAX_ROWS} dòng: hãy chia nhỏ.", f"more than {MAX_ROWS} rows: split the file"
        )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def number(text: str) -> float:
    """`21.4731` or `21,4731`; raises ValueError, also for nan and infinity."""
    value = float(text.replace(",", ".") if "." not in text else text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


_GROUPED = re.compile(r"\d{1,3}([.,  ])\d{3}(?:\1\d{3})*")


def whole_vnd(text: str) -> int:
    """`1500000`, `1.500.000`, `1,500,000`, `1 500 000`, with or without đ; raises ValueError for other."""
    bare = text.strip().removesuffix("đ").removesuffix("VND").strip()
    if _GROUPED.fullmatch(bare):
        bare = re.sub(r"[.,  ]", "", bare)
    if not re.fullmatch(r"[0-9]{1,15}", bare):
        raise ValueError(text)
    return int(bare)


def day(text: str) -> date:
    """`2025-12-31` or, as Vietnamese write it, `31/12/2025`; raises ValueError for other."""
    if "/" in text:
        return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007  a calendar day has no time zone
    return date.fromisoformat(text)
