"""Numbers as they are written here: grouped by dots, with a decimal comma."""

from __future__ import annotations

SWAPPED = str.maketrans(",.", ".,")
"""Turns what Python writes with `,` into Vietnamese."""


def written(number: float) -> str:
    """604800 → `604.800`, 0.05 → `0,05`."""
    return f"{number:,.10g}".translate(SWAPPED)
