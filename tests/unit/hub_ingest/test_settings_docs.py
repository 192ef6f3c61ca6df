"""docs/hub-settings.md lists every setting of the hub with its true default, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from hub.settings import (
    BrokerSettings,
    HubSettings,
    IngestSettings,
    NotifySettings,
    RetentionSettings,
)

DOCS = Path(__file__).parents[3] / "docs" / "hub-settings.md"
ROW = re.compile(r"^\| `(\w+)` \| (?:`([^`]*)`|\(none\)) \|", re.MULTILINE)


def _defaults(model: type[BaseModel]) -> dict[str, str]:
    return {
        name: "" if field.default is None else _written(field.default)
        for name, field in model.model_fields.items()
        if not isinstance(field.default, BaseModel)
    }


def _written(default: object) -> str:
    """As TOML writes it."""
    return str(default).lower() if isinstance(default, bool) else str(default).removesuffix(".0")


def test_every_setting_is_documented_with_its_default() -> None:
    sections = re.split(r"^## `\[\w+\]`$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = [dict(ROW.findall(section)) for section in sections]
    models: list[type[BaseModel]] = [
        HubSettings,
        BrokerSettings,
        IngestSettings,
        RetentionSettings,
        NotifySettings,
    ]
    assert documented == [_defaults(model) for model in models]
