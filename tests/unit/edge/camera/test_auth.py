from pathlib import Path

import pytest

from edge.camera.asking.auth import Authority, Credentials, challenges, digest, read_password
from edge.drivers.ports import DriverError

MUFASA = Credentials("Mufasa", "Circle of Life")
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={0}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_digests_of_rfc_7616(algorithm: str, response: str) -> None:
    (challenge,) = challenges([RFC_7616.format(algorithm)])
    header = digest(challenge, MUFASA, method="GET", uri="/dir/index.html", count=1, cnonce=CNONCE)
    assert f'response="{response}"' in header
    assert "qop=auth, nc=00000001" in header
    assert 'opaque="FQhe/' in header


def test_a_digest_without_qop_is_that_of_rfc_2069() -> None:
    (challenge,) = challenges(
        ['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"']
    )
    header = digest(
        challenge,
        Credentials("Mufasa", "CircleOfLife"),
        method="GET",
        uri="/dir/index.html",
        count=1,
        cnonce="x",
    )
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in header
    assert "qop" not in header


def test_the_strongest_that_we_know_is_answered() -> None:
    asked = challenges(
        [
            'Basic realm="cam", Digest realm="cam", nonce="a", algorithm=MD5',
            'Digest realm="cam", nonce="b", algorithm=SHA-256, qop="auth"',
            'Digest realm="cam", nonce="c", algorithm=SHA-512-256, qop="auth"',
            'Digest realm="cam", nonce="d", qop="auth-int"',
        ]
    )
    assert [(one.scheme, one.nonce) for one in asked] == [("digest", "b"), ("digest", "a"), ("basic", "")]


def test_a_stale_nonce_is_renewed_and_a_second_refusal_is_not_fought() -> None:
    authority = Authority(MUFASA)
    assert authority.header("GET", "/") is None, "nothing is given away before it is asked for"
    assert authority.learn(['Digest realm="cam", nonce="one"'])
    assert not authority.learn(['Digest realm="cam", nonce="two"']), "the password is wrong"
    assert authority.learn(['Digest realm="cam", nonce="three", stale=TRUE'])
    assert 'nonce="three"' in (authority.header("GET", "/") or "")
    authority.accepted()
    assert authority.learn(['Digest realm="cam", nonce="four"']), "a new nonce for each request"


def test_without_a_password_nothing_is_answered() -> None:
    assert not Authority(None).learn(['Basic realm="cam"'])


def test_basic_is_said_as_rfc_7617_says() -> None:
    authority = Authority(Credentials("Aladdin", "open sesame"))
    authority.learn(['Basic realm="WallyWorld"'])
    assert authority.header("GET", "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_a_password_never_shows() -> None:
    assert "Circle" not in repr(MUFASA)


def test_a_password_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "camera.pass"
    path.write_text("đêm-trắng\n")
    path.chmod(0o600)
    assert read_password(str(path)) == "đêm-trắng"
    for mode in (0o640, 0o604, 0o666):
        path.chmod(mode)
        with pytest.raises(DriverError, match="chmod 600"):
            read_password(str(path))
    with pytest.raises(DriverError, match="can't be read"):
        read_password(str(tmp_path / "none"))
