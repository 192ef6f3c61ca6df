"""The hub process's settings: one TOML file, unknown keys are errors that name key and file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class SettingsError(ValueError):
    """The file does not fit; the text names the file, the key and what is expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerSettings(_Section):
    """Where the broker is and as whom the hub speaks. The TLS files come together or not at all."""

    host: str = "127.0.0.1"
    port: int = Field(default=8883, ge=1, le=65535)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    client_id: str = Field(default="hub", min_length=1, max_length=64)
    keepalive_s: int = Field(default=30, ge=5, le=600)
    session_expiry_s: int = Field(default=86_400, ge=0, le=30 * 86_400)
    """How long the broker keeps messages for a hub that is away."""
    receive_maximum: int = Field(default=5000, ge=1, le=65_535)
    """How many messages may wait uncommitted in the hub: the broker holds the rest."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> BrokerSettings:
        files = (self.ca_file, self.cert_file, self.key_file)
        if any(files) and not all(files):
            raise ValueError("ca_file, cert_file and key_file are given together or not at all")
        if not any(files) and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"a broker at {self.host} needs ca_file, cert_file and key_file")
        return self


class IngestSettings(_Section):
    """How messages are taken in; the defaults carry a commune and a province alike."""

    linger_ms: float = Field(default=20, ge=0, le=1000)
    """At most this long a message waits for others to share its commit."""
    batch_max: int = Field(default=5000, ge=1, le=50_000)
    live_max_age_s: float = Field(default=60, ge=1, le=3600)
    """An older sample is history, whatever it calls itself: the broker may have held it."""
    command_poll_ms: int = Field(default=200, ge=20, le=10_000)
    worker: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,23})?$")
    """The name of this ingest where several share a PostgreSQL; empty: it is alone."""
    reject_keep_rows: int = Field(default=100_000, ge=100)
    """Beyond this the oldest rejects go, with their payloads; the counters keep their number."""


class HubSettings(_Section):
    """`database`: sqlite:///path or postgresql+psycopg://…; `telemetry`: sqlite:///path or influx+http://…"""

    database: str = "sqlite:///hub.db"
    telemetry: str = "sqlite:///telemetry.db"
    broker: BrokerSettings = BrokerSettings()
    ingest: IngestSettings = IngestSettings()


def load_settings(path: Path) -> HubSettings:
    """Read the file; relative paths in it are meant from its own folder. Raises SettingsError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; name the hub's settings with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    try:
        settings = HubSettings.model_validate(values)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(str(part) for part in item['loc']) or 'settings'}: {item['msg']}"
            for item in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from None
    return _resolved(settings, path.resolve().parent)


def _resolved(settings: HubSettings, base: Path) -> HubSettings:
    broker = settings.broker
    files = {
        name: base / file
        for name in ("ca_file", "cert_file", "key_file")
        if (file := getattr(broker, name)) is not None
    }
    return settings.model_copy(
        update={
            "database": _sqlite_from(settings.database, base),
            "telemetry": _sqlite_from(settings.telemetry, base),
            "broker": broker.model_copy(update=files),
        }
    )


def _sqlite_from(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    return prefix + str(base / url.removeprefix(prefix)) if url.startswith(prefix) else url
