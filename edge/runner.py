"""The process of one agent, from its settings to its end.

The order in `run_agent` is the point: settings, pins, first lamp decision, and only then the libraries
for logging, network and storage.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edge.update.launch import LAUNCHER_VARIABLE
from edge.update.origin import Origin
from edge.version import AGENT_VERSION

if TYPE_CHECKING:
    import asyncio

    from edge.clock import Clock
    from edge.config import NodeConfig
    from edge.devices import Devices
    from edge.lamp.lighting import Lighting
    from edge.watchdog import Watchdog

_LOADED_LATER = ("edge.link.downlink", "edge.link.uplink", "edge.sampling", "edge.update.part")


def run_agent(path: Path) -> None:
    """Run until a signal; exits with 2 for settings, devices or a data_dir that can't be used."""
    from edge.clock import SystemClock
    from edge.config import ConfigError, load
    from edge.devices import build
    from edge.drivers.ports import DriverError
    from edge.lamp.lighting import Lighting
    from edge.watchdog import Watchdog

    try:
        config = load(path)
        devices = build(config)
    except (ConfigError, DriverError) as error:
        _refuse(str(error))
    clock = SystemClock(config.clock)
    lighting = Lighting(config, devices.poles, clock)
    lighting.step()
    watchdog = Watchdog.from_environment()
    watchdog.ready()
    started_s = seconds_since_process_start()
    launcher = os.environ.get(LAUNCHER_VARIABLE)
    origin = Origin(path, Path(launcher) if launcher else None)
    try:
        begins_anew = _run(config, devices, clock, lighting, started_s, origin, watchdog)
    finally:
        watchdog.close()
        devices.close()
    if begins_anew and launcher:
        # The launcher chooses the release; systemd sees the same process.
        os.execv(sys.executable, [sys.executable, "-I", launcher, "--config", str(path)])  # noqa: S606


def check_release(path: Path | None) -> None:
    """Load all that an agent loads, read the settings, say the version; exits with 2 for unusable settings."""
    from edge.config import ConfigError, load
    from edge.lean import lean_process

    lean_process()
    for module in ("edge.agent", "edge.camera.watch", "edge.devices", *_LOADED_LATER):
        importlib.import_module(module)
    try:
        if path is not None:
            load(path)
    except ConfigError as error:
        _refuse(str(error))
    print(AGENT_VERSION)


def _run(
    config: NodeConfig,
    devices: Devices,
    clock: Clock,
    lighting: Lighting,
    started_s: float,
    origin: Origin,
    watchdog: Watchdog,
) -> bool:
    """Whether the agent ended because another release is to run."""
    import asyncio

    from edge.lean import lean_process

    lean_process()
    import structlog

    from edge.agent import Agent
    from edge.log import configure_logging
    from edge.outbox.outbox_file import OutboxInUseError
    from edge.restart import last_service_result

    configure_logging()
    lamps = {code: light.decision.reason for code, light in lighting.lights.items() if light.decision}
    structlog.get_logger().info(
        "lamp_under_control", node=config.node, start_s=round(started_s, 3), lamps=lamps
    )

    async def until_signal() -> bool:
        stop = asyncio.Event()
        _stop_on_signals(stop)
        agent = Agent(
            config,
            devices,
            clock,
            lighting=lighting,
            origin=origin,
            on_turn=watchdog.turned,
            service_result=last_service_result(),
        )
        await agent.run(stop)
        return agent.begins_anew

    try:
        begins_anew = asyncio.run(until_signal())
    except OutboxInUseError as error:
        _refuse(f"{error}: one node, one agent. Stop the other, or give this one its own data_dir.")
    structlog.get_logger().info("stopped", node=config.node)
    return begins_anew


def _stop_on_signals(stop: asyncio.Event) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def seconds_since_process_start() -> float:
    """Seconds since the kernel started this process, the interpreter's own start included.

    Field 22 of /proc/self/stat counts clock ticks since boot (proc(5)), so it is exact to 10 ms.
    """
    import time

    stat = Path("/proc/self/stat").read_text()
    # The command's name, in parentheses, may hold spaces: count from behind it.
    start_ticks = int(stat.rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - start_ticks / os.sysconf("SC_CLK_TCK")


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(2)
