"""Basic and digest authentication as cameras ask for it, over RTSP and HTTP alike (RFC 7617, RFC 7616).

requests and httpx hold their own inside their clients, for HTTP only; urllib's knows no SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import stat
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from edge.drivers.ports import DriverError

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Digest)(?:\s+|$)", re.IGNORECASE)
_HASHES = {"SHA-256": "sha256", "MD5": "md5"}
_PASSWORD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """A camera's user and password. The password is never printed."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for."""

    scheme: str
    """`basic` or `digest`."""
    realm: str
    nonce: str = ""
    opaque: str | None = None
    algorithm: str | None = None
    """As written; None where the camera names none, which means MD5."""
    qop_auth: bool = False
    stale: bool = False


def read_password(path: str) -> str:
    """The password in a file that only its owner may read.

    Raises DriverError where it can't be read, or where group or others could.
    """
    try:
        with Path(path).open("rb") as file:
            mode = stat.S_IMODE(Path(path).stat().st_mode)
            if mode & 0o077:
                raise DriverError(
                    f"password file {path} has mode {mode:04o}: others may read it; chmod 600 it"
                )
            return file.read(_PASSWORD_BYTES).decode().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DriverError(f"password file {path} can't be read: {error}") from None


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """What WWW-Authenticate headers ask for, the strongest first; what we can't answer is left out."""
    found = []
    for header in headers:
        marks = list(_SCHEME.finditer(header))
        for number, mark in enumerate(marks):
            end = marks[number + 1].start() if number + 1 < len(marks) else len(header)
            challenge = _challenge(mark[1].lower(), header[mark.end() : end])
            if challenge is not None:
                found.append(challenge)
    return sorted(found, key=_strength)


def _challenge(scheme: str, text: str) -> Challenge | None:
    values = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PARAMETER.finditer(text)}
    if scheme == "basic":
        return Challenge("basic", values.get("realm", ""))
    qops = [word.strip().lower() for word in values.get("qop", "").split(",") if word.strip()]
    algorithm = values.get("algorithm")
    if "nonce" not in values or (algorithm or "MD5").upper() not in _HASHES:
        return None
    if qops and "auth" not in qops:
        return None
    return Challenge(
        "digest",
        values.get("realm", ""),
        values["nonce"],
        values.get("opaque"),
        algorithm,
        bool(qops),
        values.get("stale", "").lower() == "true",
    )


def _strength(challenge: Challenge) -> int:
    if challenge.scheme == "basic":
        return 2
    return 0 if (challenge.algorithm or "").upper() == "SHA-256" else 1


class Authority:
    """Answers one camera's challenges over one conversation, counting its uses of a nonce."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._challenge: Challenge | None = None
        self._uses = 0
        self._accepted = False

    def accepted(self) -> None:
        """The camera took a request: the password is right, whatever nonce it asks for next."""
        self._accepted = True

    def learn(self, headers: Iterable[str]) -> bool:
        """Take in a 401. False: no use asking again, the password is wrong or we can't answer."""
        asked = challenges(headers)
        if self._credentials is None or not asked:
            return False
        stale = self._accepted or any(one.stale for one in asked)
        wrong = self._challenge is not None and not stale
        self._challenge, self._uses, self._accepted = asked[0], 0, False
        return not wrong

    def header(self, method: str, uri: str, *, cnonce: str | None = None) -> str | None:
        """The Authorization header for a request; None before the first challenge."""
        challenge, credentials = self._challenge, self._credentials
        if challenge is None or credentials is None:
            return None
        if challenge.scheme == "basic":
            return "Basic " + b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        self._uses += 1
        return digest(
            challenge, credentials, method=method, uri=uri, count=self._uses, cnonce=cnonce or token_hex(8)
        )


def digest(
    challenge: Challenge, credentials: Credentials, *, method: str, uri: str, count: int, cnonce: str
) -> str:
    """The digest header of RFC 7616, section 3.4; with `qop=auth` where offered, else as RFC 2069."""
    name = _HASHES[(challenge.algorithm or "MD5").upper()]

    def hashed(text: str) -> str:
        # MD5 is what the camera asks for; the password travels no other way on this connection.
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    secret = hashed(f"{credentials.user}:{challenge.realm}:{credentials.password}")
    request = hashed(f"{method}:{uri}")
    parts = {"username": credentials.user, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
    plain = {}
    if challenge.qop_auth:
        parts["response"] = hashed(f"{secret}:{challenge.nonce}:{count:08x}:{cnonce}:auth:{request}")
        parts["cnonce"] = cnonce
        plain = {"qop": "auth", "nc": f"{count:08x}"}
    else:
        parts["response"] = hashed(f"{secret}:{challenge.nonce}:{request}")
    if challenge.opaque is not None:
        parts["opaque"] = challenge.opaque
    if challenge.algorithm is not None:
        plain["algorithm"] = challenge.algorithm
    written = [f'{key}="{value}"' for key, value in parts.items()]
    written += [f"{key}={value}" for key, value in plain.items()]
    return "Digest " + ", ".join(written)
