"""`ngonden edge probe` as a process, on a line with devices of pymodbus."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.lamp_board import LampBoard
from tests.integration.edge.test_firmware_bridge import LIT
from tests.support.modbus_units import lamp_board, meter, relay_board, serving
from tests.support.serial_line import SerialLine

ROOT = Path(__file__).parents[3]
PROFILES = ROOT / "edge" / "firmware_bridge" / "profiles"
PORT_OF = "/dev/no-such-adapter"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    line = SerialLine(tmp_path)
    yield line
    line.close()


async def probe(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ngonden",
        "edge",
        *arguments,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_what_answers_is_listed_with_kind_firmware_and_reading(line: SerialLine) -> None:
    board = LampBoard(address=4, serial_number=77, firmware=(1, 3), seconds=lambda: 0.0)
    async with serving(line, [meter(1, LIT), relay_board(3), lamp_board(4, board)]):
        code, out, err = await probe("probe", "--port", line.node_port, "--addresses", "1-5", "--json")
        assert code == 0, err
        found = {one["address"]: one for one in json.loads(out)}
        assert {address: one["profiles"] for address, one in found.items()} == {
            1: ["pzem004t-100a"],
            3: ["relay-4", "relay-8"],
            4: ["lamp-board"],
        }
        assert found[1]["reading"]["power_w"] == 60.1
        assert found[3]["firmware"] == "2.00"
        assert found[4]["firmware"] == "1.3"
        assert found[4]["reading"]["serial_number"] == 77
        code, out, _ = await probe("probe", "--port", line.node_port, "--addresses", "4")
        assert code == 0
        assert "lamp-board" in out
        assert "temperature_c 31" in out


async def test_a_device_is_given_an_address_of_its_own(line: SerialLine) -> None:
    board = LampBoard(seconds=lambda: 0.0)
    async with serving(line, [lamp_board(1, board), meter(7, LIT)]):
        asked = ("probe", "--port", line.node_port, "--profile", "lamp-board", "--profile", "pzem004t-100a")
        code, _, err = await probe(*asked, "--addresses", "1", "--new-address", "7")
        assert (code, "address 7 is taken" in err) == (1, True)
        code, _, err = await probe(*asked, "--addresses", "1", "--new-address", "12")
        assert board.holding_registers()[3] == 12
        assert (code, "nothing answers at 12 yet" in err) == (1, True), "this server keeps its address"
        code, _, err = await probe(*asked, "--addresses", "1-2", "--new-address", "12")
        assert code == 2


async def test_a_meters_total_is_set_to_0(line: SerialLine) -> None:
    async with serving(line, [meter(1, LIT), relay_board(3)]):
        asked = ("probe", "--port", line.node_port, "--json", "--reset-energy")
        code, out, err = await probe(*asked, "--addresses", "1")
        assert code == 0, err
        assert json.loads(out)[0]["reading"]["energy_wh"] == 0.0
        code, _, err = await probe(*asked, "--addresses", "3")
        assert (code, "there is no `reset_energy_function` for it" in err) == (1, True)


async def test_the_nodes_own_file_tells_where_to_look(line: SerialLine, tmp_path: Path) -> None:
    own = tmp_path / "kinds"
    own.mkdir()
    shipped = (PROFILES / "pzem004t-100a.toml").read_text()
    (own / "our-meter.toml").write_text(shipped)
    config = tmp_path / "node.toml"
    config.write_text(
        'node = "tg-0001"\ncommune = "tram-than"\ndata_dir = "data"\nprofiles_dir = "kinds"\n'
        'broker = { host = "127.0.0.1" }\n'
        f'serial_lines = [{{ name = "rs485", port = "{line.node_port}" }}]\n'
        '[[poles]]\ncode = "TG-0001"\nlatitude = 21.5\nlongitude = 105.2\nlamp_rated_w = 60\n'
        'lamp = { driver = "mock" }\n'
    )
    async with serving(line, [meter(1, LIT)]):
        code, out, err = await probe("probe", "--config", str(config), "--addresses", "1", "--json")
    assert code == 0, err
    assert json.loads(out)[0]["profiles"] == ["our-meter", "pzem004t-100a"]


async def test_nothing_that_answers_is_said_with_what_to_try(line: SerialLine) -> None:
    code, out, _ = await probe("probe", "--port", line.node_port, "--addresses", "1", "--wait-s", "0.05")
    assert code == 1
    assert "Swap A and B" in out


async def test_a_port_that_cannot_be_used_is_said_with_what_to_do(line: SerialLine, tmp_path: Path) -> None:
    code, _, err = await probe("probe", "--port", PORT_OF)
    assert (code, err.count("\n")) == (3, 1)
    assert f"{PORT_OF}: there is no such device" in err
    agents = os.open(line.node_port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(agents, fcntl.LOCK_EX | fcntl.LOCK_NB)
    code, _, err = await probe("probe", "--port", line.node_port)
    os.close(agents)
    assert code == 3
    assert "stop it first" in err


async def test_wrong_arguments_are_said_too(tmp_path: Path) -> None:
    for arguments, complaint in (
        (("probe",), "Give --port or --config"),
        (("probe", "--port", PORT_OF, "--addresses", "1-300"), "Modbus addresses are 1 to 247"),
        (("probe", "--port", PORT_OF, "--baud", "9601"), "Invalid enum value 9601"),
        (("probe", "--port", PORT_OF, "--profile", "sdm"), "there is no device profile 'sdm'"),
    ):
        code, _, err = await probe(*arguments)
        assert code == 2, err
        assert complaint in err


async def test_a_profile_is_checked_against_its_frames(tmp_path: Path) -> None:
    code, out, err = await probe("check-profile", str(PROFILES / "sdm120.toml"))
    assert code == 0, err
    assert "signs: recognised" in out
    code, _, err = await probe("check-profile", str(tmp_path / "none.toml"))
    assert code == 1
    assert "cannot be read" in err
