"""Lists as offices send them: encodings, separators, numbers, dates, spreadsheets."""

from __future__ import annotations

import io
from datetime import date

import pytest
from openpyxl import Workbook

from hub.tabular import MAX_ROWS, TableError, day, number, read_sheet, whole_vnd

COLUMNS = {"code": ("mã cột",), "place": ("vị trí",), "latitude": ("vĩ độ",)}
REQUIRED = ("code", "latitude")


def rows(data: bytes) -> list[tuple[int, str, str, str]]:
    sheet = read_sheet(data, COLUMNS, REQUIRED)
    return [(row.number, row.get("code"), row.get("place"), row.get("latitude")) for row in sheet.rows]


def xlsx(*records: list[str | float | date | None]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for record in records:
        sheet.append(record)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_encodings_and_separators(encoding: str, separator: str, ending: str) -> None:
    text = ending.join(
        separator.join(record)
        for record in (["Mã cột", "Vị trí", "Vĩ độ"], ["TG-0001", "Ngã ba Đình", "21.5"], ["", "", ""])
    )
    assert rows(text.encode(encoding)) == [(2, "TG-0001", "Ngã ba Đình", "21.5")]


def test_headers_are_found_in_either_language_without_accents() -> None:
    assert rows("CODE,VI TRI,vĩ_độ\nA,B,1\n".encode()) == [(2, "A", "B", "1")]


def test_a_quoted_cell_may_hold_the_separator_and_a_line_break() -> None:
    assert rows(b'code;place;latitude\nA;"x;\ny";1\nB;z;2\n') == [
        (2, "A", "x;\ny", "1"),
        (3, "B", "z", "2"),
    ]


def test_row_numbers_are_those_of_the_spreadsheet_over_empty_rows() -> None:
    assert [row[0] for row in rows(b"code,latitude\n\nA,1\n,\nB,2\n")] == [3, 5]


def test_a_spreadsheet_reads_as_text() -> None:
    data = xlsx(["code", "place", "latitude"], ["A", date(2026, 1, 2), 21.4731], ["B", None, 21.0])
    assert rows(data) == [(2, "A", "2026-01-02", "21.4731"), (3, "B", "", "21")]


def test_unknown_columns_are_told() -> None:
    sheet = read_sheet(b"code,latitude,colour,\nA,1,red,\n", COLUMNS, REQUIRED)
    assert sheet.ignored_columns == ["colour"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no rows"),
        (b"place\nx\n", "code"),
        (b"code,Ma Cot,latitude\n", "twice"),
        ("code,latitude,Trị".encode()[:-1], "UTF-8"),
        (b'code,latitude\n"A,1\n', "not CSV"),
        (b"PK\x03\x04 this is no zip", "XLSX"),
        (xlsx(["code", "latitude"])[:-200], "XLSX"),
    ],
)
def test_what_cannot_be_read_is_refused_in_both_languages(data: bytes, says: str) -> None:
    with pytest.raises(TableError, match=says) as refusal:
        read_sheet(data, COLUMNS, REQUIRED)
    assert refusal.value.message_vi


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(TableError, match="split the file"):
        read_sheet(b"code,latitude\n" + b"A,1\n" * (MAX_ROWS + 1), COLUMNS, REQUIRED)


@pytest.mark.parametrize(("text", "value"), [("21.4731", 21.4731), ("21,4731", 21.4731), ("-3", -3.0)])
def test_numbers_with_point_or_comma(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "nan", "inf", "1,2,3", "1.234,5", "abc", "0x10"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        number(text)


@pytest.mark.parametrize(
    "text", ["1500000", "1.500.000", "1,500,000", "1 500 000", "1.500.000 đ", "1500000đ", "1.500.000 VND"]
)
def test_amounts_as_people_write_them(text: str) -> None:
    assert whole_vnd(text) == 1_500_000


@pytest.mark.parametrize("text", ["", "1,5", "1.5", "-5", "1.50.000", "1.500,000", "1e6", "15tr", "٣"])
def test_what_is_no_whole_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        whole_vnd(text)


def test_days_in_both_orders() -> None:
    assert day("2025-12-31") == day("31/12/2025") == date(2025, 12, 31)
    with pytest.raises(ValueError, match=r".*"):
        day("12/31/2025")
