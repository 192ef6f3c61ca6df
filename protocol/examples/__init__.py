"""Golden messages: what both sides must read, and write again without loss.

A file `<kind>-<what it shows>.json` is one message. The AsyncAPI document carries them as its examples.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from protocol.topics import Kind


def golden() -> dict[str, tuple[Kind, dict[str, Any]]]:
    """All golden messages: name → (topic kind, the message as plain JSON values)."""
    found: dict[str, tuple[Kind, dict[str, Any]]] = {}
    for entry in sorted(files(__name__).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json"):
            name = entry.name.removesuffix(".json")
            found[name] = (Kind(name.split("-")[0]), json.loads(entry.read_text(encoding="utf-8")))
    return found
