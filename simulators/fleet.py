"""Many nodes in one process: each the real agent with its own outbox, certificate and connection."""

from __future__ import annotations

import asyncio
import resource
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import structlog

from edge.agent import Agent
from edge.clock import Clock
from edge.config import (
    BrokerSettings,
    CameraSettings,
    LampSettings,
    MeterSettings,
    NodeConfig,
    PhotocellSettings,
    PoleSettings,
)
from edge.devices import Devices
from simulators.commune import PoleSite, ScenarioError
from simulators.devices import SimulatedWorld
from simulators.seeded import seeded

log = structlog.get_logger()

WORLD_STEP_S = 2.0
RESTART_PAUSE_S = 5.0

_FILES_PER_NODE = 6
"""A socket, and the outbox with its write-ahead log and index; the rest is room for moments of overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """How a scenario is run. `nodes` holds one directory per node, as `ngonden provision node` made it."""

    nodes: Path
    broker_port: int | None = None
    """Another port than the one in each node.toml, such as one found free today."""
    sample_interval_s: float
    start_spread_s: float = 4.0
    """Starts are spread over this time: 219 TLS handshakes at once would only wait for each other."""


def node_config(settings: FleetSettings, node: str, commune: str, sites: Iterable[PoleSite]) -> NodeConfig:
    """The configuration of one simulated node; raises ScenarioError where it has not been provisioned."""
    folder = settings.nodes / node
    poles = [
        PoleSettings(
            code=site.code,
            latitude=site.latitude,
            longitude=site.longitude,
            lamp_rated_w=site.lamp_rated_w,
            lamp=LampSettings(driver="mock"),
            # In some scenarios it is night for days.
            photocell=PhotocellSettings(driver="mock", doubt_dark=False),
            meter=MeterSettings(driver="mock"),
            cameras=[CameraSettings(code=code, driver="mock") for code in site.cameras],
        )
        for site in sites
    ]
    return NodeConfig(
        node=node,
        commune=commune,
        data_dir=str(folder / "data"),
        broker=_broker_settings(folder, settings.broker_port),
        poles=poles,
        # This machine's clock is as good for all of them as NTP is for a Pi.
        clock="trusted",
        sample_interval_s=settings.sample_interval_s,
    )


async def run_fleet(
    world: SimulatedWorld,
    settings: FleetSettings,
    clock: Clock,
    stop: asyncio.Event,
    *,
    on_step: Callable[[], None] = lambda: None,
) -> None:
    """Run every node of the world until `stop` is set; each says goodbye to the broker.

    `on_step` is called whenever the world moved, about every 2 s, and once at the end.

    Raises ScenarioError before anything starts when a node has no certificate.
    """
    sites = sorted((pole.site for pole in world.poles.values()), key=lambda site: (site.node, site.code))
    by_node = {node: list(group) for node, group in groupby(sites, key=lambda site: site.node)}
    commune = world.commune.file.code
    configs = {node: node_config(settings, node, commune, group) for node, group in by_node.items()}
    _allow_open_files(len(configs) * _FILES_PER_NODE + 200)
    silent_after_s = {one.node: one.after_s for one in world.scenario.faults.nodes_silent}
    random = seeded(world.scenario.seed, "starts")
    log.info("nodes start", nodes=len(configs), sample_interval_s=settings.sample_interval_s)
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="outbox") as executor:
        async with asyncio.TaskGroup() as group:
            group.create_task(_move_world(world, clock, stop, on_step))
            for node, config in configs.items():
                node_run = _NodeRun(
                    config,
                    world,
                    clock,
                    executor,
                    seeded(world.scenario.seed, node),
                    stop,
                )
                delay_s = random.uniform(0, settings.start_spread_s)
                group.create_task(node_run.live(delay_s, silent_after_s.get(node)), name=node)
    on_step()
    log.info("nodes stopped", nodes=len(configs))


@dataclass(slots=True)
class _NodeRun:
    config: NodeConfig
    world: SimulatedWorld
    clock: Clock
    executor: Executor
    random: Random
    stop: asyncio.Event

    async def live(self, delay_s: float, silent_after_s: float | None) -> None:
        """Start after `delay_s`, run, start again after a crash as systemd does on a Pi."""
        if await _stopped_within(self.stop, delay_s):
            return
        while not self.stop.is_set():
            poles = {site.code: self.world.poles[site.code].for_agent() for site in self._sites()}
            agent = Agent(
                self.config, Devices(poles), self.clock, executor=self.executor, random=self.random
            )
            try:
                if silent_after_s is None:
                    await agent.run(self.stop)
                else:
                    await self._fall_silent(agent, silent_after_s)
            except Exception:
                # One node that falls must not take 218 neighbours with it.
                log.exception("node fell", node=self.config.node)
                await _stopped_within(self.stop, RESTART_PAUSE_S)

    async def _fall_silent(self, agent: Agent, after_s: float) -> None:
        """Run for a while, then drop everything without a goodbye and stay away until the stop."""
        running = asyncio.create_task(agent.run(self.stop))
        if await _stopped_within(self.stop, after_s):
            await running
            return
        running.cancel()
        await asyncio.wait([running])
        log.info("node falls silent, as the scenario wants", node=self.config.node)
        await self.stop.wait()

    def _sites(self) -> list[PoleSite]:
        return [self.world.poles[pole.code].site for pole in self.config.poles]


async def _move_world(
    world: SimulatedWorld, clock: Clock, stop: asyncio.Event, on_step: Callable[[], None]
) -> None:
    while not await _stopped_within(stop, WORLD_STEP_S):
        world.step(clock.now())
        on_step()


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


def _broker_settings(folder: Path, port: int | None) -> BrokerSettings:
    """Identity and address from the node.toml that provisioning wrote; the poles come from the scenario."""
    path = folder / "node.toml"
    try:
        broker: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["broker"]
        return BrokerSettings(
            host=broker["host"],
            port=port or broker["port"],
            ca_file=str(folder / broker["ca_file"]),
            cert_file=str(folder / broker["cert_file"]),
            key_file=str(folder / broker["key_file"]),
        )
    except FileNotFoundError:
        raise ScenarioError(
            f"{path} is missing: provision the scenario's nodes first "
            "(ngonden sim scenario NAME --out DIR; ngonden provision node --all DIR/registry.csv --data DATA)"
        ) from None
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ScenarioError(
            f"{path} has no usable [broker] table ({error}): delete it and provision again"
        ) from None


def _allow_open_files(wanted: int) -> None:
    """Raise this process's own limit; Debian gives 1024, which 219 outboxes pass."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            raise ScenarioError(
                f"{wanted} open files are needed, this machine allows {hard}: raise `ulimit -Hn`"
            )
