"""Uptime as a table for a spreadsheet: CSV and XLSX, with the titles people read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from openpyxl import Workbook
from openpyxl.styles import Font

from hub.api.uptime.schemas import UptimeLine, UptimeOut

Cell = str | int | float | None

COLUMNS: tuple[tuple[str, str, Callable[[UptimeLine], Cell]], ...] = (
    ("Xã/phường", "Commune", lambda one: one.commune),
    ("Tên", "Name", lambda one: one.title),
    ("Thôn/khu", "Hamlet", lambda one: one.place),
    ("Tỷ lệ (%)", "Share (%)", lambda one: _percent(one.up_share)),
    ("Có đo (%)", "Measured (%)", lambda one: _percent(one.measured_share)),
    ("Cần (giờ)", "Due (h)", lambda one: _hours(one.due_s)),
    ("Sáng/tốt (giờ)", "Up (h)", lambda one: _hours(one.up_s + one.up_said_s)),
    ("Tối/hỏng (giờ)", "Down (h)", lambda one: _hours(one.down_s + one.down_said_s)),
    ("Trong đó tắt theo lệnh (giờ)", "Of it ordered off (h)", lambda one: _hours(one.ordered_off_s)),
    ("Bảo trì (giờ)", "Maintenance (h)", lambda one: _hours(one.maintenance_s)),
    ("Máy chủ mất tin (giờ)", "Hub deaf (h)", lambda one: _hours(one.hub_blind_s)),
    ("Không rõ (giờ)", "Unknown (h)", lambda one: _hours(one.unknown_s)),
    ("Sáng ban ngày (giờ)", "Burning by day (h)", lambda one: _hours(one.burning_s)),
    ("Số lần hỏng", "Failures", lambda one: one.failures),
    ("Sửa trung bình (giờ)", "MTTR (h)", lambda one: _hours(one.mttr_s)),
    ("Giữa hai lần hỏng (giờ)", "MTBF (h)", lambda one: _hours(one.mtbf_s)),
    ("Điện (kWh)", "Energy (kWh)", lambda one: one.energy_kwh),
    ("Tiền điện trước thuế (đ)", "Cost before VAT (đ)", lambda one: one.cost_before_vat_vnd),
    ("Tiền điện có thuế (đ)", "Cost with VAT (đ)", lambda one: one.cost_vnd),
)
"""Vietnamese and English title, and what stands under it."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(answer: UptimeOut) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it; the last row is the sum of all."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows(_rows(answer))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(answer: UptimeOut) -> bytes:
    """One sheet, its titles frozen; the last row is the sum of all."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = f"{answer.first_day:%d-%m-%Y} {answer.last_day:%d-%m-%Y}"
    for row in _rows(answer):
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter in "ABC":
        sheet.column_dimensions[letter].width = 24
    sheet.freeze_panes = "C2"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _rows(answer: UptimeOut) -> list[list[Cell]]:
    titles: list[Cell] = [f"{vi} / {en}" for vi, en, _ in COLUMNS]
    total = answer.total.model_copy(update={"title": "Tất cả / All"})
    return [titles, *([_safe(tell(one)) for _, _, tell in COLUMNS] for one in (*answer.lines, total))]


def _safe(cell: Cell) -> Cell:
    """A name that a spreadsheet would take for a formula is text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 3600, 2)
