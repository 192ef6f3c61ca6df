"""The words on the pages, Vietnamese first; the same two files are bundled into the scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "vi"

Translate = Callable[..., str]


def _load(language: Language) -> Mapping[str, str]:
    words: dict[str, str] = json.loads((Path(__file__).parent / f"{language}.json").read_text("utf-8"))
    return words


WORDS: Mapping[Language, Mapping[str, str]] = {language: _load(language) for language in LANGUAGES}


def translator(language: Language) -> Translate:
    """A function `t(key, **places)`; raises KeyError for a key that is not in the files."""
    words = WORDS[language]

    def translate(key: str, **places: object) -> str:
        return words[key].format(**places) if places else words[key]

    return translate


def word(language: Language, prefix: str, value: str) -> str:
    """The text for a word of the contract such as a reason; the word itself where it is a newer one."""
    return WORDS[language].get(f"{prefix}.{value}", value)


def chosen(wanted: str | None) -> Language | None:
    """The language that a cookie or address asks for, if it is one of ours."""
    return next((language for language in LANGUAGES if language == wanted), None)
