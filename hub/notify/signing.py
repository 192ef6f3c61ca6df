"""Signatures of webhooks as in Standard Webhooks, and the secrets they are made with.

A secret is derived from the hub's webhook key (a file of mode 0600) and a nonce in the database: the database
and its backups hold no secret. https://github.com/standard-webhooks/standard-webhooks is the scheme's text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

PREFIX = "whsec_"
TOLERANCE_S = 300
"""How far a timestamp may be off before a receiver should refuse it."""


class WebhookKeyError(ValueError):
    """There is no usable webhook key; the text says what to do."""


def load_key(path: Path | None) -> bytes:
    """The hub's webhook key; raises WebhookKeyError."""
    if path is None:
        raise WebhookKeyError("webhook_key_file is not set")
    try:
        mode, key = path.stat().st_mode, path.read_bytes().strip()
    except OSError as error:
        raise WebhookKeyError(f"{path}: {error.strerror}") from None
    if mode & 0o077:
        raise WebhookKeyError(f"{path} can be read by others: chmod 600 it")
    if len(key) < 32:
        raise WebhookKeyError(f"{path} is too short: write 32 random bytes as hex into it")
    return key


def new_nonce() -> str:
    """What names a new secret."""
    return secrets.token_hex(16)


def secret(key: bytes, webhook_id: int, nonce: str) -> str:
    """The secret to hand to the receiver: `whsec_` and 32 bytes in base64."""
    derived = hmac.new(key, f"webhook:{webhook_id}:{nonce}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(derived).decode()


def sign(secret_text: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature: `v1,` and the HMAC-SHA256 of id, timestamp and body in base64."""
    key = base64.b64decode(secret_text.removeprefix(PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def headers(secret_texts: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; while a secret is being replaced, both sign."""
    signatures = " ".join(sign(one, message_id, timestamp, body) for one in secret_texts)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures,
    }


def verify(secret_text: str, given: dict[str, str], body: bytes, *, now_s: float) -> bool:
    """What a receiver does: the signature fits, and the timestamp is not more than five minutes off."""
    try:
        timestamp = int(given["webhook-timestamp"])
    except (KeyError, ValueError):
        return False
    if abs(now_s - timestamp) > TOLERANCE_S:
        return False
    wanted = sign(secret_text, given.get("webhook-id", ""), timestamp, body)
    return any(hmac.compare_digest(wanted, one) for one in given.get("webhook-signature", "").split(" "))
