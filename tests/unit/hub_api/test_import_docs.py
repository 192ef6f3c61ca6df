"""The columns that imports know are the columns that the docs explain."""

from __future__ import annotations

from pathlib import Path

from hub.funding import importing as funding
from hub.registry import rows as registry

DOC = Path(__file__).parents[3] / "docs" / "registry-import.md"


def test_every_column_and_word_is_in_the_docs() -> None:
    text = DOC.read_text("utf-8")
    for columns in (registry.COLUMNS, funding.COLUMNS):
        for name, aliases in columns.items():
            assert f"`{name}`" in text, name
            assert aliases[0] in text, (name, aliases[0])
    for kind in {*funding.KINDS.values(), *funding.CONTRIBUTORS.values()}:
        assert f"`{kind}`" in text, kind
