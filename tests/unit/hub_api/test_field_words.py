from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.api.field_words import UNKNOWN, field_words


class Form(BaseModel):
    """Fields as the API's forms have them."""

    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, Field(min_length=2, max_length=5)] = "xem"
    hold_off_s: Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)] = 0
    share: Annotated[float, Field(ge=0.05)] = 1
    count: int = 1
    role: Literal["viewer", "staff"] = "staff"
    until: AwareDatetime | None = None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"why": "x"}, "Cần ít nhất 2 ký tự."),
        ({"why": "dài quá đi"}, "Dài quá 5 ký tự."),
        ({"hold_off_s": 1e6}, "Không được lớn hơn 604.800."),
        ({"share": 0}, "Không được nhỏ hơn 0,05."),
        ({"hold_off_s": "một phút"}, "Hãy ghi một số."),
        ({"count": 1.5}, "Hãy ghi một số nguyên."),
        ({"role": "vua"}, "Hãy chọn một trong các mục có sẵn."),
        ({"until": "mai"}, "Ngày giờ chưa đúng."),
        ({"until": "2026-03-01T20:00:00"}, "Giờ phải kèm múi giờ, ví dụ 2026-03-01T20:00:00+07:00."),
        ({"la": 1}, "Không có mục nào tên như vậy."),
    ],
)
def test_what_pydantic_refuses_is_told_in_vietnamese(body: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Form.model_validate(body)
    (error,) = refused.value.errors()
    assert field_words(error["type"], error.get("ctx", {})) == told


def test_a_newer_kind_of_error_still_says_something() -> None:
    assert field_words("something_new", {}) == UNKNOWN
