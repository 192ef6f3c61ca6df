"""`ngonden hub notify` as a process, with a real mail server: it tells, it stops, it survives being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from hub.notify.store import LEASE
from hub.notify.tables import notify_delivery
from tests.support.hub_world import register
from tests.support.notices import Desk
from tests.support.receivers import MailServer
from tests.support.servers import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def desk(sqlite_engine: Engine) -> Desk:
    """Only to make routes and incidents; its own notifier takes no turn. Its clock shows the true time."""
    register(sqlite_engine)
    made = Desk(sqlite_engine)
    made.clock.now = datetime.now(UTC)
    made.route(channels=("to-1",))
    return made


def settings(folder: Path, desk: Desk, mail: MailServer) -> Path:
    channels = folder / "channels.toml"
    channels.write_text(f'[channels.to-1]\nurl = "{mail.url}"\n')
    channels.chmod(0o600)
    config = folder / "hub.toml"
    config.write_text(
        f'database = "{desk.engine.url}"\n[notify]\nbase_url = "https://den.example.vn"\n'
        'channels_file = "channels.toml"\npoll_ms = 50\ngather_s = 0\n'
    )
    return config


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ngonden", "hub", "notify", "--config", str(config)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_it_tells_of_an_incident_and_of_its_end_and_stops_when_asked(tmp_path: Path, desk: Desk) -> None:
    with MailServer() as mail, running(settings(tmp_path, desk, mail)) as process:
        opened = desk.opens()
        wait_until(lambda: len(mail.mails) == 1, what="the opening", limit_s=60)
        desk.closes(opened)
        wait_until(lambda: len(mail.mails) == 2, what="the end", limit_s=30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert [one["Subject"] for one in mail.mails] == [
        "Đèn không sáng: cột TG-0001",
        "Đã hết – Đèn không sáng: cột TG-0001",
    ]


def test_killed_between_the_mail_servers_yes_and_the_note_it_sends_once_more_and_goes_on(
    tmp_path: Path, desk: Desk
) -> None:
    with MailServer() as mail:
        config = settings(tmp_path, desk, mail)
        opened = desk.opens()
        with running(config) as first:
            mail.on_data = lambda: os.kill(first.pid, signal.SIGKILL)
            assert first.wait(60) == -signal.SIGKILL
        mail.on_data = None
        wait_until(lambda: len(mail.mails) == 1, what="the mail that was taken", limit_s=30)
        assert [one.status for one in desk.deliveries()] == ["sending"]
        desk.closes(opened)
        with desk.engine.begin() as conn:  # the lease runs out
            conn.execute(
                update(notify_delivery).values(claimed_at=datetime.now(UTC) - LEASE - timedelta(seconds=1))
            )
        with running(config):
            wait_until(lambda: len(mail.mails) == 3, what="opening and end", limit_s=60)
    assert [str(one["Subject"])[:6] for one in mail.mails] == ["Đèn kh", "Đèn kh", "Đã hết"]
    again, end = desk.deliveries()
    assert (again.status, again.tries, again.unsure) == ("sent", 2, True)
    assert end.tries == 1
