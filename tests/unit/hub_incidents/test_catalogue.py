"""The catalogue is whole, and the document says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from hub.api.words import TITLES
from hub.incidents.catalogue import CATALOGUE, COMMON_PARAMS, DEFAULT_RULES, TOLD_KINDS, Kind, known_kinds
from hub.incidents.model import LAMP_FAILURE
from hub.incidents.rulebook import RuleBook, RuleRow

DOCUMENT = (Path(__file__).parents[3] / "docs" / "incidents.md").read_text(encoding="utf-8")
HEAD = (
    "| Kind | TALQ event | Whose | Judged | Hold-off, clear-after | Parameters | Severity | Explained by |\n"
    "|---|---|---|---|---|---|---|---|"
)


def own_params(kind: Kind) -> str:
    own = [
        f"`{name}` {value:g}"
        for name, value in kind.rule.params.items()
        if COMMON_PARAMS.get(name) != value
    ]
    return ", ".join(own)


def row(kind: Kind) -> str:
    rule = kind.rule
    by_hub = bool(rule.hold_off_s or rule.clear_after_s) or not kind.told
    cells = (
        f"`{kind.name}`",
        kind.talq or "ours",
        kind.whose,
        "told" if kind.told else "hub",
        f"{rule.hold_off_s:g} s, {rule.clear_after_s:g} s" if by_hub else "—",
        own_params(kind),
        rule.severity,
        ", ".join(f"`{name}`" for name in kind.explained_by),
    )
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def part(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*)\n<!-- /{name} -->", DOCUMENT, re.DOTALL)
    assert found is not None, name
    return found[1]


def test_the_document_has_the_catalogue() -> None:
    assert part("catalogue") == "\n".join([HEAD, *(row(kind) for kind in CATALOGUE.values())])


def test_the_document_has_the_common_parameters() -> None:
    rows = [f"| `{name}` | {value:g} |" for name, value in COMMON_PARAMS.items()]
    assert part("common") == "\n".join(["| Parameter | Default |", "|---|---|", *rows])


def test_every_kind_has_a_title_in_both_languages_and_its_rule() -> None:
    assert set(known_kinds()) == set(CATALOGUE) == set(DEFAULT_RULES)
    assert set(CATALOGUE) <= set(TITLES)
    assert set(CATALOGUE) >= TOLD_KINDS


def test_what_explains_is_itself_a_kind_and_nothing_explains_itself_round_about() -> None:
    def causes(name: str, seen: frozenset[str]) -> None:
        for cause in CATALOGUE[name].explained_by:
            assert cause not in seen, (name, cause)
            causes(cause, seen | {cause})

    for name in CATALOGUE:
        causes(name, frozenset({name}))


def test_a_commune_changes_only_what_its_row_says() -> None:
    book = RuleBook(
        [
            RuleRow("", LAMP_FAILURE, 90, 30, {"fail_share": 0.1}),
            RuleRow("tram-than", LAMP_FAILURE, 120, 30, {"clear_share": 0.5}, "critical"),
            RuleRow("", "a_kind_of_tomorrow", 1, 1, {}),
        ]
    )
    here, elsewhere = book.of(LAMP_FAILURE, "tram-than"), book.of(LAMP_FAILURE, "xa-khac")
    assert (here.hold_off_s, here.severity, here.params["clear_share"]) == (120, "critical", 0.5)
    assert here.params["fail_share"] == elsewhere.params["fail_share"] == 0.1
    assert (elsewhere.hold_off_s, elsewhere.severity, elsewhere.params["clear_share"]) == (90, "major", 0.3)
    assert book.limits("tram-than").fail_share == 0.1
    assert book.word(LAMP_FAILURE, "tram-than").hold_off_s == 0
    assert book.word("communication_failure").hold_off_s == 3  # nobody's word: it keeps its times
