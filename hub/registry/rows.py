"""One row of a registry file as a pole: which columns there are, and what each may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.tabular import Row, RowError, number

COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("mã cột", "pole code", "pole", "mã cột đèn"),
    "place": ("vị trí", "địa điểm", "location"),
    "hamlet": ("thôn", "khu", "tổ dân phố", "xóm", "thôn khu"),
    "commune_code": ("mã xã", "mã xã phường", "commune"),
    "commune_name": ("tên xã", "xã phường", "xã"),
    "former_names": ("tên cũ", "tên gọi cũ", "former name"),
    "province": ("tỉnh", "tỉnh thành", "tỉnh thành phố"),
    "feeder": ("tuyến", "lộ điện", "tuyến điện"),
    "node": ("nút", "tên nút", "node name"),
    "latitude": ("vĩ độ", "lat"),
    "longitude": ("kinh độ", "lon", "lng"),
    "lamp_rated_w": ("công suất đèn (W)", "công suất", "lamp rated w", "watt"),
    "programme": ("chương trình", "mô hình", "program"),
    "group": ("tổ tự quản", "nhóm", "resident group"),
    "cameras": ("camera", "mã camera"),
}
"""Each column with the headers it may also have; compared without accents, case and punctuation."""

REQUIRED = ("code", "place", "commune_code", "latitude", "longitude", "lamp_rated_w")

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,30}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

# Vietnam with Hoàng Sa and Trường Sa: what lies outside is a slip, most often the two exchanged.
LATITUDE = (6.0, 24.0)
LONGITUDE = (102.0, 118.0)
MAX_LAMP_W = 20_000


@dataclass(frozen=True, slots=True)
class PoleRow:
    """A pole as a file describes it; None where the file has no such column: keep what is registered."""

    number: int
    code: str
    place: str
    commune_code: str
    commune_name: str
    former_names: tuple[str, ...] | None
    province: str
    hamlet: str | None
    feeder: str | None
    node: str | None
    latitude: float
    longitude: float
    lamp_rated_w: float
    programme: str | None
    group: str | None
    cameras: tuple[str, ...] | None


class RowReader:
    """Reads the cells of one row and collects what is wrong with them."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self.errors: list[RowError] = []

    def wrong(self, column: str, message_vi: str, message_en: str) -> None:
        """Note what is wrong in a column."""
        self.errors.append(RowError(self._row.number, column, message_vi, message_en))

    def text(self, column: str, *, most: int, required: bool = False) -> str:
        """A text of at most `most` characters."""
        value = " ".join(self._row.get(column).split())
        if required and not value:
            self.wrong(column, "Ô này không được để trống.", "must not be empty")
        if len(value) > most:
            self.wrong(column, f"Tối đa {most} ký tự.", f"must have at most {most} characters")
        return value

    def optional(self, column: str, *, most: int = 160) -> str | None:
        """A text that may be empty; None where the file has no such column."""
        return self.text(column, most=most) if column in self._row.cells else None

    def several(self, column: str) -> tuple[str, ...] | None:
        """Texts separated by `;`; None where the file has no such column."""
        if column not in self._row.cells:
            return None
        parts = (" ".join(part.split()) for part in self._row.get(column).split(";"))
        found = tuple(dict.fromkeys(part for part in parts if part))
        if any(len(part) > 160 for part in found):
            self.wrong(column, "Mỗi tên tối đa 160 ký tự.", "each name must have at most 160 characters")
        return found

    def number(self, column: str, low: float, high: float) -> float:
        """A number from `low` to `high`; decimal point or comma."""
        text = self._row.get(column)
        try:
            value = number(text)
        except ValueError:
            self.wrong(column, f"“{text}” không phải là số.", f"{text!r} is not a number")
            return low
        if not low <= value <= high:
            self.wrong(
                column,
                f"{text} nằm ngoài khoảng {low:g} đến {high:g}.",
                f"{text} is not between {low:g} and {high:g}",
            )
        return value

    def matching(self, column: str, value: str, pattern: re.Pattern[str], example: str) -> str:
        """A code or name of the contract."""
        if value and not pattern.fullmatch(value):
            self.wrong(
                column,
                f"“{value}” không đúng dạng: chỉ chữ không dấu, số và gạch ngang, ví dụ {example}.",
                f"{value!r} must be letters without accents, digits and hyphens, such as {example}",
            )
        return value


def read_row(row: Row) -> PoleRow | list[RowError]:
    """The pole of one row, or all that is wrong with it."""
    reader = RowReader(row)
    cameras = reader.several("cameras")
    node = reader.optional("node", most=63)
    read = PoleRow(
        number=row.number,
        code=reader.matching("code", reader.text("code", most=31, required=True).upper(), _CODE, "TG-0042"),
        place=reader.text("place", most=200, required=True),
        commune_code=reader.matching(
            "commune_code", reader.text("commune_code", most=63, required=True).lower(), _NAME, "tram-than"
        ),
        commune_name=reader.text("commune_name", most=160),
        former_names=reader.several("former_names"),
        province=reader.text("province", most=160),
        hamlet=reader.optional("hamlet"),
        feeder=reader.optional("feeder", most=64),
        node=None if node is None else reader.matching("node", node.lower(), _NAME, "tg-0042"),
        latitude=_degrees(reader, row, "latitude", LATITUDE),
        longitude=_degrees(reader, row, "longitude", LONGITUDE),
        lamp_rated_w=_watts(reader),
        programme=reader.optional("programme"),
        group=reader.optional("group"),
        cameras=None
        if cameras is None
        else tuple(reader.matching("cameras", one.upper(), _CODE, "CAM-TG-01") for one in cameras),
    )
    return reader.errors or read


def _degrees(reader: RowReader, row: Row, column: str, bounds: tuple[float, float]) -> float:
    other = LONGITUDE if column == "latitude" else LATITUDE
    try:
        swapped = other[0] <= number(row.get(column)) <= other[1]
    except ValueError:
        swapped = False
    if swapped:
        reader.wrong(
            column,
            "Vĩ độ và kinh độ có vẻ bị đổi chỗ cho nhau.",
            "latitude and longitude seem to be exchanged",
        )
        return bounds[0]
    return reader.number(column, *bounds)


def _watts(reader: RowReader) -> float:
    value = reader.number("lamp_rated_w", 0, MAX_LAMP_W)
    if value == 0 and not reader.errors:
        reader.wrong("lamp_rated_w", "Công suất phải lớn hơn 0 W.", "must be more than 0 W")
    return value
