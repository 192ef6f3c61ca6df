"""Signed webhooks against a real HTTP receiver: what arrives can be verified, what fails is tried and shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.notify import webhooks
from hub.notify.signing import load_key, verify
from hub.notify.webhooks import Webhook
from tests.support.hub_world import register
from tests.support.notices import Desk
from tests.support.receivers import Asked, HttpReceiver
from tests.support.servers import free_port


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "webhook.key"
    path.write_text("ab" * 32)
    path.chmod(0o600)
    return path


@pytest.fixture
def hook_desk(engine: Engine, key_file: Path) -> Desk:
    """A desk that may post to loopback."""
    register(engine)
    return Desk(engine, webhook_key_file=key_file, webhook_allow_private=True)


def add(desk: Desk, url: str, **changes: str) -> Webhook:
    wish = {"url": url, "note": "", "commune": "", "least_severity": "minor", "by": "admin"} | changes
    with desk.engine.begin() as conn:
        return webhooks.add(conn, now=desk.clock(), **wish)  # type: ignore[arg-type]


def stored(desk: Desk, hook: Webhook) -> Webhook:
    with desk.engine.connect() as conn:
        return webhooks.webhooks(conn)[hook.id]


def genuine(desk: Desk, hook: Webhook, asked: Asked, key_file: Path) -> list[bool]:
    secrets = stored(desk, hook).secrets(load_key(key_file), now=desk.clock())
    now_s = desk.clock().timestamp()
    return [verify(one, asked.headers, asked.body, now_s=now_s) for one in secrets]


def test_every_step_is_posted_and_its_signature_holds(hook_desk: Desk, key_file: Path) -> None:
    with HttpReceiver() as http:
        hook = add(hook_desk, f"{http.url}/hook?a=1")
        opened = hook_desk.opens(quiet_reason="group")
        hook_desk.changes(opened, "acknowledged", by="lan")
        hook_desk.closes(opened)
        hook_desk.turn()
        hook_desk.turn()
    assert [one.path for one in http.asked] == ["/hook?a=1"] * 3
    assert [one.json()["type"] for one in http.asked] == [
        "incident.opened",
        "incident.acknowledged",
        "incident.closed",
    ]
    first = http.asked[0]
    assert genuine(hook_desk, hook, first, key_file) == [True]
    told = first.json()["data"]["incident"]
    assert (told["pole"], told["place"], told["groups"]) == ("TG-0001", "Ngã ba xóm 1", ["Tổ tự quản 2"])
    assert told["quiet_reason"] == "group"
    assert "lan" not in first.body.decode() + http.asked[1].body.decode()
    assert first.headers["host"] == f"127.0.0.1:{http.port}"


def test_a_webhook_gets_what_it_asked_for(hook_desk: Desk) -> None:
    with HttpReceiver() as http:
        add(hook_desk, http.url, commune="tu-vu")
        add(hook_desk, http.url, least_severity="critical")
        hook_desk.opens(1)
        hook_desk.opens(2, severity="critical")
        hook_desk.turn()
    assert [one.json()["data"]["incident"]["severity"] for one in http.asked] == ["critical"]


def test_a_retry_is_the_same_message_and_success_clears_the_failure(
    hook_desk: Desk, key_file: Path
) -> None:
    with HttpReceiver() as http:
        http.answer(500)
        http.answer(429, Retry_After="100")
        hook = add(hook_desk, http.url)
        hook_desk.opens()
        hook_desk.turn()
        assert stored(hook_desk, hook).failing_since == hook_desk.clock()
        hook_desk.turn(seconds=31)
        hook_desk.turn(seconds=99)
        assert len(http.asked) == 2, "its own Retry-After is heeded"
        hook_desk.turn(seconds=60)
        assert stored(hook_desk, hook).failing_since is None
    assert len({one.headers["webhook-id"] for one in http.asked}) == 1
    assert len({one.body for one in http.asked}) == 1
    assert len({one.headers["webhook-timestamp"] for one in http.asked}) == 3
    assert genuine(hook_desk, hook, http.asked[-1], key_file) == [True]


def test_a_new_secret_signs_beside_the_former_one_for_a_day(hook_desk: Desk, key_file: Path) -> None:
    with HttpReceiver() as http:
        hook = add(hook_desk, http.url)
        with hook_desk.engine.begin() as conn:
            webhooks.rotate(conn, hook.id, by="admin", now=hook_desk.clock())
        hook_desk.opens()
        hook_desk.turn()
        assert genuine(hook_desk, hook, http.asked[0], key_file) == [True, True]
        hook_desk.clock.pass_(hours=25)
        hook_desk.opens(2)
        hook_desk.turn()
        assert genuine(hook_desk, hook, http.asked[1], key_file) == [True]


def test_one_that_fails_for_three_days_is_switched_off_and_shown(hook_desk: Desk) -> None:
    hook = add(hook_desk, f"http://127.0.0.1:{free_port()}/")
    hook_desk.opens()
    hook_desk.turn()
    for _ in range(30):
        hook_desk.turn(hours=4)
    off = stored(hook_desk, hook)
    assert (off.enabled, off.disabled_why) == (False, "connection refused")
    assert off.failing_since is not None
    assert hook_desk.clock() - off.failing_since > timedelta(hours=72)
    assert hook_desk.deliveries()[0].status == "dropped"
    with hook_desk.engine.begin() as conn:
        on = webhooks.enable(conn, hook.id, enabled=True, by="admin", now=hook_desk.clock())
    assert on is not None
    assert (on.enabled, on.disabled_why, on.failing_since) == (True, "", None)


def test_410_means_never_again(hook_desk: Desk) -> None:
    with HttpReceiver() as http:
        http.answer(410)
        hook = add(hook_desk, http.url)
        hook_desk.opens(1)
        hook_desk.turn()
        hook_desk.opens(2)
        hook_desk.turn()
    assert len(http.asked) == 1
    assert not stored(hook_desk, hook).enabled


def test_redirects_are_not_followed(hook_desk: Desk) -> None:
    with HttpReceiver() as other, HttpReceiver() as http:
        http.answer(307, Location=other.url)
        add(hook_desk, http.url)
        hook_desk.opens()
        hook_desk.turn()
        assert other.asked == []
    assert hook_desk.deliveries()[0].last_error == "HTTP 307"


def test_without_leave_nothing_goes_into_the_own_network(engine: Engine, key_file: Path) -> None:
    register(engine)
    desk = Desk(engine, webhook_key_file=key_file)
    with HttpReceiver() as http:
        add(desk, http.url)
        desk.opens()
        desk.turn()
        assert http.asked == []
    assert [one.status for one in desk.deliveries()] == ["failed"]


def test_without_a_key_messages_wait_and_say_why(engine: Engine) -> None:
    register(engine)
    desk = Desk(engine, webhook_allow_private=True)
    with HttpReceiver() as http:
        add(desk, http.url)
        desk.opens()
        desk.turn()
        assert http.asked == []
    (waiting,) = desk.deliveries()
    assert (waiting.status, waiting.last_error) == ("waiting", "the hub has no webhook key to sign with")


def test_a_receiver_that_is_down_is_asked_once_and_all_the_rest_waits_with_it(hook_desk: Desk) -> None:
    with HttpReceiver() as http:
        http.answer(503)
        add(hook_desk, http.url)
        for n in range(1, 4):
            hook_desk.opens(n)
        hook_desk.turn()
        assert len(http.asked) == 1
        hook_desk.turn(seconds=10)
        assert len(http.asked) == 1
        hook_desk.turn(seconds=21)
    assert [one.json()["data"]["change_id"] for one in http.asked] == [1, 1, 2, 3]
    assert {one.status for one in hook_desk.deliveries()} == {"sent"}
