"""The whole stack on one machine: prepare what is missing, start in an order that is quick, stop in one
that loses nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic

import msgspec

from launcher.console import Console
from launcher.errors import LaunchError
from launcher.etc_files import write_settings
from launcher.jobs import ngonden, run_job
from launcher.manifest import locked, read_manifest, write_manifest
from launcher.options import Options, Settled, settle
from launcher.readiness import ask
from launcher.supervisor import Child, ChildSpec
from provisioning.files import private_dir
from provisioning.layout import Layout, ProvisioningError
from simulators.commune import Commune, ScenarioError
from simulators.files import write_scenario_files
from simulators.scenario import Scenario, commune_of, load_scenario

READY_WITHIN_S = 90.0
GIVE_UP_AFTER_ENDS = 3
"""A child that ends so often before the stack is ready will not come up by itself."""


async def up(options: Options, console: Console, *, as_json: bool) -> None:
    """Run the stack until SIGINT or SIGTERM; a second one kills instead of asking.

    Raises LaunchError where it can't come up.
    """
    started_s = monotonic()
    with locked(options.data):
        settled = settle(options, read_manifest(options.data))
        try:
            scenario = load_scenario(settled.manifest.scenario)
            commune = commune_of(scenario)
        except ScenarioError as error:
            raise LaunchError(str(error)) from None
        stack = Stack(settled, scenario, commune, console)
        stop = asyncio.Event()
        _on_signals(stop, stack)
        try:
            await stack.start(stop)
            if not stop.is_set():
                _announce(stack, monotonic() - started_s, as_json=as_json)
                await stop.wait()
        finally:
            await stack.stop()


class Stack:
    """Broker, hub, web and simulated nodes over one data directory."""

    def __init__(self, settled: Settled, scenario: Scenario, commune: Commune, console: Console) -> None:
        self.settled = settled
        self._scenario = scenario
        self._commune = commune
        self.console = console
        config = Layout(settled.data).broker_config
        manifest = settled.manifest
        interval = settled.sample_interval_s
        simulate = ["sim", "commune", "--scenario", manifest.scenario, "--data", str(settled.data)]
        simulate += ["--broker-port", str(manifest.broker_port)]
        simulate += ["--sample-interval", str(interval)] if interval is not None else []
        self.broker = self._child("broker", [settled.mosquitto, "-c", str(config)], stop_within_s=5.0)
        self.hub = self._child("hub", ngonden("hub", "run", "--config", str(settled.hub_config)))
        self.notify = self._child(
            "notify", ngonden("hub", "notify", "--config", str(settled.hub_config)), stop_within_s=30.0
        )
        self.web = self._child(
            "web", ngonden("web", "--config", str(settled.web_config)), stop_within_s=5.0
        )
        self.sim = self._child("sim", ngonden(*simulate))

    @property
    def children(self) -> tuple[Child, ...]:
        """In the order of starting; stopped the other way round."""
        return (self.broker, self.hub, self.notify, self.web, self.sim)

    async def start(self, stop: asyncio.Event) -> None:
        """Bring everything up, or return early when `stop` is set; raises LaunchError."""
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.wait([starting, stopping])

    async def stop(self) -> None:
        """Nodes say goodbye first, the broker goes last; whoever exceeds its limit is killed."""
        self.console.say("stopping")
        for child in reversed(self.children):
            await child.stop()
        self.console.say("stopped; all data is kept in " + str(self.settled.data))

    def kill(self) -> None:
        """Everything at once: each part is built to survive that."""
        for child in self.children:
            child.kill()

    async def _start(self) -> None:
        settled = self.settled
        write_settings(settled, commune=self._commune.file.code)
        write_manifest(settled.data, settled.manifest)
        if settled.manifest.imported:
            # The slowest to start and what a visitor waits for; it needs no broker.
            self.web.start()
        await asyncio.to_thread(self._found)
        self.broker.start()
        if not settled.manifest.imported:
            await self._import()
            self.web.start()
        self.hub.start()
        async with asyncio.TaskGroup() as group:
            nodes = group.create_task(asyncio.to_thread(self._issue_nodes))
            await self._answers("/healthz")
            await nodes
            # Only now: 219 TLS handshakes and another process would take the processor from the first page.
            self.sim.start()
            self.notify.start()
            group.create_task(self._first_login())
            await self._answers("/readyz")

    async def _import(self) -> None:
        """A first start: tables, poles and money, each by the hub's own command."""
        settled = self.settled
        self.console.say(f"first start: setting up {self._scenario.title} in {settled.data}")
        private_dir(settled.data / "scenario")
        files = write_scenario_files(self._commune, settled.data / "scenario", seed=self._scenario.seed)
        database = ["--database", settled.manifest.database]
        for what, arguments in (
            ("making the tables", ["migrate", *database]),
            ("importing the registry", ["import", str(files.registry), *database]),
            ("importing the money", ["fund-import", str(files.funding), *database]),
        ):
            await run_job("hub", what, ["hub", *arguments], self.console)
        write_manifest(settled.data, msgspec.structs.replace(settled.manifest, imported=True))

    async def _first_login(self) -> None:
        settled = self.settled
        settled.first_login_file.unlink(missing_ok=True)
        arguments = ["hub", "first-login", "--database", settled.manifest.database]
        arguments += ["--file", str(settled.first_login_file), "--base-url", settled.address]
        await run_job("hub", "making the first login", arguments, self.console)

    def _found(self) -> None:
        # Imported here, in a thread: the library for certificates takes as long to load as all the rest.
        from provisioning.issuing import found

        port = self.settled.manifest.broker_port
        with _as_launch_error():
            found(self.settled.data, now=datetime.now(UTC), port=port)

    def _issue_nodes(self) -> None:
        from provisioning.issuing import issue_nodes

        pairs = dict.fromkeys((self._commune.file.code, pole.node) for pole in self._commune.poles)
        port = self.settled.manifest.broker_port
        with _as_launch_error():
            issue_nodes(self.settled.data, pairs, now=datetime.now(UTC), port=port)

    async def _answers(self, path: str) -> None:
        """Wait until the web server answers 200; raises LaunchError with its last reason."""
        deadline_s = monotonic() + READY_WITHIN_S
        while True:
            answer = await ask(self.settled.web_port, path)
            if answer.status == 200:
                return
            for child in self.children:
                if child.ends >= GIVE_UP_AFTER_ENDS:
                    raise LaunchError(f"{child.spec.name} does not stay up; its lines above say why")
            if monotonic() > deadline_s:
                raise LaunchError(f"not ready after {READY_WITHIN_S:.0f} s: {answer.text or answer.status}")
            await asyncio.sleep(0.1)

    def _child(self, name: str, argv: list[str], *, stop_within_s: float = 10.0) -> Child:
        env = {"PYTHONUNBUFFERED": "1"} | ({"FORCE_COLOR": "1"} if self.console.colored else {})
        return Child(ChildSpec(name=name, argv=argv, env=env, stop_within_s=stop_within_s), self.console)


@contextmanager
def _as_launch_error() -> Iterator[None]:
    try:
        yield
    except ProvisioningError as error:
        raise LaunchError(str(error)) from None


def _on_signals(stop: asyncio.Event, stack: Stack) -> None:
    def asked() -> None:
        if stop.is_set():
            stack.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked)


def _announce(stack: Stack, ready_s: float, *, as_json: bool) -> None:
    settled = stack.settled
    login = settled.first_login_file
    address = login.read_text(encoding="utf-8").strip() if login.exists() else f"{settled.address}/login"
    if as_json:
        pids = {"up": os.getpid()} | {child.spec.name: child.pid for child in stack.children}
        facts = {
            "address": settled.address,
            "first_login_file": str(login) if login.exists() else None,
            "data": str(settled.data),
            "scenario": settled.manifest.scenario,
            "broker_port": settled.manifest.broker_port,
            "ready_s": round(ready_s, 2),
            "pids": pids,
        }
        print(json.dumps(facts), file=sys.stdout, flush=True)
    console = stack.console
    console.say(f"ready in {ready_s:.1f} s: {settled.address}")
    console.say(f"sign in: {address}" if login.exists() else f"sign in at {address}")
    console.say("Ctrl-C stops everything; the data stays")
