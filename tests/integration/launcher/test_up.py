"""`ngonden up` as a person runs it: one command, real broker, real hub, real pages, real agents."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.support.servers import free_port, wait_until
from tests.support.stack import START_LIMIT_S, running

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]


def alive(pid: int) -> bool:
    # A killed child of a killed parent may wait as a zombie for an init that nobody plays in a container.
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def lit_poles(client: httpx.Client) -> set[str]:
    answer = client.get("/api/v1/poles")
    answer.raise_for_status()
    return {pole["code"] for pole in answer.json()["items"] if pole["state"] == "lit"}


def measured(client: httpx.Client) -> dict[str, list[float]]:
    answer = client.get("/api/v1/poles/TT-0001/telemetry")
    answer.raise_for_status()
    columns: dict[str, list[float]] = answer.json()["columns"]
    return columns


def test_a_first_start_a_kill_and_a_second_start_with_the_data_kept(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    everyone = {f"TT-{number:04d}" for number in range(1, 13)}
    with running(data, "--scenario", "one-road", port=port) as stack:
        facts = stack.facts()
        assert facts["address"] == f"http://127.0.0.1:{port}"
        login = Path(facts["first_login_file"])
        assert login.stat().st_mode & 0o777 == 0o600
        with httpx.Client(base_url=facts["address"], follow_redirects=False) as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/api/v1/poles").status_code == 401
            assert client.get(login.read_text(encoding="utf-8").strip()).status_code in (302, 303, 307)
            wait_until(lambda: lit_poles(client) == everyone, what="all lamps to be seen lit", limit_s=60)
            funding = client.get("/api/v1/summary").json()["funding"]
            assert funding["received_vnd"] == 12 * 2_270_000
            session = dict(client.cookies)
        killed_at = time.time()
        stack.process.kill()
        stack.process.wait()
        for name, pid in facts["pids"].items():
            wait_until(lambda pid=pid: not alive(pid), what=f"{name} to die with its supervisor")  # type: ignore[misc]
    with running(data, port=port) as stack:
        again = stack.facts()
        assert again["scenario"] == "one-road"
        assert again["broker_port"] == facts["broker_port"]
        with httpx.Client(base_url=again["address"], cookies=session) as client:
            # What was not drained into the telemetry store before the kill is drained now.
            wait_until(
                lambda: measured(client)["time"], what="the samples in the telemetry store", limit_s=60
            )
            series = measured(client)
            assert series["time"][0] < killed_at, "what was measured before the kill is gone"
            assert series["power_w"][0] == pytest.approx(40, rel=0.1)
            assert client.get("/api/v1/summary").json()["funding"] == funding
        stack.process.send_signal(signal.SIGTERM)
        assert stack.ended() == 0
        log = stack.log.read_text(encoding="utf-8")
        assert "first start" not in log
        assert "killed" not in log, "a child had to be killed"
        assert "nodes stopped" in log
        assert not any(alive(pid) for pid in again["pids"].values())


def test_a_first_start_that_was_interrupted_is_taken_up_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--scenario", "one-road") as stack:
        wait_until(
            lambda: "went from empty" in stack.log.read_text(), what="the tables", limit_s=START_LIMIT_S
        )
        stack.process.send_signal(signal.SIGINT)
        assert stack.ended() == 0
        assert "ready" not in stack.log.read_text()
    with running(data) as stack:
        assert stack.facts()["scenario"] == "one-road"
        log = stack.log.read_text()
        assert "first start" in log
        assert "12 created" in log or "12 unchanged" in log


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--scenario", "one-road") as stack:
        facts = stack.facts()
        os.kill(facts["pids"]["web"], signal.SIGKILL)

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{facts['address']}/healthz").status_code == 200
            return False

        wait_until(lambda: "was ended by SIGKILL" in stack.log.read_text(), what="the loss to be told")
        wait_until(answers, what="the pages to be back", limit_s=60)
        stack.process.send_signal(signal.SIGINT)
        assert stack.ended() == 0


def test_what_stands_in_the_way_is_said_and_nothing_is_started(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "photo.jpg").touch()
    with running(foreign) as stack:
        assert stack.ended() == 2
        assert "is not a data directory of `ngonden up`" in stack.log.read_text()
    with running(tmp_path / "new", "--scenario", "no-such") as stack:
        assert stack.ended() == 2
        assert "there is no scenario 'no-such'" in stack.log.read_text()
