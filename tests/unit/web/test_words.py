"""The pages' words: the same keys and places in both languages, none missing, none left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboards.web.assets import DIST
from dashboards.web.i18n import WORDS, chosen, translator, word

WEB = Path(__file__).parents[3] / "dashboards" / "web"
PLACE = re.compile(r"\{(\w+)\}")

USED = {
    path: path.read_text("utf-8")
    for pattern in ("templates/*.html", "frontend/src/**/*.ts", "*.py")
    for path in sorted(WEB.glob(pattern))
}

LITERAL = re.compile(r"""\bt\(\s*["'`]([a-z0-9_.]+)["'`]""")
PREFIX = re.compile(r"""\b(?:t|word)\(\s*f?["'`]([a-z0-9_.]+?)(?:\.?["'`]\s*[~,]|\.?\$?\{)""")


def test_both_languages_have_the_same_keys() -> None:
    assert list(WORDS["vi"]) == list(WORDS["en"])


@pytest.mark.parametrize("key", WORDS["vi"])
def test_both_languages_fill_the_same_places(key: str) -> None:
    assert sorted(PLACE.findall(WORDS["vi"][key])) == sorted(PLACE.findall(WORDS["en"][key]))


def test_every_key_that_is_asked_for_is_there() -> None:
    asked = {(path.name, key) for path, text in USED.items() for key in LITERAL.findall(text)}
    assert len(asked) > 100, "the pattern finds no calls any more"
    assert (
        sorted((name, key) for name, key in asked if key not in WORDS["vi"] and not key.endswith(".")) == []
    )


def test_no_key_is_left_over() -> None:
    literal = {key for text in USED.values() for key in LITERAL.findall(text)}
    prefixes = tuple(f"{key.rstrip('.')}." for text in USED.values() for key in PREFIX.findall(text))
    assert [key for key in WORDS["vi"] if key not in literal and not key.startswith(prefixes)] == []


def test_scripts_carry_every_word_they_may_ask_for_and_no_page_of_the_server() -> None:
    bundles = "".join(path.read_text("utf-8") for path in DIST.glob("*.js"))
    scripts = [text for path, text in USED.items() if path.suffix == ".ts"]
    literal = {key for text in scripts for key in LITERAL.findall(text)}
    prefixes = tuple(f"{key.rstrip('.')}." for text in scripts for key in PREFIX.findall(text))
    asked = [key for key in WORDS["vi"] if key in literal or key.startswith(prefixes)]
    assert len(asked) > 200
    assert [key for key in asked if f'"{key}":' not in bundles] == []
    assert '"uptime.intro.lamp":' not in bundles


def test_vietnamese_is_written_with_its_marks() -> None:
    assert [text for text in WORDS["vi"].values() if len(text) > 12 and text.isascii()] == []


def test_translator_fills_places_and_knows_its_keys() -> None:
    t = translator("vi")
    assert t("public.heading", code="TG-0042") == "Cột đèn TG-0042"
    with pytest.raises(KeyError):
        t("no.such.key")


def test_unknown_words_of_newer_peers_pass_through() -> None:
    assert word("vi", "reject", "not_json") == "không phải JSON"
    assert word("vi", "reject", "some_newer_reason") == "some_newer_reason"


@pytest.mark.parametrize(
    ("wanted", "found"), [("vi", "vi"), ("en", "en"), ("fr", None), ("", None), (None, None)]
)
def test_only_our_languages_are_chosen(wanted: str | None, found: str | None) -> None:
    assert chosen(wanted) == found
