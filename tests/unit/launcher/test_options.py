import socket
from pathlib import Path

import msgspec
import pytest

from launcher.errors import LaunchError
from launcher.manifest import Manifest
from launcher.options import Options, Settled, influx_url, settle
from launcher.ports import free_port, is_free
from tests.support.servers import require_program


@pytest.fixture(autouse=True)
def _needs_mosquitto() -> None:
    require_program("mosquitto")


def settled(data: Path, manifest: Manifest | None = None, **more: object) -> Settled:
    options = {"data": data, "port": 0, **more}
    return settle(Options(**options), manifest)  # type: ignore[arg-type]


def test_a_new_directory_gets_embedded_stores_and_the_default_scenario(tmp_path: Path) -> None:
    found = settled(tmp_path)
    assert found.manifest.scenario == "trung-giap"
    assert found.manifest.database == f"sqlite:///{tmp_path}/hub/hub.db"
    assert found.manifest.telemetry == f"sqlite:///{tmp_path}/hub/telemetry.db"
    assert found.first_login_file == tmp_path / "first-login.txt"
    assert is_free(found.web_port)
    assert not found.manifest.imported


def test_the_broker_is_found_again_on_its_port_while_that_is_free(tmp_path: Path) -> None:
    first = settled(tmp_path).manifest
    assert settled(tmp_path, first).manifest.broker_port == first.broker_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.broker_port))
        taken.listen()
        assert settled(tmp_path, first).manifest.broker_port != first.broker_port


def test_a_port_in_use_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=f"port {port} of 127.0.0.1 is in use.*--port"):
            settled(tmp_path, port=port)


def test_another_database_needs_another_directory(tmp_path: Path) -> None:
    first = settled(tmp_path, database="postgresql+psycopg://a@h/one").manifest
    assert settled(tmp_path, first).manifest.database == "postgresql+psycopg://a@h/one"
    with pytest.raises(LaunchError, match="take a new --data"):
        settled(tmp_path, first, database="postgresql+psycopg://a@h/two")


def test_influx_is_remembered(tmp_path: Path) -> None:
    first = settled(tmp_path, influx="http://127.0.0.1:8086/den").manifest
    assert settled(tmp_path, first).manifest.telemetry == "influx+http://127.0.0.1:8086/den"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8086", "influx+http://127.0.0.1:8086/ngonden"),
        ("https://u:p@h:8086/den/", "influx+https://u:p@h:8086/den"),
        ("influx+http://h:8086/den", "influx+http://h:8086/den"),
    ],
)
def test_an_influx_address_as_people_write_it(given: str, url: str) -> None:
    assert influx_url(given) == url


@pytest.mark.parametrize("given", ["127.0.0.1:8086", "udp://h:1/x", "http:///x", ""])
def test_what_is_no_influx_address_is_refused(given: str) -> None:
    with pytest.raises(LaunchError, match="http://host:8086/database"):
        influx_url(given)


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%b", "a\\b"])
def test_a_directory_name_that_breaks_an_address_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LaunchError, match="an address can't hold"):
        settled(tmp_path / name)


def test_settings_files_are_what_hub_and_web_accept(tmp_path: Path) -> None:
    from hub.api.settings import load_settings as load_web
    from hub.settings import load_settings as load_hub
    from launcher.etc_files import write_settings

    data = tmp_path / 'dữ liệu "quán"'
    data.mkdir()
    found = settled(data, first_login_file=tmp_path / "x")
    write_settings(found, commune="tram-than")
    hub = load_hub(found.hub_config)
    web = load_web(found.web_config)
    assert hub.broker.port == found.manifest.broker_port
    assert hub.database == web.database == found.manifest.database
    assert hub.telemetry == web.telemetry == found.manifest.telemetry
    assert (web.port, web.commune) == (found.web_port, "tram-than")
    assert found.hub_config.stat().st_mode & 0o777 == 0o600


def test_a_free_port_is_the_preferred_one_where_possible() -> None:
    port = free_port()
    assert free_port(port) == port


def test_manifest_is_strict() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(
            b'{"scenario":"a","database":"b","telemetry":"c","broker_port":0}', type=Manifest
        )
