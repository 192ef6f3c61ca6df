"""apprise's channels against real receivers: what arrives, and which failures pass."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hub.notify.channels import ChannelBook, ChannelsFileError, open_channels, read_channels
from hub.notify.messages import Writer
from hub.notify.model import Message, Place
from hub.notify.transports.apprise_channel import AppriseChannel, ChannelUrlError
from tests.support.notices import BASE_URL, view
from tests.support.receivers import HttpReceiver, MailServer, MuteServer
from tests.support.servers import free_port

PLACE = Place(commune="tram-than", commune_name="xã Trạm Thản", pole="TG-0001", at="Ngã ba xóm 1")


def message() -> Message:
    return Writer("vi", BASE_URL).opened(view(), PLACE)


def channel(url: str, timeout_s: float = 4) -> AppriseChannel:
    return AppriseChannel(url, timeout_s=timeout_s, base=Path())


def test_a_mail_arrives_with_every_mark(tmp_path: Path) -> None:
    with MailServer() as mail:
        assert channel(mail.url).send(message()).kind == "sent"
    (found,) = mail.mails
    assert mail.recipients == [["to1@example.vn"]]
    assert found["Subject"] == "Đèn không sáng: cột TG-0001"
    text = found.get_body(("plain",))
    assert text is not None
    assert "Nơi: TG-0001, Ngã ba xóm 1, xã Trạm Thản" in text.get_content()


@pytest.mark.parametrize(
    ("at_rcpt", "at_data", "kind", "says"),
    [
        (["451 4.7.1 greylisted, come back"], [], "passing", "SMTP 451"),
        (["550 5.1.1 no such user"], [], "permanent", "SMTP 550 5.1.1 no such user"),
        ([], ["452 4.3.1 disk full"], "passing", "SMTP 452"),
        ([], ["554 5.7.1 not wanted"], "permanent", "SMTP 554"),
    ],
)
def test_a_mail_servers_4xx_passes_and_its_5xx_does_not(
    at_rcpt: list[str], at_data: list[str], kind: str, says: str
) -> None:
    with MailServer(at_rcpt, at_data) as mail:
        outcome = channel(mail.url).send(message())
        assert outcome.kind == kind
        assert says in outcome.reason
        assert channel(mail.url).send(message()).kind == "sent"


def test_a_mail_server_that_is_away_or_hangs_is_a_passing_failure() -> None:
    away = channel(f"mailto://127.0.0.1:{free_port()}/?from=a@b.vn&to=c@d.vn").send(message())
    assert (away.kind, away.reason, away.unsure) == ("passing", "connection refused", False)
    with MuteServer() as mute:
        hangs = channel(f"mailto://127.0.0.1:{mute.port}/?from=a@b.vn&to=c@d.vn", 0.4).send(message())
    assert (hangs.kind, hangs.reason, hangs.unsure) == ("passing", "timed out", True)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "permanent"),
        (401, "permanent"),
        (404, "permanent"),
        (408, "passing"),
        (429, "passing"),
        (500, "passing"),
        (503, "passing"),
    ],
)
def test_http_statuses_are_told_apart(status: int, kind: str) -> None:
    with HttpReceiver() as http:
        http.answer(status)
        outcome = channel(f"json://127.0.0.1:{http.port}/x").send(message())
    assert (outcome.kind, outcome.reason) == (kind, f"HTTP {status}")


def test_an_http_receiver_gets_the_message_and_one_that_hangs_is_given_up() -> None:
    with HttpReceiver() as http:
        assert channel(f"json://127.0.0.1:{http.port}/x").send(message()).kind == "sent"
        assert http.asked[0].json()["title"] == "Đèn không sáng: cột TG-0001"
        http.silent = threading.Event()
        outcome = channel(f"json://127.0.0.1:{http.port}/x", 0.4).send(message())
    assert (outcome.kind, outcome.reason, outcome.unsure) == ("passing", "timed out", True)
    refused = channel(f"json://127.0.0.1:{free_port()}/x").send(message())
    assert (refused.kind, refused.reason) == ("passing", "connection refused")


def test_no_secret_stands_in_a_reason_or_an_address() -> None:
    dead = f"jsons://nguoi:mat-khau-bi-mat@127.0.0.1:{free_port()}/duong-bi-mat"
    one = channel(dead)
    assert "mat-khau-bi-mat" not in one.address
    assert "bi-mat" not in one.send(message()).reason


@pytest.mark.parametrize(
    "url", ["khong-co://x", "mailto://", "mailto://127.0.0.1:25/?from=a@b.vn&to=c@d.vn,e@f.vn"]
)
def test_an_address_that_makes_no_single_receiver_is_refused(url: str) -> None:
    with pytest.raises(ChannelUrlError) as refusal:
        channel(url)
    assert url not in str(refusal.value)


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_the_channels_file_is_read_anew_and_a_bad_entry_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "channels.toml"
    good = '[channels.to-1]\nurl = "json://127.0.0.1:9/x"\nrate_per_min = 5\n'
    book = ChannelBook(written(path, good + '[channels.sai]\nurl = "khong-co://x"\n'), timeout_s=1)
    entries = book.entries()
    assert (entries["to-1"].rate_per_min, entries["to-1"].problem) == (5, "")
    assert entries["sai"].channel is None
    written(path, good + "[[", 0o600)
    assert set(book.entries()) == {"to-1", "sai"}, "the former channels go on"
    assert "is not TOML" in book.problem
    written(path, good)
    assert set(book.entries()) == {"to-1"}
    assert book.problem == ""


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("", 0o640, "chmod 600"),
        ("[chanels]\n", 0o600, "`chanels`"),
        ("[channels.Tổ]\n", 0o600, "is not TOML"),
        ("[channels.TO]\nurl='json://x'\n", 0o600, "letters a-z"),
        ("[channels.to]\nurl='json://x'\ncolour=1\n", 0o600, "channels.to.colour"),
        ("[channels.to]\nrate_per_min=1\n", 0o600, "channels.to.url"),
    ],
)
def test_a_channels_file_that_does_not_fit_is_refused_with_the_place(
    tmp_path: Path, text: str, mode: int, says: str
) -> None:
    with pytest.raises(ChannelsFileError, match=says):
        read_channels(written(tmp_path / "channels.toml", text, mode))


def test_no_file_means_no_channels_and_a_missing_one_is_said(tmp_path: Path) -> None:
    assert open_channels(None, timeout_s=1) == {}
    with pytest.raises(ChannelsFileError, match="can't be read"):
        read_channels(tmp_path / "none.toml")
