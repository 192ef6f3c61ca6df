"""Names are found without their accents."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest

from hub.registry.folding import fold, like_pattern, slug


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_decomposed_text_fold_alike(form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(form, "  Trung Giáp,  ĐOAN Hùng — Cẩm Khê ")
    assert fold(text) == "trung giap, doan hung — cam khe"


def test_a_name_as_a_code() -> None:
    assert slug("tỉnh Phú Thọ (mới)") == "tinh-phu-tho-moi"
    assert slug("—") == ""


def test_wildcards_in_a_search_are_plain_letters() -> None:
    assert like_pattern("50%_\\") == "%50\\%\\_\\\\%"
