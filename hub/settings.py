"""The hub process's settings: one TOML file, unknown keys are errors that name key and file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.telemetry.retention import Retention


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
    commands_per_s: float = Field(default=200, ge=1, le=2000)
    """How fast commands go out: what is asked for a whole province leaves room for its samples."""
    disk_reserve_mb: int = Field(default=64, ge=1, le=100_000)
    """With less room on the disk of an SQLite database nothing is taken in: the outbox needs it to drain."""
    worker: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,23})?$")
    """The name of this ingest where several share a PostgreSQL; empty: it is alone."""
    reject_keep_rows: int = Field(default=100_000, ge=100)
    """Beyond this the oldest rejects go, with their payloads; the counters keep their number."""


class RetentionSettings(_Section):
    """For how many days the telemetry store keeps samples, their 1-minute and their 1-hour means."""

    raw_days: int = Field(default=35, ge=2)
    minute_days: int = Field(default=400, ge=2)
    """Only in the embedded store: InfluxDB makes hours out of samples."""
    hour_days: int = Field(default=3660, ge=2)

    @model_validator(mode="after")
    def _coarser_reaches_further(self) -> RetentionSettings:
        if not self.raw_days <= self.minute_days <= self.hour_days:
            raise ValueError("raw_days ≤ minute_days ≤ hour_days must hold")
        return self

    def retention(self) -> Retention:
        """The same, as a store takes it."""
        return Retention(**self.model_dump())


class NotifySettings(_Section):
    """How people and other programs are told of incidents; without a channels file nobody is."""

    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$", max_length=200)
    """Where the pages are, for the links in messages."""
    channels_file: Path | None = None
    """TOML file with the channels' addresses; they hold passwords, so its mode is 0600."""
    webhook_key_file: Path | None = None
    webhook_allow_private: bool = False
    """Whether a webhook may lead into one's own network, and by http."""
    webhook_disable_after_h: int = Field(default=72, ge=1, le=720)
    poll_ms: int = Field(default=1000, ge=50, le=60_000)
    gather_s: float = Field(default=15, ge=0, le=600)
    """How long an opening waits for others of the same storm; what is critical does not."""
    storm_over: int = Field(default=10, ge=1, le=1000)
    tries_max: int = Field(default=8, ge=1, le=50)
    timeout_s: float = Field(default=20, ge=0.1, le=60)
    keep_days: int = Field(default=180, ge=7, le=3650)


class HubSettings(_Section):
    """`database`: sqlite:///path or postgresql+psycopg://…; `telemetry`: sqlite:///path or influx+http://…"""

    database: str = "sqlite:///hub.db"
    telemetry: str = "sqlite:///telemetry.db"
    broker: BrokerSettings = BrokerSettings()
    ingest: IngestSettings = IngestSettings()
    retention: RetentionSettings = RetentionSettings()
    notify: NotifySettings = NotifySettings()


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
    broker, notify = settings.broker, settings.notify
    return settings.model_copy(
        update={
            "database": _sqlite_from(settings.database, base),
            "telemetry": _sqlite_from(settings.telemetry, base),
            "broker": broker.model_copy(
                update=_files_from(broker, ("ca_file", "cert_file", "key_file"), base)
            ),
            "notify": notify.model_copy(
                update=_files_from(notify, ("channels_file", "webhook_key_file"), base)
            ),
        }
    )


def _files_from(section: _Section, names: tuple[str, ...], base: Path) -> dict[str, Path]:
    return {name: base / file for name in names if (file := getattr(section, name)) is not None}


def _sqlite_from(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    return prefix + str(base / url.removeprefix(prefix)) if url.startswith(prefix) else url
