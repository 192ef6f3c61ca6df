"""The web process's settings: known keys only, each one explained in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.api.settings import SettingsError, WebSettings, load_settings

DOCS = Path(__file__).parents[3] / "docs"
NEEDED = 'database = "sqlite:////srv/hub.db"\ntelemetry = "sqlite:////srv/telemetry.db"\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "web.toml"
    path.write_text(text, "utf-8")
    return path


def test_two_settings_are_enough(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, NEEDED))
    assert (settings.host, settings.port, settings.events_poll_ms) == ("127.0.0.1", 8080, 500)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NEEDED + "colour = 1\n", "`colour`"),
        (NEEDED + "port = 70000\n", "`port`"),
        ('telemetry = "x"\n', "`database`"),
        ("port =", "is not TOML"),
    ],
)
def test_a_wrong_setting_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as refusal:
        load_settings(path)
    assert str(path) in str(refusal.value)
    assert says in str(refusal.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings(tmp_path / "none.toml")


def test_every_setting_is_in_the_docs() -> None:
    text = (DOCS / "web-settings.md").read_text("utf-8")
    assert [name for name in WebSettings.model_fields if f"`{name}`" not in text] == []
