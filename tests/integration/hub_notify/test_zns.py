"""The ZNS plugin against an HTTP receiver that answers as Zalo's documentation says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from hub.notify.messages import Writer
from hub.notify.model import Message, Place
from hub.notify.transports.apprise_channel import AppriseChannel, ChannelUrlError
from hub.notify.transports.zns import phone_84
from tests.support.notices import BASE_URL, view
from tests.support.receivers import HttpReceiver

SENT = {
    "error": 0,
    "message": "Success",
    "data": {
        "msg_id": "a1b2",
        "sent_time": "1626926349402",
        "quota": {"dailyQuota": "500", "remainingQuota": "499"},
    },
}
GIVEN = {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": "90000"}
SOON = datetime.now(UTC) + timedelta(hours=3)

URL = "zns://0912345678/240123?tokens=oa.json&:ma_cot={pole}&:noi={place:.12}&:het={ended}"


def tokens(folder: Path, http: HttpReceiver, **changes: object) -> Path:
    path = folder / "oa.json"
    values = {
        "app_id": "42",
        "secret_key": "app-secret",
        "refresh_token": "old-refresh",
        "access_token": "old-access",
        "expires_at": SOON.isoformat(),
        "token_url": f"{http.url}/v4/oa/access_token",
        "message_url": f"{http.url}/message/template",
    }
    path.write_text(json.dumps(values | changes))
    path.chmod(0o600)
    return path


def channel(folder: Path) -> AppriseChannel:
    return AppriseChannel(URL, timeout_s=4, base=folder)


def message() -> Message:
    place = Place(commune="tram-than", pole="TG-0001", at="Ngã ba xóm 1")
    return Writer("vi", BASE_URL).opened(view(), place)


def test_a_template_message_goes_out_with_its_parameters(tmp_path: Path) -> None:
    with HttpReceiver() as http:
        tokens(tmp_path, http)
        http.answer(200, SENT)
        assert channel(tmp_path).send(message()).kind == "sent"
    (asked,) = http.asked
    assert (asked.path, asked.headers["access_token"]) == ("/message/template", "old-access")
    assert asked.json() == {
        "phone": "84912345678",
        "template_id": "240123",
        "template_data": {"ma_cot": "TG-0001", "noi": "TG-0001, Ngã", "het": "–"},
        "tracking_id": "ngonden",
    }


def test_a_token_that_ran_out_is_renewed_and_the_new_pair_is_kept_before_it_is_used(tmp_path: Path) -> None:
    with HttpReceiver() as http:
        path = tokens(tmp_path, http, expires_at=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
        http.answer(200, GIVEN)
        http.answer(500)
        assert channel(tmp_path).send(message()).reason == "Zalo answers HTTP 500"
        kept = json.loads(path.read_text())
        http.answer(200, SENT)
        assert channel(tmp_path).send(message()).kind == "sent"
    renewal, *rest = http.asked
    assert renewal.headers["secret_key"] == "app-secret"
    assert parse_qs(renewal.body.decode()) == {
        "refresh_token": ["old-refresh"],
        "app_id": ["42"],
        "grant_type": ["refresh_token"],
    }
    assert (kept["access_token"], kept["refresh_token"]) == ("new-access", "new-refresh")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.headers["access_token"] for one in rest] == ["new-access", "new-access"]


def test_a_token_that_zalo_refuses_is_renewed_once(tmp_path: Path) -> None:
    with HttpReceiver() as http:
        tokens(tmp_path, http)
        http.answer(200, {"error": -124, "message": "Access token invalid"})
        http.answer(200, GIVEN)
        http.answer(200, SENT)
        assert channel(tmp_path).send(message()).kind == "sent"
    assert [one.headers.get("access_token") for one in http.asked] == ["old-access", None, "new-access"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-108, "permanent"),
        (-109, "permanent"),
        (-118, "permanent"),
        (-131, "permanent"),
        (-100, "passing"),
        (-115, "passing"),
        (-133, "passing"),
        (-144, "passing"),
    ],
)
def test_zalos_errors_are_told_apart(tmp_path: Path, code: int, kind: str) -> None:
    with HttpReceiver() as http:
        tokens(tmp_path, http)
        http.answer(200, {"error": code, "message": "what Zalo says"})
        outcome = channel(tmp_path).send(message())
    assert (outcome.kind, outcome.reason) == (kind, f"Zalo error {code}: what Zalo says")


def test_a_refresh_token_that_is_dead_needs_a_person(tmp_path: Path) -> None:
    with HttpReceiver() as http:
        path = tokens(tmp_path, http, access_token="", expires_at=None)
        before = path.read_text()
        http.answer(200, {"error": -14014, "error_name": "Invalid refresh token."})
        outcome = channel(tmp_path).send(message())
    assert outcome.kind == "permanent"
    assert "grant the app its right anew" in outcome.reason
    assert "old-refresh" not in outcome.reason
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("status", "kind"), [(500, "passing"), (429, "passing"), (502, "passing"), (400, "permanent")]
)
def test_http_failures_of_zalo_are_told_apart(tmp_path: Path, status: int, kind: str) -> None:
    with HttpReceiver() as http:
        tokens(tmp_path, http)
        http.answer(status)
        assert channel(tmp_path).send(message()).kind == kind


def test_a_token_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with HttpReceiver() as http:
        tokens(tmp_path, http).chmod(0o644)
        outcome = channel(tmp_path).send(message())
        assert http.asked == []
    assert (outcome.kind, "chmod 600" in outcome.reason) == ("permanent", True)


def test_the_number_is_masked_where_a_channel_is_shown(tmp_path: Path) -> None:
    shown = channel(tmp_path)
    assert (shown.service, shown.address) == ("Zalo ZNS", "zns://8491…78/240123/")


@pytest.mark.parametrize(
    "url",
    [
        "zns://0912/240123?tokens=oa.json&:a={pole}",
        "zns://0912345678/abc?tokens=oa.json&:a={pole}",
        "zns://0912345678/240123?tokens=oa.json",
        "zns://0912345678/240123?:a={pole}",
    ],
)
def test_an_address_without_number_template_tokens_or_parameter_is_refused(url: str) -> None:
    with pytest.raises(ChannelUrlError):
        AppriseChannel(url, timeout_s=1, base=Path())


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0912 345 678", "84912345678"),
        ("+84 912.345.678", "84912345678"),
        ("84912345678", "84912345678"),
        ("12345", None),
        ("", None),
    ],
)
def test_telephone_numbers_take_the_form_that_zalo_wants(typed: str, found: str | None) -> None:
    assert phone_84(typed) == found
