"""What `ngonden up` was asked to do, and what follows from it and the data directory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from launcher.errors import LaunchError
from launcher.manifest import Manifest, check_scenario
from launcher.ports import free_port, is_free
from simulators.scenario import DEFAULT_SCENARIO

DEFAULT_PORT = 8080
DEFAULT_INFLUX_DATABASE = "ngonden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line of `ngonden up`. None: what the data directory remembers, or the default."""

    data: Path
    port: int = DEFAULT_PORT
    scenario: str | None = None
    first_login_file: Path | None = None
    influx: str | None = None
    database: str | None = None
    sample_interval_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Everything decided before the first process starts."""

    data: Path
    web_port: int
    first_login_file: Path
    sample_interval_s: float | None
    mosquitto: str
    manifest: Manifest

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def hub_config(self) -> Path:
        """The hub's settings file."""
        return self.data / "etc" / "hub.toml"

    @property
    def webhook_key(self) -> Path:
        """The key behind webhooks' secrets."""
        return self.data / "etc" / "webhook.key"

    @property
    def channels(self) -> Path:
        """The channels' file, where somebody has written one."""
        return self.data / "etc" / "channels.toml"

    @property
    def web_config(self) -> Path:
        """The web server's settings file."""
        return self.data / "etc" / "web.toml"


def settle(options: Options, manifest: Manifest | None) -> Settled:
    """Decide ports, stores and scenario; raises LaunchError with what to do about a conflict.

    `options.data` is an absolute path. A port of 0 takes a free one.
    """
    data = options.data
    if found := sorted(set(str(data)) & set("?#%\r\n\\")):
        raise LaunchError(f"--data {str(data)!r} has {found[0]!r} in its name, which an address can't hold")
    if options.port and not is_free(options.port):
        raise LaunchError(
            f"port {options.port} of 127.0.0.1 is in use: stop what listens there, or give another --port"
        )
    scenario = check_scenario(manifest, options.scenario, data=data, default=DEFAULT_SCENARIO)
    return Settled(
        data=data,
        web_port=options.port or free_port(),
        first_login_file=options.first_login_file or data / "first-login.txt",
        sample_interval_s=options.sample_interval_s,
        mosquitto=find_mosquitto(),
        manifest=Manifest(
            scenario=scenario,
            database=_database(options, manifest),
            telemetry=_telemetry(options, manifest),
            broker_port=free_port(manifest.broker_port if manifest else None),
            imported=manifest is not None and manifest.imported,
        ),
    )


def find_mosquitto() -> str:
    """The broker's program; Debian keeps it where a user's PATH does not look. Raises LaunchError."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise LaunchError(
            "mosquitto, the MQTT broker, is not installed. Run: "
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends mosquitto"
        )
    return found


def _database(options: Options, manifest: Manifest | None) -> str:
    if manifest is None:
        return options.database or f"sqlite:///{options.data}/hub/hub.db"
    if options.database is not None and options.database != manifest.database:
        raise LaunchError(
            f"{options.data} keeps its registry and money in another database than the one given: "
            "leave --database out, or take a new --data"
        )
    return manifest.database


def _telemetry(options: Options, manifest: Manifest | None) -> str:
    if options.influx is not None:
        return influx_url(options.influx)
    return manifest.telemetry if manifest else f"sqlite:///{options.data}/hub/telemetry.db"


def influx_url(given: str) -> str:
    """The hub's address for an InfluxDB given as `http://[user:pass@]host:port[/database]`.

    Raises LaunchError when it is not such an address.
    """
    parts = urlsplit(given.removeprefix("influx+"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LaunchError(f"--influx {given!r}: give http://host:8086/database")
    database = parts.path.strip("/") or DEFAULT_INFLUX_DATABASE
    return f"influx+{parts.scheme}://{parts.netloc}/{database}"
