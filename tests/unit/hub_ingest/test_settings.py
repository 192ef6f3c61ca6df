"""The hub's settings file: what is wrong in it is named with key and file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings import HubSettings, SettingsError, load_settings
from hub.telemetry.factory import StoreAddressError, open_store


def write(folder: Path, text: str) -> Path:
    path = folder / "hub.toml"
    path.write_text(text)
    return path


def test_paths_are_meant_from_the_files_own_folder(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'database = "sqlite:///data/hub.db"\n[broker]\nport = 8883\n'
        'ca_file = "ca.pem"\ncert_file = "/etc/hub.pem"\nkey_file = "hub.key"\n',
    )
    settings = load_settings(path)
    assert settings.database == f"sqlite:///{tmp_path}/data/hub.db"
    assert settings.telemetry == f"sqlite:///{tmp_path}/telemetry.db"
    assert settings.broker.ca_file == tmp_path / "ca.pem"
    assert settings.broker.cert_file == Path("/etc/hub.pem")


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "")).broker == HubSettings().broker


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("databse = 'x'", "databse"),
        ("[broker]\nprot = 1", "broker.prot"),
        ("[broker]\nport = 99999", "broker.port"),
        ("[ingest]\nlinger_ms = -1", "ingest.linger_ms"),
        ("[broker]\nca_file = 'a'", "together or not at all"),
        ("[broker]\nhost = '10.0.0.1'", "needs ca_file"),
        ("database = ", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError, match=named) as caught:
        load_settings(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "hub.toml")


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgres://x", "unknown kind"),
        ("influx+http://host", "database is missing"),
        ("influx+http:///db", "host or database"),
        ("influx+http://host/db?orgg=1", "orgg"),
        ("influx+http://host/db?token_file=/no/such/file", "No such file"),
    ],
)
def test_a_telemetry_address_that_fits_nothing_is_refused(url: str, named: str) -> None:
    with pytest.raises(StoreAddressError, match=named):
        open_store(url)


def test_a_refused_address_does_not_tell_the_password() -> None:
    with pytest.raises(StoreAddressError) as caught:
        open_store("influx+http://an:geheim@host")
    assert "geheim" not in str(caught.value)
