"""The doctor on real parts: mosquitto with TLS and access rules, a meter on a line, a running agent."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.config import BrokerSettings, NodeConfig
from edge.doctor.devices import check_devices
from edge.doctor.findings import Finding, Patient
from edge.doctor.link import check_link
from edge.doctor.queue import check_queue
from edge.doctor.running import agent_pid
from edge.outbox.outbox_file import OutboxFile
from tests.integration.edge.conftest import RunningAgent
from tests.support.certificates import TestAuthority
from tests.support.modbus_units import meter, serving
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, NODE, POLE, event, node_config
from tests.support.releases import ROOT
from tests.support.serial_line import SerialLine
from tests.support.servers import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.servers
LIT = [2284, 277, 0, 601, 0, 1234, 0, 500, 95, 0]


def english(findings: list[Finding]) -> list[str]:
    return [f"{finding.level}: {finding.found.en}" for finding in findings]


class SecureBroker:
    """mosquitto that takes a node's name from its certificate, and lets it read under that name only."""

    def __init__(self, folder: Path) -> None:
        self.authority = TestAuthority(folder / "ca")
        certificate, key = self.authority.issue("broker")
        rules = folder / "rules"
        rules.write_text(f"pattern read ngonden/1/{COMMUNE}/%u/#\n")
        rules.chmod(0o700)
        self.server = Mosquitto(
            folder / "broker",
            config_lines=[
                "listener {port} 127.0.0.1",
                f"cafile {self.authority.ca_file}",
                f"certfile {certificate}",
                f"keyfile {key}",
                "require_certificate true",
                "use_identity_as_username true",
                f"acl_file {rules}",
            ],
        )

    def node(self, folder: Path, *, name: str = NODE, **changes: Any) -> NodeConfig:
        certificate, key = self.authority.issue(name)
        identity = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "ca_file": str(self.authority.ca_file),
            "cert_file": str(certificate),
            "key_file": str(key),
            **changes,
        }
        return msgspec.structs.replace(node_config(folder), broker=BrokerSettings(**identity))


@pytest.fixture(name="secure")
def _secure(tmp_path: Path) -> Iterator[SecureBroker]:
    secure = SecureBroker(tmp_path)
    with secure.server:
        yield secure


def test_a_link_that_works_says_so_step_by_step(tmp_path: Path, secure: SecureBroker) -> None:
    found = check_link(Patient(secure.node(tmp_path)))
    assert [finding.level for finding in found] == ["fine", "fine", "fine"]
    assert "may read this node's topics" in found[-1].found.en


def test_a_hub_that_is_switched_off(tmp_path: Path, secure: SecureBroker) -> None:
    secure.server.stop()
    (found,) = check_link(Patient(secure.node(tmp_path)))
    assert found.level == "fault"
    assert "no connection" in found.found.en
    assert "hub is switched on" in found.advice.en


def test_a_name_that_nobody_knows(tmp_path: Path, secure: SecureBroker) -> None:
    (found,) = check_link(Patient(secure.node(tmp_path, host="no-such-hub.invalid")))
    assert "no address for no-such-hub.invalid" in found.found.en


def test_a_stranger_in_the_hubs_place(tmp_path: Path, secure: SecureBroker) -> None:
    stranger = TestAuthority(tmp_path / "stranger")
    found = check_link(Patient(secure.node(tmp_path, ca_file=str(stranger.ca_file))))
    assert "is not trusted" in found[-1].found.en


def test_a_certificate_of_another_authority(tmp_path: Path, secure: SecureBroker) -> None:
    certificate, key = TestAuthority(tmp_path / "stranger").issue(NODE)
    config = secure.node(tmp_path, cert_file=str(certificate), key_file=str(key))
    found = check_link(Patient(config))
    assert found[-1].level == "fault"
    assert "refuses" in found[-1].found.en or "handshake" in found[-1].found.en


def test_a_port_that_speaks_something_else(tmp_path: Path, secure: SecureBroker) -> None:
    with Mosquitto(tmp_path / "plain") as plain:
        found = check_link(Patient(secure.node(tmp_path, port=plain.port)))
    assert "handshake failed" in found[-1].found.en


def test_a_running_agent_keeps_its_connection(tmp_path: Path, secure: SecureBroker) -> None:
    found = check_link(Patient(secure.node(tmp_path), agent_pid=4711))
    assert [finding.level for finding in found] == ["fine", "fine", "left_out"]
    assert "New client connected" not in secure.server.log_path.read_text()


def on_line(folder: Path, port: str) -> NodeConfig:
    pole = {
        "photocell": {"driver": "mock"},
        "meter": {"driver": "serial", "line": "rs485", "profile": "pzem004t-100a", "address": 1},
        "cameras": [{"code": "CAM-1", "driver": "tcp", "host": "127.0.0.1", "port": free_port()}],
    }
    return node_config(folder, pole=pole, serial_lines=[{"name": "rs485", "port": port}])


