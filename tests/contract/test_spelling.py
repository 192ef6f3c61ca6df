"""One spelling of tone marks in all a person reads: hóa, khỏe, thủy; never hoá, khoẻ, thuỷ."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_OTHER = {"o": "àáảãạèéẻẽẹ", "u": "ỳýỷỹỵ"}
"""Tones on the second vowel of a syllable that ends with oa, oe or uy."""

# A letter behind it makes another syllable, where the tone stands there rightly (hoàn); so does q before (quý).
_WRONG = re.compile(
    rf"\w*(?:o[{_OTHER['o']}]|(?<!q)u[{_OTHER['u']}])(?!\w)",
    re.IGNORECASE,
)
_THIS = Path(__file__).relative_to(ROOT)


def misspelt(text: str) -> list[str]:
    """The words whose tone mark stands on the other vowel."""
    return _WRONG.findall(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize("word", ["hoá", "Khoá", "XOÁ", "khoẻ", "thuỷ", "huỷ bỏ", "mã hoá."])
def test_the_other_spelling_is_found(word: str) -> None:
    assert misspelt(word)


@pytest.mark.parametrize(
    "word", ["hóa", "hoàn", "khoảng", "khỏe", "ngoẻo", "thủy", "quý", "Quỹ", "thuyền", "loại"]
)
def test_the_spelling_of_the_house_is_left_alone(word: str) -> None:
    assert misspelt(word) == []


def test_every_text_marks_tones_alike() -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of the project's own files")
    names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    texts = (".py", ".json", ".md", ".html", ".ts", ".toml", ".csv", ".service", ".css")
    found = {
        str(name): words
        for name in names
        if name.suffix in texts and name != _THIS and (ROOT / name).is_file()
        if (words := misspelt((ROOT / name).read_text("utf-8")))
    }
    assert found == {}
