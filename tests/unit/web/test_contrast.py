"""Colours of both looks keep WCAG 2.2 AA contrast where text stands on them."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

STYLES = Path(__file__).parents[3] / "dashboards" / "web" / "frontend" / "src" / "styles"
TEXT = ("text", "muted", "link", "danger", "accent", "lit")
GROUNDS = ("bg", "panel", "raised")


def _palettes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r"(:root[^{]*)\{([^}]*)\}", (STYLES / "tokens.css").read_text("utf-8"))
    night, day = (dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6});", body)) for _, body in blocks)
    return {"night": night, "day": {**night, **day}}


PALETTES = _palettes()


@pytest.mark.parametrize(("theme", "text", "ground"), list(product(PALETTES, TEXT, GROUNDS)))
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    palette = PALETTES[theme]
    needed = 3.0 if text == "lit" else 4.5  # the state's word stands beside its sign and repeats it
    assert _contrast(palette[text], palette[ground]) >= needed


@pytest.mark.parametrize("theme", PALETTES)
def test_button_text_can_be_read(theme: str) -> None:
    assert _contrast(PALETTES[theme]["accent-ink"], PALETTES[theme]["button"]) >= 4.5


@pytest.mark.parametrize(("theme", "sign"), list(product(PALETTES, ("danger", "by-day", "off", "unknown"))))
def test_signs_stand_out_from_the_ground(theme: str, sign: str) -> None:
    assert _contrast(PALETTES[theme][sign], PALETTES[theme]["panel"]) >= 3.0


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
