"""What one agent costs a Pi: memory while everything probes, processor time, and how soon its lamp is lit.

The agent is the real process as a service starts it, with TLS to a real broker and a real hub; its meter is
served by pymodbus on a pseudo-terminal and its camera by real sockets, both from another process.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.children import Child, ChildError, wait_until
from bench.kills import nodes_seen
from bench.stack import COMMUNE, RATED_W, Plan, Stack

HOME = Path(__file__).resolve().parents[2]
INTERVAL_S = 30.0
_UNDER_CONTROL = re.compile(r"lamp_under_control\b.*?start_s[^0-9]{1,4}([0-9.]+)")
SETTLED_S = 15.0
PARTS = {
    "the interpreter alone": [],
    "settings and messages": ["edge.config"],
    "lamp and sun": ["edge.devices", "edge.lamp.lighting", "astral.sun"],
    "event loop and TLS": ["asyncio", "ssl"],
    "log": ["structlog", "edge.log"],
    "outbox": ["sqlite3", "edge.outbox.outbox", "edge.agent"],
    "link": ["aiomqtt", "edge.link.uplink", "edge.link.downlink"],
    "serial line": ["serial", "edge.firmware_bridge.bridge"],
    "cameras": ["edge.camera.watch", "edge.camera.asking.rtsp"],
    "pictures": ["PIL.Image", "PIL.JpegImagePlugin"],
    "pins (gpiozero)": ["gpiozero"],
}
_MEASURE_PARTS = """
import importlib, json, sys
from edge.lean import lean_process
def kb():
    with open("/proc/self/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
lean_process()
parts, told, before = json.loads(sys.argv[1]), {}, 0
for name, modules in parts.items():
    for module in modules:
        importlib.import_module(module)
    now = kb()
    told[name], before = round((now - before) * 1024 / 1e6, 2), now
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class FootprintReport:
    """Memory in 10⁶ bytes; `start_s` from start to first lamp decision, median of `starts`."""

    rss_mb: float
    """Resident, with lamp, meter and camera probes running, at the end of the measured time."""
    peak_mb: float
    cpu_share: float
    """Of one core, over `measured_s`, child processes included."""
    measured_s: float
    interval_s: float
    samples: int
    start_s: float
    starts: list[float]
    load_average: float
    parts_mb: dict[str, float] = field(default_factory=dict)
    """What importing each part adds, in this order, in a fresh process."""


def run_footprint(
    data: Path, *, starts: int, minutes: float, progress: Callable[[int], None] = lambda _: None
) -> FootprintReport:
    """Start one agent `starts` times, then let the last one work for `minutes`. Raises ChildError."""
    stack = Stack(Plan(data=data, agents=1, interval_s=INTERVAL_S))
    stack.prepare()
    roadside = Child(
        "roadside", [sys.executable, "-m", "bench.pole.roadside"], log=data / "logs/roadside.log"
    )
    ((node, pole),) = stack.nodes
    config = stack.layout.node_config(node)
    agent = Child(
        "agent",
        [sys.executable, "-m", "edge.update.launch", "--config", str(config)],
        log=data / "logs/agent.log",
        environment=as_in_service(),
    )
    try:
        roadside.start()
        wait_until(lambda: "rtsp" in roadside.log_text(), within_s=30, what="meter and camera to answer")
        config.write_text(node_toml(config.parent, node, pole, stack.broker_port, roadside.log_text()))
        stack.broker.start()
        stack.hub.start()
        times = _start_often(agent, starts)
        wait_until(lambda: stack.ask(nodes_seen) == 1, within_s=60, what="the agent to reach the hub")
        time.sleep(SETTLED_S)
        cpu_s, began_s = tree_cpu_s(agent.pid), time.monotonic()
        while (passed_s := time.monotonic() - began_s) < minutes * 60:
            progress(int(passed_s))
            time.sleep(min(1.0, max(0.0, minutes * 60 - passed_s)))
        used_s = tree_cpu_s(agent.pid) - cpu_s
        measured_s = time.monotonic() - began_s
        status = Path(f"/proc/{agent.pid}/status").read_text(encoding="ascii")
        load_average = os.getloadavg()[0]
        agent.stop()
    finally:
        for child in (agent, stack.hub, stack.broker, roadside):
            child.kill()
    return FootprintReport(
        rss_mb=_mb(status, "VmRSS"),
        peak_mb=_mb(status, "VmHWM"),
        cpu_share=round(used_s / measured_s, 5),
        measured_s=round(measured_s, 1),
        interval_s=INTERVAL_S,
        samples=int(measured_s // INTERVAL_S),
        start_s=round(statistics.median(times), 3),
        starts=times,
        load_average=round(load_average, 2),
        parts_mb=parts_mb(),
    )


def as_in_service() -> dict[str, str]:
    """An environment like a service's: compiled modules are kept, nothing is unbuffered."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(HOME)}


def node_toml(folder: Path, node: str, pole: str, broker_port: int, roadside: str) -> str:
    """Settings with every probe: mock pins (this machine has none), a real line, a real camera."""
    places = json.loads(roadside.splitlines()[-1])
    return f"""node = "{node}"
commune = "{COMMUNE}"
data_dir = "{folder}/data"
clock = "trusted"
sample_interval_s = {INTERVAL_S}
camera_interval_s = {INTERVAL_S}
[broker]
host = "127.0.0.1"
port = {broker_port}
ca_file = "{folder}/ca.crt"
cert_file = "{folder}/node.crt"
key_file = "{folder}/node.key"
[[serial_lines]]
name = "rs485"
port = "{places["meter"]}"
[[poles]]
code = "{pole}"
latitude = 21.4731
longitude = 105.255
lamp_rated_w = {RATED_W}
lamp = {{ driver = "mock" }}
photocell = {{ driver = "mock" }}
meter = {{ driver = "serial", line = "rs485", profile = "pzem004t-100a", address = 1 }}
[[poles.cameras]]
code = "CAM-0001"
driver = "tcp"
host = "127.0.0.1"
port = {places["rtsp"]}
rtsp_url = "rtsp://127.0.0.1:{places["rtsp"]}/stream"
snapshot_url = "http://127.0.0.1:{places["http"]}/snapshot.jpg"
"""


def parts_mb() -> dict[str, float]:
    """What each part of the agent adds to a fresh process's memory, by import alone, 10⁶ bytes."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _MEASURE_PARTS, json.dumps(PARTS)],
        capture_output=True,
        text=True,
        env=as_in_service(),
        check=False,
    )
    if done.returncode != 0:
        raise ChildError(f"the parts can't be measured: {done.stderr}")
    told: dict[str, float] = json.loads(done.stdout)
    return told


def tree_cpu_s(pid: int) -> float:
    """Processor seconds of a process and its children, those that ended included."""
    ticks, tree = 0, {pid}
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        stats[int(path.parent.name)] = fields
    while grown := {child for child, fields in stats.items() if int(fields[1]) in tree} - tree:
        tree |= grown
    for member in tree:
        if member in stats:
            # utime, stime, and those of children that were waited for: fields 14 to 17 of proc(5).
            ticks += sum(map(int, stats[member][11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _start_often(agent: Child, starts: int) -> list[float]:
    # One start before them compiles what was never compiled, as an installation does.
    for number in range(starts + 1):
        agent.start()
        wait_until(partial(_has_started, agent, number + 1), within_s=60, what="the lamp under control")
        if number < starts:
            agent.stop()
    return _starts(agent)[1:]


def _has_started(agent: Child, times: int) -> bool:
    return len(_starts(agent)) == times


def _starts(agent: Child) -> list[float]:
    found = [float(value) for value in _UNDER_CONTROL.findall(agent.log_text())]
    if not found and "lamp_under_control" in agent.log_text():
        raise ChildError("the agent's log says lamp_under_control without start_s")
    return found


def _mb(status: str, name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        raise ChildError(f"the agent has no {name}: it is ending")
    return round(int(found[1]) * 1024 / 1e6, 1)
