"""Vietnamese text without accents and case, so that `Trung Giáp` is found by typing `trung giap`."""

from __future__ import annotations

import re
import unicodedata

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """Lower case, no accents, đ as d, single spaces; the same for composed and decomposed input."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.split())


def slug(text: str) -> str:
    """A name as a code: `Phú Thọ` becomes `phu-tho`. Empty when nothing of it is a letter or digit."""
    return _NOT_SLUG.sub("-", fold(text)).strip("-")


def like_pattern(word: str, *, whole: bool = False) -> str:
    r"""A folded word as a LIKE pattern that matches it anywhere; `%`, `_` and `\` in it are literal.

    `whole` matches it between spaces only: the text must be given a space before and after.
    """
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"% {escaped} %" if whole else f"%{escaped}%"
