"""The words of notices as data: per kind what is likely and what to do, in `vi.json` and `en.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.incidents.catalogue import DEFAULT_RULES, TOLD_KINDS
from hub.notify.model import Language


def known_kinds() -> frozenset[str]:
    """Every kind of incident that the hub opens."""
    return TOLD_KINDS | DEFAULT_RULES.keys()


def _load(language: Language) -> Mapping[str, Any]:
    words: dict[str, Any] = json.loads((Path(__file__).parent / f"{language}.json").read_text("utf-8"))
    return words


WORDS: Mapping[Language, Mapping[str, Any]] = {"vi": _load("vi"), "en": _load("en")}


def likely(kind: str, language: Language) -> str:
    """What is probably the matter and what to do first; a general sentence for a kind not known here."""
    kinds: Mapping[str, str] = WORDS[language]["kinds"]
    return kinds.get(kind, kinds["other"])


def phrase(name: str, language: Language, **places: object) -> str:
    """A sentence of the messages with its places filled in; raises KeyError for one that is not there."""
    text: str = WORDS[language]["phrases"][name]
    return text.format(**places) if places else text
