import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.clock import SystemClock
from edge.devices import Devices, PoleDevices
from edge.drivers.mock_lamp import MockLamp
from edge.watchdog import IN_TIME_S, Watchdog
from tests.support.nodes import POLE, node_config
from tests.support.servers import free_port


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The service manager's end, and its address as $NOTIFY_SOCKET writes it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        name = f"ngonden-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
        end.bind("\0" + name if request.param == "abstract" else name)
        end.settimeout(10)
        yield end, "@" + name if request.param == "abstract" else name


def heard(end: socket.socket) -> list[str]:
    """Everything that waits at the manager's end."""
    end.setblocking(False)
    words = []
    try:
        while True:
            words.append(end.recv(4096).decode())
    except BlockingIOError:
        return words
    finally:
        end.settimeout(10)


def test_it_says_ready_and_then_that_it_lives(manager: tuple[socket.socket, str]) -> None:
    end, address = manager
    now_s = [0.0]
    watchdog = Watchdog(address, watchdog_s=20, seconds=lambda: now_s[0])
    watchdog.ready()
    for now in range(12):
        now_s[0] = now
        watchdog.turned(0.01)
    watchdog.close()
    # A quarter of the time limit apart: at 0, 5 and 10 s.
    assert heard(end) == ["READY=1\nWATCHDOG=1", *["WATCHDOG=1"] * 3]


def test_a_turn_that_took_too_long_is_not_told(manager: tuple[socket.socket, str]) -> None:
    end, address = manager
    watchdog = Watchdog(address, watchdog_s=20)
    watchdog.turned(IN_TIME_S + 0.1)
    assert heard(end) == []
    watchdog.turned(IN_TIME_S)
    assert heard(end) == ["WATCHDOG=1"]
    watchdog.close()


def test_the_environment_says_whom_and_how_often(manager: tuple[socket.socket, str]) -> None:
    end, address = manager
    mine, others = str(os.getpid()), str(os.getppid())
    for pid, told in ((mine, ["WATCHDOG=1"]), (others, [])):
        environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": pid}
        watchdog = Watchdog.from_environment(environ)
        watchdog.turned(0.0)
        watchdog.close()
        assert heard(end) == told


def test_without_a_service_manager_nobody_is_told() -> None:
    watchdog = Watchdog.from_environment({})
    watchdog.ready()
    watchdog.turned(0.0)
    watchdog.close()


def test_a_manager_that_is_gone_or_does_not_read_stops_nothing(tmp_path: Path) -> None:
    watchdog = Watchdog(str(tmp_path / "nobody"), watchdog_s=0.0)
    watchdog.turned(0.0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "nobody"))
        for _ in range(5000):
            watchdog.turned(0.0)
    watchdog.close()


class StuckLamp(MockLamp):
    """A driver whose call does not return until a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.is_stuck = threading.Event()

    def level(self) -> float | None:
        if not self.gate.is_set():
            self.is_stuck.set()
            self.gate.wait(60)
        return super().level()


class AgentInAThread:
    """A real agent with an event loop of its own, so that the test can watch it hang."""

    def __init__(self, tmp_path: Path, address: str) -> None:
        self.lamp = StuckLamp()
        self.loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        # Tells at every turn: what is tested is whether the loop turns.
        self._watchdog = Watchdog(address, watchdog_s=0.0)
        devices = Devices({POLE: PoleDevices(self.lamp)})
        agent = Agent(
            node_config(tmp_path, port=free_port()),
            devices,
            SystemClock("trusted"),
            on_turn=self._watchdog.turned,
        )
        self._thread = threading.Thread(
            target=lambda: self.loop.run_until_complete(agent.run(self._stop)), daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        self.lamp.gate.set()
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive()
        self.loop.close()
        self._watchdog.close()


def silent_while(end: socket.socket, seconds: float) -> bool:
    """Whether nothing comes for so long: three turns of the loop."""
    end.settimeout(seconds)
    try:
        end.recv(4096)
    except TimeoutError:
        return True
    finally:
        end.settimeout(10)
    return False


def hang_in_the_driver(agent: AgentInAThread) -> Callable[[], None]:
    agent.lamp.gate.clear()
    assert agent.lamp.is_stuck.wait(10)
    return agent.lamp.gate.set


def hang_the_event_loop(agent: AgentInAThread) -> Callable[[], None]:
    gate, is_stuck = threading.Event(), threading.Event()

    def hang() -> None:
        is_stuck.set()
        gate.wait(60)

    agent.loop.call_soon_threadsafe(hang)
    assert is_stuck.wait(10)
    return gate.set


@pytest.mark.parametrize("hang", [hang_in_the_driver, hang_the_event_loop])
def test_a_loop_that_hangs_is_not_said_to_live(
    tmp_path: Path, hang: Callable[[AgentInAThread], Callable[[], None]]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        address = str(tmp_path / "notify")
        end.bind(address)
        end.settimeout(10)
        agent = AgentInAThread(tmp_path / "data", address)
        assert end.recv(4096) == b"WATCHDOG=1"
        let_go = hang(agent)
        heard(end)
        assert silent_while(end, 3.0)
        let_go()
        assert end.recv(4096) == b"WATCHDOG=1", "it turns again"
        agent.end()


def test_a_real_agent_is_ready_once_its_lamps_are_and_then_goes_on_telling(
    manager: tuple[socket.socket, str], tmp_path: Path
) -> None:
    end, address = manager
    end.settimeout(60)
    (tmp_path / "node.toml").write_text(f"""
node = "tg-0001"
commune = "tram-than"
data_dir = "data"
[broker]
host = "127.0.0.1"
port = {free_port()}
[[poles]]
code = "{POLE}"
latitude = 21.4731
longitude = 105.255
lamp_rated_w = 60
lamp = {{ driver = "mock" }}
""")
    environ = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000"}
    environ.pop("WATCHDOG_PID", None)
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "edge", "--config", str(tmp_path / "node.toml")]
        with subprocess.Popen(command, env=environ, stdout=log, stderr=log) as agent:
            assert end.recv(4096).startswith(b"READY=1")
            assert [end.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            agent.terminate()
            assert agent.wait(30) == 0
