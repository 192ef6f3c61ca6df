"""A hub's settings file for tests that start one of its processes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine


def write_hub_config(folder: Path, engine: Engine, *, telemetry: Path | None = None) -> Path:
    """`hub.toml` in `folder`, with the engine's database; telemetry is a file there, or in the folder given."""
    file = folder / "hub.toml"
    database = engine.url.render_as_string(hide_password=False)
    store = f"sqlite:///{telemetry or folder}/telemetry.db"
    file.write_text(f'database = "{database}"\ntelemetry = "{store}"\n')
    return file
