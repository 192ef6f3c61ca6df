"""Webhooks: signatures as in Standard Webhooks, and addresses that may be asked."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from hub.notify import signing
from hub.notify.transports.guard import UnsafeAddressError, parse, pinned
from hub.notify.transports.webhook import WebhookPoster

KEY = b"k" * 32


def test_a_signature_is_the_hmac_of_id_time_and_body() -> None:
    """The example of the scheme's own reference implementations."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert signing.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_receiver_can_verify_with_the_standard_library_alone() -> None:
    secret = signing.secret(KEY, 7, "nonce")
    sent = signing.headers([secret], "ngonden-1", 1000, b"{}")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, b"ngonden-1.1000.{}", hashlib.sha256).digest()).decode()
    assert sent["webhook-signature"] == f"v1,{wanted}"


def test_both_secrets_sign_while_one_is_replaced() -> None:
    old, new = signing.secret(KEY, 7, "a"), signing.secret(KEY, 7, "b")
    assert old != new
    sent = signing.headers([new, old], "m", 1000, b"{}")
    for one in (old, new):
        assert signing.verify(one, sent, b"{}", now_s=1000)
    assert not signing.verify(signing.secret(KEY, 8, "a"), sent, b"{}", now_s=1000)


@pytest.mark.parametrize(("body", "now_s"), [(b"{ }", 1000), (b"{}", 1301), (b"{}", 699)])
def test_what_was_changed_or_is_old_is_refused(body: bytes, now_s: float) -> None:
    secret = signing.secret(KEY, 7, "a")
    assert not signing.verify(secret, signing.headers([secret], "m", 1000, b"{}"), body, now_s=now_s)
    assert not signing.verify(secret, {}, b"{}", now_s=1000)


def test_the_webhook_key_is_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "webhook.key"
    with pytest.raises(signing.WebhookKeyError, match="not set"):
        signing.load_key(None)
    with pytest.raises(signing.WebhookKeyError, match="No such file"):
        signing.load_key(path)
    path.write_text("a" * 64 + "\n")
    path.chmod(0o644)
    with pytest.raises(signing.WebhookKeyError, match="chmod 600"):
        signing.load_key(path)
    path.chmod(0o600)
    assert signing.load_key(path) == b"a" * 64
    path.write_text("short")
    with pytest.raises(signing.WebhookKeyError, match="too short"):
        signing.load_key(path)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.vn/hook",
        "ftp://example.vn/",
        "https://",
        "https://nguoi:mat-khau@example.vn/",
        "https://example.vn/#x",
        "https://example.vn:99999/",
        "https://localhost/",
        "https://hub.local/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[fc00::1]/",
        "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:0a00:0001::]/",
    ],
)
def test_addresses_that_may_not_be_asked_are_refused(url: str) -> None:
    with pytest.raises(UnsafeAddressError) as refusal:
        parse(url, allow_private=False)
    assert refusal.value.detail_vi
    assert "mat-khau" not in str(refusal.value)


def test_a_public_address_is_taken_apart() -> None:
    found = parse("https://example.vn:8443/hook?a=1", allow_private=False)
    assert (found.host, found.port, found.target) == ("example.vn", 8443, "/hook?a=1")
    assert parse("http://127.0.0.1:9/", allow_private=True).port == 9


def test_a_name_that_leads_into_the_own_network_is_refused_when_it_is_asked() -> None:
    endpoint = parse("https://example.vn/", allow_private=False)
    with pytest.raises(UnsafeAddressError):
        pinned(endpoint, allow_private=False, resolve=lambda *_: ["203.0.114.5", "10.0.0.1"])
    found = pinned(endpoint, allow_private=False, resolve=lambda *_: ["203.0.114.5"])
    assert found == "203.0.114.5"


def test_a_poster_never_connects_to_what_is_refused() -> None:
    poster = WebhookPoster(timeout_s=1, allow_private=False, resolve=lambda *_: ["127.0.0.1"])
    outcome = poster.post("https://example.vn/", b"{}", {})
    assert (outcome.kind, "private network" in outcome.reason) == ("permanent", True)
