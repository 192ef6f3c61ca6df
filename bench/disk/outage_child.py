"""The agent of an outage: a real one whose time jumps while its broker is away. See `bench/disk/outage.py`.

`python -m bench.disk.outage_child NODE.TOML DAYS MAX_MB`. It writes a line of JSON per day and one at the end
of the outage, waits for a line on its standard input, and goes on in real time once it is connected, until
SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import msgspec

from edge.lean import lean_process

if TYPE_CHECKING:
    from edge.config import NodeConfig
    from simulators.virtual_time import VirtualClock


def main() -> None:
    """Run the agent through its outage."""
    lean_process()  # before the libraries, as an agent does
    from edge.config import load
    from edge.log import configure_logging
    from simulators.virtual_time import VirtualClock, VirtualLoop

    path, days, max_mb = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    configure_logging()
    config = load(path)
    config = msgspec.structs.replace(
        config,
        outbox_max_mb=max_mb,
        # The figure is about space: what the last minutes add must not make the first too old.
        outbox_max_days=days + 1,
        broker=msgspec.structs.replace(config.broker, reconnect_max_s=300.0),
    )
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    clock = VirtualClock(loop, datetime.now(UTC) - timedelta(days=days))
    with ThreadPoolExecutor(1) as executor:
        loop.run_until_complete(_live(config, clock, days, executor))
    loop.close()


async def _live(config: NodeConfig, clock: VirtualClock, days: float, executor: ThreadPoolExecutor) -> None:
    from edge.agent import Agent
    from edge.devices import build

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    agent = Agent(config, build(config), clock, executor=executor, random=Random(1))  # noqa: S311 - spreads load
    running = asyncio.create_task(agent.run(stop))
    folder, largest = Path(config.data_dir), 0
    hours = round(days * 24)
    for hour in range(hours):
        await asyncio.sleep(days * 86_400 / hours)
        largest = max(largest, _bytes_in(folder))
        if hour % 24 == 23:
            _say(day=(hour + 1) // 24)
    _say(largest_bytes=largest, rss_kb=_status("VmRSS"), peak_kb=_status("VmHWM"))
    # Blocking on purpose: no time passes until the broker is back.
    sys.stdin.readline()
    clock.catch_up()
    await running


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _say(**facts: int) -> None:
    print(json.dumps(facts), flush=True)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
