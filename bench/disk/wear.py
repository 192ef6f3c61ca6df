"""What an SD card has to write for a node: a real agent, its ticks pressed together, reckoned up to a day.

Two counts. The kernel's for the process (`/proc/PID/io`: pages it made the kernel write), and, as root, the
block device's own under a fresh ext4 image, journal and inodes included. Ticks in quick succession share the
file system's commits, which come every 5 s; so the device is also counted over ticks further apart than that.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.children import Child, ChildError, answers, free_port, program
from bench.disk.hub_stub import HubStub, hub_stub

TICKS_PER_DAY = 24 * 3600 / 30
APART_S = 6.0
"""Longer than ext4's commit interval."""


@dataclass(frozen=True, slots=True)
class WearReport:
    """Millions of bytes (10⁶) per day at one tick every 30 s. A count that could not be had is None."""

    poles: int
    ticks: int
    process_mb_per_day: float
    device_mb_per_day: float | None
    ticks_apart: int
    device_apart_mb_per_day: float | None
    """Of ticks 6 s apart: what to expect of a card."""
    why_no_device: str
    load_average: float


def run_wear(
    data: Path,
    *,
    poles: int,
    ticks: int,
    ticks_apart: int,
    progress: Callable[[int], None] = lambda _: None,
) -> WearReport:
    """Measure one agent with so many poles; `progress` hears of ticks. Raises ChildError."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = data / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    config.write_text(f"{user}listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    broker = Child(
        "mosquitto",
        [program("mosquitto"), "-c", str(config)],
        log=data / "mosquitto.log",
        ready=lambda: answers(port),
    )
    broker.start()
    try:
        with _card(data) as (folder, device, why):
            run = _Run(data, folder, device, port, poles, progress)
            quick = asyncio.run(run.measure(ticks, interval_s=0.05 if poles < 8 else 0.25))
            apart = asyncio.run(run.measure(ticks_apart, interval_s=APART_S)) if ticks_apart else None
    finally:
        broker.kill()
    return WearReport(
        poles=poles,
        ticks=quick.ticks,
        process_mb_per_day=quick.per_day(quick.process_bytes),
        device_mb_per_day=quick.per_day(quick.device_bytes) if device else None,
        ticks_apart=apart.ticks if apart else 0,
        device_apart_mb_per_day=apart.per_day(apart.device_bytes) if apart and device else None,
        why_no_device=why,
        load_average=round(os.getloadavg()[0], 2),
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    ticks: int
    process_bytes: int
    device_bytes: int

    def per_day(self, what: int) -> float:
        return round(what / self.ticks * TICKS_PER_DAY / 1e6, 1)


@dataclass(frozen=True, slots=True)
class _Run:
    data: Path
    folder: Path
    device: str | None
    port: int
    poles: int
    progress: Callable[[int], None]

    async def measure(self, ticks: int, *, interval_s: float) -> _Counted:
        """Run an agent until so many ticks are confirmed."""
        config = self.data / f"node-{interval_s:g}.toml"
        config.write_text(self._config(interval_s), encoding="utf-8")
        agent = Child(
            "agent", [sys.executable, "-m", "edge", "--config", str(config)], log=self.data / "log"
        )
        async with hub_stub(self.port) as hub:
            agent.start(wait=False)
            try:
                await self._ticks(hub, agent, 5)
                before = await asyncio.to_thread(self._counters, agent.pid)
                first = hub.samples
                await self._ticks(hub, agent, first // self.poles + ticks)
                after = await asyncio.to_thread(self._counters, agent.pid)
                made = (hub.samples - first) // self.poles
            finally:
                await asyncio.to_thread(agent.stop)
        return _Counted(made, after[0] - before[0], after[1] - before[1])

    async def _ticks(self, hub: HubStub, agent: Child, ticks: int) -> None:
        while hub.samples < ticks * self.poles:
            _ = agent.pid  # raises where it has ended
            self.progress(hub.samples // self.poles)
            await asyncio.sleep(0.1)

    def _counters(self, pid: int) -> tuple[int, int]:
        """Bytes written by the process, and to the device once all is out of the page cache."""
        lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
        written = next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))
        if self.device is None:
            return written, 0
        subprocess.run(["sync", "-f", str(self.folder)], check=True)
        # Field 7: sectors of 512 bytes written (Documentation/block/stat.rst).
        sectors = int(Path(f"/sys/block/{self.device}/stat").read_text(encoding="ascii").split()[6])
        return written, sectors * 512

    def _config(self, interval_s: float) -> str:
        poles = "".join(
            f'[[poles]]\ncode = "TG-{number:04d}"\nlatitude = 21.4731\nlongitude = 105.255\n'
            "lamp_rated_w = 60\n"
            + "".join(f'[poles.{part}]\ndriver = "mock"\n' for part in ("lamp", "photocell", "meter"))
            + f'[[poles.cameras]]\ncode = "CAM-{number:04d}"\ndriver = "mock"\n'
            for number in range(1, self.poles + 1)
        )
        return (
            f'node = "tg-0001"\ncommune = "tram-than"\ndata_dir = "{self.folder}"\nclock = "trusted"\n'
            f'sample_interval_s = {interval_s}\n[broker]\nhost = "127.0.0.1"\nport = {self.port}\n{poles}'
        )


@contextmanager
def _card(data: Path) -> Iterator[tuple[Path, str | None, str]]:
    """A folder on a file system of its own, its block device, and why there is none."""
    plain, image, mounted = data / "plain", data / "card.img", data / "card"
    if os.geteuid() != 0:
        plain.mkdir()
        yield plain, None, "needs root: only the process's own count"
        return
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    try:
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        _run("mount", "-o", "loop,noatime", str(image), str(mounted))
    except ChildError as error:
        plain.mkdir()
        yield plain, None, str(error)
        return
    try:
        device = Path(_run("findmnt", "-n", "-o", "SOURCE", str(mounted)).strip()).name
        time.sleep(1)  # what making it has left to write
        yield mounted / "data", device, ""
    finally:
        _run("umount", str(mounted))


def _run(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise ChildError(f"{words[0]} is not installed") from None
    if done.returncode != 0:
        raise ChildError(f"{' '.join(words[:2])}: {done.stderr.strip()[:200]}")
    return done.stdout
