"""A node's certificate and key, as files."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from edge.config import BrokerSettings
from edge.doctor.findings import Patient
from edge.doctor.identity import check_certificate
from tests.support.certificates import TestAuthority
from tests.support.nodes import NODE, node_config


def patient(folder: Path, cert: Path, key: Path, ca: Path) -> Patient:
    identity = BrokerSettings(host="127.0.0.1", ca_file=str(ca), cert_file=str(cert), key_file=str(key))
    return Patient(msgspec.structs.replace(node_config(folder), broker=identity))


def told(patient: Patient) -> dict[str, str]:
    return {finding.level: finding.found.en for finding in check_certificate(patient)}


@pytest.fixture(name="authority")
def _authority(tmp_path: Path) -> TestAuthority:
    return TestAuthority(tmp_path / "ca")


def issued(authority: TestAuthority, name: str = NODE) -> tuple[Path, Path]:
    cert, key = authority.issue(name)
    os.chmod(key, 0o600)
    return cert, key


def test_a_certificate_that_ends_soon_is_told_in_time(tmp_path: Path, authority: TestAuthority) -> None:
    found = told(patient(tmp_path, *issued(authority), authority.ca_file))
    assert set(found) == {"warning"}, "the tests' certificates live a day"
    assert found["warning"].startswith("valid until 2")


def test_another_nodes_certificate(tmp_path: Path, authority: TestAuthority) -> None:
    found = told(patient(tmp_path, *issued(authority, "tg-0099"), authority.ca_file))
    assert found["fault"] == f"it is made out to tg-0099, this node is {NODE}: the broker will refuse it"


def test_a_key_that_others_may_read(tmp_path: Path, authority: TestAuthority) -> None:
    cert, key = issued(authority)
    os.chmod(key, 0o644)
    assert "(mode 0644)" in told(patient(tmp_path, cert, key, authority.ca_file))["fault"]


def test_a_key_of_another_certificate(tmp_path: Path, authority: TestAuthority) -> None:
    cert, _ = issued(authority)
    _, key = issued(authority, "other")
    assert "do not belong together" in told(patient(tmp_path, cert, key, authority.ca_file))["fault"]


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nrubbish\n"])
def test_files_that_are_not_there_or_nothing(
    tmp_path: Path, authority: TestAuthority, content: bytes | None
) -> None:
    cert, key = issued(authority)
    cert.unlink() if content is None else cert.write_bytes(content)
    assert str(cert) in told(patient(tmp_path, cert, key, authority.ca_file))["fault"]


def test_without_an_identity_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert set(told(Patient(node_config(tmp_path)))) == {"left_out"}
