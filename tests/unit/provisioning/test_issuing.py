import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning import authority as pki
from provisioning.issuing import found, issue_nodes, nodes_in_registry, revoke_node
from provisioning.layout import Identity, Layout, ProvisioningError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def certificate(files: Identity) -> x509.Certificate:
    return pki.load_certificate(files)


def common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_everything_under_the_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    found(data, now=NOW)
    issue_nodes(data, [("tram-than", "TG-0001")], now=NOW)
    for path in [data, *data.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_second_founding_keeps_every_key_and_certificate(tmp_path: Path) -> None:
    first = found(tmp_path, now=NOW)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    second = found(tmp_path, now=NOW + timedelta(days=30))
    assert (first.authority, first.broker, first.hub, first.revocations) == ("made",) * 4
    assert (second.authority, second.broker, second.hub, second.revocations) == ("kept",) * 4
    assert not second.config_changed
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_founding_that_was_cut_off_goes_on_with_the_key_it_left(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    layout = Layout(tmp_path.resolve())
    key = layout.authority.key.read_bytes()
    layout.authority.certificate.unlink()
    found(tmp_path, now=NOW)
    assert layout.authority.key.read_bytes() == key
    assert certificate(layout.authority).public_key() == pki.load_key(layout.authority).public_key()


def test_an_authority_whose_key_was_exchanged_is_refused_not_replaced(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    layout = Layout(tmp_path.resolve())
    layout.authority.key.write_bytes(pki.key_pem(pki.new_key()))
    with pytest.raises(ProvisioningError, match="do not belong together"):
        found(tmp_path, now=NOW)


def test_the_broker_is_renewed_in_time_and_keeps_its_key(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    layout = Layout(tmp_path.resolve())
    key = layout.broker_identity.key.read_bytes()
    later = NOW + pki.CERTIFICATE_LIFE - timedelta(days=100)
    assert found(tmp_path, now=later).broker == "renewed"
    assert certificate(layout.broker_identity).not_valid_after_utc > later + timedelta(days=1000)
    assert layout.broker_identity.key.read_bytes() == key


def test_a_node_certificate_names_the_node_and_serves_clients_only(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    issue_nodes(tmp_path, [("tram-than", "TG-0042")], now=NOW)
    node = certificate(Layout(tmp_path.resolve()).node_identity("TG-0042"))
    assert common_name(node) == "tg-0042"
    usage = node.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not node.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    node.verify_directly_issued_by(certificate(Layout(tmp_path.resolve()).authority))


def test_certificates_hold_for_a_pi_that_woke_up_in_1970(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    layout = Layout(tmp_path.resolve())
    for files in (layout.authority, layout.broker_identity):
        assert certificate(files).not_valid_before_utc == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["hub", "HUB", "broker", "ca", "tg/0001", "+", "#", "", "cột-1", "a" * 64])
def test_names_that_would_take_other_rights_or_break_a_topic_are_refused(tmp_path: Path, name: str) -> None:
    found(tmp_path, now=NOW)
    with pytest.raises(ProvisioningError, match="node name"):
        issue_nodes(tmp_path, [("tram-than", name)], now=NOW)


def test_a_node_without_an_authority_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ProvisioningError, match="ngonden provision init"):
        issue_nodes(tmp_path, [("tram-than", "tg-0001")], now=NOW)


def test_a_registry_gives_each_node_once_and_names_the_line_that_is_wrong(tmp_path: Path) -> None:
    registry = tmp_path / "registry.csv"
    registry.write_text(
        "code,commune_code,node\nTG-0001,tram-than,tu-1\nTG-0002,tram-than,tu-1\nTG-0003,tram-than,\n",
        encoding="utf-8-sig",
    )
    assert nodes_in_registry(registry) == [("tram-than", "tu-1"), ("tram-than", "tg-0003")]
    registry.write_text("code,commune_code,node\nTG-0001,tram-than,hub\n", encoding="utf-8")
    with pytest.raises(ProvisioningError, match="row 2: node name 'hub' is reserved"):
        nodes_in_registry(registry)


def test_revoking_keeps_earlier_revocations_and_frees_the_name(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    issue_nodes(tmp_path, [("tram-than", "tg-0001"), ("tram-than", "tg-0002")], now=NOW)
    serials = {revoke_node(tmp_path, "tg-0001", now=NOW), revoke_node(tmp_path, "TG-0002", now=NOW)}
    layout = Layout(tmp_path.resolve())
    revocations = pki.load_revocations(layout)
    assert revocations is not None
    assert {entry.serial_number for entry in revocations} == serials
    assert [one.outcome for one in issue_nodes(tmp_path, [("tram-than", "tg-0001")], now=NOW)] == ["made"]
    assert certificate(layout.node_identity("tg-0001")).serial_number not in serials


def test_a_node_file_with_poles_in_it_is_kept(tmp_path: Path) -> None:
    found(tmp_path, now=NOW)
    issue_nodes(tmp_path, [("tram-than", "tg-0001")], now=NOW)
    config = Layout(tmp_path.resolve()).node_config("tg-0001")
    config.write_text(config.read_text() + '\n[[poles]]\ncode = "TG-0001"\n')
    before = config.read_text()
    issue_nodes(tmp_path, [("tram-than", "tg-0001")], now=NOW, port=9999)
    assert config.read_text() == before
