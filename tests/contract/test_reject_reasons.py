"""Every reason for which a message is kept aside is explained: in the contract, and in people's words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from protocol.codec import Reason

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


def _in_the_contract() -> set[str]:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    table = text.split("## What is refused, and how")[1].split("\n## ")[0]
    return {reason for row in ROW.findall(table) for reason in re.findall(r"\w+", row)}


def _in_peoples_words(language: str) -> set[str]:
    words = json.loads((ROOT / "dashboards/web/i18n" / f"{language}.json").read_text(encoding="utf-8"))
    return {key.removeprefix("reject.") for key in words if key.startswith("reject.")}


def _in_the_code() -> set[str]:
    """Each word that a refusal of the ingest is called with, and what `apply_receipt` answers."""
    refusal = re.compile(r"(?:refuse\w*\([^()]*?|rejected\([^()]*?|reason=)\"([a-z]+_[a-z_]+)\"", re.DOTALL)
    found = {
        word for path in (ROOT / "hub/ingest").rglob("*.py") for word in refusal.findall(path.read_text())
    }
    delivery = (ROOT / "hub/commands/delivery.py").read_text(encoding="utf-8")
    return found | set(re.findall(r"return \"(\w+_command)\"", delivery))


def test_contract_and_pages_explain_the_same_reasons() -> None:
    assert _in_the_contract() == _in_peoples_words("vi") == _in_peoples_words("en")


def test_no_reason_of_the_code_is_left_unexplained() -> None:
    named = _in_the_code() | set(get_args(Reason))
    assert {"unknown_node", "nul_character", "unknown_command", "hub_error"} <= named
    assert named <= _in_the_contract()
