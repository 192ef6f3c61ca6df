"""Fetching a release over a bad, metered link."""

from __future__ import annotations

import ssl
from hashlib import sha256
from pathlib import Path

import pytest

from edge.config import BrokerSettings
from edge.update.download import CHUNK_BYTES, fetch
from edge.update.install import MOST_FILE_BYTES
from edge.update.names import UpdateError
from tests.support.certificates import TestAuthority
from tests.support.file_server import FileServer

CONTENT = bytes(range(256)) * 700
DIGEST = sha256(CONTENT).hexdigest()
PLAIN = BrokerSettings(host="127.0.0.1")


def get(
    server: FileServer, target: Path, *, digest: str = DIGEST, identity: BrokerSettings = PLAIN
) -> Path:
    return fetch(f"{server.url}/r", target, sha256=digest, identity=identity, bytes_per_s=1e9)


def test_a_broken_line_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    with FileServer({"r": CONTENT}) as server:
        server.breaks_after = 100_000
        with pytest.raises(ConnectionError, match="broke off after 100000 bytes"):
            get(server, tmp_path / "part")
        server.breaks_after = None
        assert get(server, tmp_path / "part").read_bytes() == CONTENT
        assert server.asked == [("/r", None), ("/r", "bytes=100000-")]
        get(server, tmp_path / "part")
        assert len(server.asked) == 2, "what is whole is not fetched again"


def test_what_is_not_the_file_is_thrown_away(tmp_path: Path) -> None:
    with FileServer({"r": b"something else"}) as server:
        with pytest.raises(UpdateError, match="thrown away"):
            get(server, tmp_path / "part")
        assert not (tmp_path / "part").exists()


def test_the_rest_of_another_file_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"x" * (len(CONTENT) + 5))
    with FileServer({"r": CONTENT}) as server:
        with pytest.raises(UpdateError, match="begins anew"):
            get(server, tmp_path / "part")
        assert get(server, tmp_path / "part").read_bytes() == CONTENT


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with FileServer({}) as server, pytest.raises(UpdateError, match="HTTP 404"):
        get(server, tmp_path / "part")


def test_a_file_that_is_too_large_is_not_begun(tmp_path: Path) -> None:
    with FileServer({"r": bytes(MOST_FILE_BYTES + 1)}) as server:
        with pytest.raises(UpdateError, match="this is no release"):
            get(server, tmp_path / "part")
        assert not (tmp_path / "part").exists()


def test_the_link_is_left_to_the_messages(tmp_path: Path) -> None:
    pauses: list[float] = []
    with FileServer({"r": CONTENT}) as server:
        fetch(
            f"{server.url}/r",
            tmp_path / "part",
            sha256=DIGEST,
            identity=PLAIN,
            bytes_per_s=CHUNK_BYTES,
            sleep=pauses.append,
        )
    # Nobody slept for real, so each pause asks for all the time that the bytes so far should have taken.
    assert len(pauses) == len(CONTENT) // CHUNK_BYTES + 1
    assert pauses[-1] == pytest.approx(len(CONTENT) / CHUNK_BYTES, abs=2)


def test_it_shows_and_wants_to_see_the_nodes_own_certificates(tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path / "ca")
    server_cert, server_key = authority.issue("hub")
    cert, key = authority.issue("tg-0001")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_cert, server_key)
    context.load_verify_locations(authority.ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    identity = BrokerSettings(
        host="127.0.0.1", ca_file=str(authority.ca_file), cert_file=str(cert), key_file=str(key)
    )
    with FileServer({"r": CONTENT}, tls=context) as server:
        assert get(server, tmp_path / "part", identity=identity).read_bytes() == CONTENT
        stranger = TestAuthority(tmp_path / "other")
        unknown = BrokerSettings(
            host="127.0.0.1", ca_file=str(stranger.ca_file), cert_file=str(cert), key_file=str(key)
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            get(server, tmp_path / "part2", identity=unknown)
