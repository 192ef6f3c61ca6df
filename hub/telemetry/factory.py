"""From an address in the settings to a telemetry store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from hub.telemetry.port import TelemetryStore
from hub.telemetry.retention import Retention

if TYPE_CHECKING:
    from hub.telemetry.influxdb.server import InfluxAddress


class StoreAddressError(ValueError):
    """The address is none of those that `open_store` knows; the text shows them."""

    def __init__(self, url: str, fault: str) -> None:
        super().__init__(
            f"telemetry store {url!r}: {fault}; give sqlite:///path/telemetry.db or "
            "influx+http://[user:password@]host:port/database[?org=name&token_file=path]"
        )


def open_store(url: str, keep: Retention | None = None) -> TelemetryStore:
    """Open the store at `sqlite:///path` or `influx+http://…` (or `influx+https://…`).

    `keep` matters to the process that writes into an embedded store, which is made when missing;
    InfluxDB is not asked before its first use. Raises StoreAddressError, and StoreUnavailableError
    for an embedded file that cannot be opened.
    """
    address = influx_address(url)
    if address is None:
        from hub.telemetry.embedded import EmbeddedStore

        return EmbeddedStore(Path(url.removeprefix("sqlite:///")), keep)
    from hub.telemetry.influx import InfluxStore

    return InfluxStore(address)


def influx_address(url: str) -> InfluxAddress | None:
    """What a setting says of an InfluxDB; None for an embedded store. Raises StoreAddressError."""
    if url.startswith("sqlite:///"):
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("influx+http", "influx+https"):
        raise StoreAddressError(url, "unknown kind")
    database = unquote(parts.path.strip("/"))
    if not parts.hostname or not database or "/" in database:
        raise StoreAddressError(_without_password(url), "host or database is missing")
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    unknown = set(options) - {"org", "token", "token_file"}
    if unknown:
        raise StoreAddressError(_without_password(url), f"unknown option {min(unknown)!r}")
    token = options.get("token")
    if "token_file" in options:
        try:
            token = Path(options["token_file"]).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StoreAddressError(_without_password(url), str(error)) from None
    from hub.telemetry.influxdb.server import InfluxAddress

    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    scheme = parts.scheme.removeprefix("influx+")
    return InfluxAddress(
        url=f"{scheme}://{host}:{parts.port or 8086}",
        database=database,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        token=token,
        org=options.get("org"),
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":…@") if parts.password else url
