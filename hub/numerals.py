"""Numbers as each language writes them: 1.234,5 in Vietnamese, 1,234.5 in English."""

from __future__ import annotations

from typing import Literal

_SWAPPED = str.maketrans(",.", ".,")


def written(number: float, language: Literal["vi", "en"] = "vi", spec: str = ",.10g") -> str:
    """604800 → `604.800` or `604,800`, 0.05 → `0,05` or `0.05`; `spec` as Python's own format takes it."""
    text = format(number, spec)
    return text.translate(_SWAPPED) if language == "vi" else text