async def test_a_meter_that_answers_and_a_camera_that_does_not(tmp_path: Path) -> None:
    line = SerialLine(tmp_path)
    try:
        async with serving(line, [meter(1, LIT)]):
            found = await asyncio.to_thread(check_devices, Patient(on_line(tmp_path, line.node_port)))
    finally:
        line.close()
    told = {finding.check: finding for finding in found}
    assert told[f"{POLE} meter"].found.en == "answers: 60.1 W 228.4 V 1234 Wh"
    assert told[f"{POLE} lamp"].level == "warning", "a mock is named a mock"
    assert told["CAM-1"].level == "fault"


def test_a_line_that_is_not_there(tmp_path: Path) -> None:
    found = check_devices(Patient(on_line(tmp_path, str(tmp_path / "no-adapter"))))
    (of_meter,) = [finding for finding in found if finding.check == f"{POLE} meter"]
    assert of_meter.level == "fault"
    assert "ngonden edge probe" in of_meter.advice.en


def test_a_pin_on_a_machine_without_pins(tmp_path: Path) -> None:
    pole = {"lamp": {"driver": "gpio", "pin": 5}, "meter": {"driver": "none"}}
    with warnings.catch_warnings(action="ignore"):  # gpiozero tells of each library that it does not find
        (found,) = check_devices(Patient(node_config(tmp_path, pole=pole)))
    assert found.level == "fault"
    assert "GPIO5" in found.found.en


def test_a_running_agent_is_found_and_left_in_peace(tmp_path: Path) -> None:
    config = node_config(tmp_path / "data")
    assert agent_pid(tmp_path / "data") is None
    code = (
        "import sys; from pathlib import Path; from edge.outbox.outbox_file import OutboxFile\n"
        "file = OutboxFile(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data/outbox.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"open\n"
            assert agent_pid(tmp_path / "data") == process.pid
            patient = Patient(config, agent_pid=process.pid)
            assert [finding.level for finding in check_devices(patient)] == ["left_out"]
            assert [finding.level for finding in check_queue(patient)] == ["left_out"]
        finally:
            process.stdin.close()
    assert agent_pid(tmp_path / "data") is None


def test_what_waits_is_counted_and_aged(tmp_path: Path) -> None:
    patient = Patient(node_config(tmp_path))
    assert "no outbox yet" in check_queue(patient)[0].found.en
    file = OutboxFile(tmp_path / "outbox.db")
    file.write([event() for _ in range(3)])
    file.close()
    (found,) = check_queue(patient)
    assert found.level == "warning", "the items are of March 2026"
    assert found.found.en.startswith("3 items wait")
    (tmp_path / "outbox.db").write_bytes(b"no database" * 1000)
    (tmp_path / "outbox.damaged-000001.db").write_bytes(b"")
    assert [finding.level for finding in check_queue(patient)] == ["fault", "warning"]


async def test_an_agent_that_has_stopped_has_left_nothing_behind(tmp_path: Path, broker: Mosquitto) -> None:
    agent = RunningAgent(node_config(tmp_path, port=broker.port))
    await until(lambda: (tmp_path / "outbox.db").exists(), what="the outbox")
    await agent.end()
    assert (await asyncio.to_thread(check_queue, Patient(agent.config)))[0].level != "fault"


@pytest.mark.parametrize(("lang", "words"), [("vi", "không kết nối được"), ("en", "no connection to")])
def test_the_command_speaks_the_technicians_language(tmp_path: Path, lang: str, words: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(
        f'node = "{NODE}"\ncommune = "{COMMUNE}"\ndata_dir = "data"\n[broker]\nhost = "127.0.0.1"\n'
        f'port = {free_port()}\n[[poles]]\ncode = "{POLE}"\nlatitude = 21.4\nlongitude = 105.2\n'
        'lamp_rated_w = 60\nlamp = { driver = "mock" }\n'
    )

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ngonden", "edge", "doctor", "--config", str(path), *more],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
            check=False,
        )

    spoken = run("--lang", lang)
    assert spoken.returncode == 2
    assert words in spoken.stdout
    facts = [json.loads(line) for line in run("--json", "--lang", lang).stdout.splitlines()]
    assert {"lamp", "link", "clock", "queue", "disk"} <= {fact["check"].split()[-1] for fact in facts}
    assert not (tmp_path / "data").exists(), "looking leaves nothing behind"


def test_settings_that_are_wrong_are_the_first_finding(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ngonden", "edge", "doctor", "--config", str(tmp_path / "none.toml")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "none.toml" in done.stderr
