"""The web process's settings: one TOML file, every key here, an unknown key is an error."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(ValueError):
    """A settings file that can't be used; the text names the file, the key and what was expected."""


class WebSettings(BaseModel):
    """Settings of `ngonden web`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: str
    """SQLAlchemy address of the hub's database: `sqlite:////path/hub.db` or `postgresql+psycopg://…`."""

    telemetry: str
    """Address of the telemetry store: `sqlite:////path/telemetry.db` or `influx+http://host:port/database`."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes a free one."""

    base_url: str | None = None
    """The address people type, such as `https://den.example.vn`; absent, the request's own is trusted.

    With https the session cookie is marked Secure.
    """

    commune: str | None = None
    """Code of the commune whose summary `/api/v1/summary` shows; absent, the first registered."""

    events_poll_ms: Annotated[int, Field(ge=20, le=10_000)] = 500
    """How often the event stream looks for news in the database, in milliseconds."""

    webhook_key_file: Path | None = None
    """File of the key from which webhooks' secrets are derived, mode 0600; `[notify]` names the same."""

    metrics_token_file: Path | None = None
    """File with the token that `/metrics` asks for, mode 0600; absent, only this machine itself may read it."""

    backup_folder: Path | None = None
    """Folder that `ngonden hub backup` writes to: `/metrics` then tells how old the newest backup is."""

    ingest_silent_s: Annotated[int, Field(ge=5, le=3600)] = 60
    """`/readyz` says not ready when the hub process has not been heard of for so many seconds; the notifier
    counts as down by the same measure."""


def load_settings(path: Path) -> WebSettings:
    """Read a settings file; raises SettingsError."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None
    try:
        settings = WebSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: `{key}`: {first['msg']}") from None
    base = path.resolve().parent
    files = {
        name: base / file
        for name in ("webhook_key_file", "metrics_token_file", "backup_folder")
        if (file := getattr(settings, name)) is not None
    }
    return settings.model_copy(update=files)
