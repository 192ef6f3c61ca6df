"""What is wrong with one field of a request, in Vietnamese: pydantic itself speaks English alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.numerals import written

_PLAIN: Mapping[str, str] = {
    "missing": "Thiếu mục này.",
    "extra_forbidden": "Không có mục nào tên như vậy.",
    "string_type": "Hãy ghi bằng chữ.",
    "string_pattern_mismatch": "Nội dung viết chưa đúng dạng, hoặc chỉ có dấu cách.",
    "int_type": "Hãy ghi một số nguyên.",
    "int_parsing": "Hãy ghi một số nguyên.",
    "int_from_float": "Hãy ghi một số nguyên.",
    "float_type": "Hãy ghi một số.",
    "float_parsing": "Hãy ghi một số.",
    "finite_number": "Hãy ghi một số.",
    "bool_type": "Hãy chọn có hoặc không.",
    "bool_parsing": "Hãy chọn có hoặc không.",
    "literal_error": "Hãy chọn một trong các mục có sẵn.",
    "enum": "Hãy chọn một trong các mục có sẵn.",
    "timezone_aware": "Giờ phải kèm múi giờ, ví dụ 2026-03-01T20:00:00+07:00.",
    "json_invalid": "Dữ liệu gửi lên không phải JSON.",
}

_STEMS: Mapping[str, str] = {
    "datetime": "Ngày giờ chưa đúng.",
    "date": "Ngày chưa đúng.",
    "time": "Giờ chưa đúng.",
    "list": "Hãy ghi một danh sách.",
    "dict": "Hãy ghi một bảng tên và giá trị.",
    "decimal": "Hãy ghi một số.",
    "url": "Địa chỉ chưa đúng.",
    "uuid": "Mã chưa đúng.",
}

_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("ge", "Không được nhỏ hơn {}."),
    "greater_than": ("gt", "Phải lớn hơn {}."),
    "less_than_equal": ("le", "Không được lớn hơn {}."),
    "less_than": ("lt", "Phải nhỏ hơn {}."),
    "string_too_short": ("min_length", "Cần ít nhất {} ký tự."),
    "string_too_long": ("max_length", "Dài quá {} ký tự."),
    "too_short": ("min_length", "Cần ít nhất {} mục."),
    "too_long": ("max_length", "Nhiều quá {} mục."),
}

UNKNOWN = "Nội dung chưa đúng."


def field_words(kind: str, context: Mapping[str, Any]) -> str:
    """A sentence for a pydantic error of this type; `context` holds the bound that was crossed."""
    if kind in _BOUNDS:
        name, sentence = _BOUNDS[kind]
        return sentence.format(_bound(context.get(name, "?")))
    return _PLAIN.get(kind) or _STEMS.get(kind.partition("_")[0], UNKNOWN)


def _bound(bound: object) -> str:
    if isinstance(bound, int | float) and not isinstance(bound, bool):
        return written(bound)
    return str(bound)
