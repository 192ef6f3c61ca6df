"""Tokens and passwords, and the hashes of them that may be stored."""

from __future__ import annotations

import hashlib
import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
"""argon2id with the library's parameters, which are those of RFC 9106 for memory-constrained machines."""


_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MB for a moment: a crowd at the door must not take the machine's memory."""


def new_token() -> str:
    """256 random bits as text that fits a cookie and an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. SHA-256 is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def password_hash(password: str) -> str:
    """What is stored of a password."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def password_matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; as slow where there is none, so that timing names no user."""
    try:
        with _AT_ONCE:
            _HASHER.verify(stored or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(new_token())
