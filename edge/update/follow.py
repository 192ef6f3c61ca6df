"""Following the hub's word on which release this node should run: fetch, install, switch, begin anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import structlog

from edge.config import BrokerSettings
from edge.config.update import UpdateSettings
from edge.update.launch import FAILED, Failed, read_record
from edge.update.names import UpdateError, file_name, release_name
from edge.update.trial import LampWord, Tell
from edge.waiting import wait_for
from protocol.messages import AgentRelease

FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 6 * 3600.0
MOST_ROLLBACKS = 2
"""A release that was rolled back so often is not tried again on the hub's word; by hand it is."""


class Follower:
    """`wants` takes the hub's word; `run` acts on the newest. Does nothing without a `base_url`."""

    def __init__(
        self,
        releases: Path,
        *,
        config_file: Path | None,
        settings: UpdateSettings,
        identity: BrokerSettings,
        running: str,
        version: str,
        tell: Tell,
        lights: Mapping[str, LampWord],
        start_anew: Callable[[], None],
        random: Random,
    ) -> None:
        self._releases = releases
        self._config_file = config_file
        self._settings = settings
        self._identity = identity
        self._running = running
        self._version = version
        self._tell = tell
        self._lights = lights
        self._start_anew = start_anew
        self._random = random
        self._wanted: AgentRelease | None = None
        self._changed = asyncio.Event()
        self._stopped = False
        self._log = structlog.get_logger()

    def wants(self, release: AgentRelease | None) -> None:
        """The hub's newest word; None: whatever runs."""
        if release != self._wanted:
            self._wanted = release
            self._changed.set()

    async def run(self) -> None:
        """Bring the node to the wanted release, at pauses that grow while that fails, for ever."""
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                self._changed.clear()
                wanted = self._wanted
                done = wanted is None or self._runs(wanted) or await self._tried(wanted)
                if await wait_for(
                    self._changed, None if done else pause_s * self._random.uniform(0.5, 1.0)
                ):
                    pause_s = FIRST_PAUSE_S
                else:
                    pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
        finally:
            self._stopped = True  # the thread that fetches looks here

    def _runs(self, wanted: AgentRelease) -> bool:
        if self._running:
            return self._running == release_name(wanted.version, wanted.sha256)
        return self._version == wanted.version

    async def _tried(self, wanted: AgentRelease) -> bool:
        """Whether there is nothing more to do about it until the hub says something else."""
        name = release_name(wanted.version, wanted.sha256)
        failed = await asyncio.to_thread(read_record, self._releases / FAILED, Failed)
        if failed is not None and failed.attempts.get(name, 0) >= MOST_ROLLBACKS:
            self._log.warning("update_not_tried_again", release=name, reason=failed.reason)
            return True
        try:
            await asyncio.to_thread(self._fetch_and_install, wanted)
            excused = [pole for pole, light in self._lights.items() if light.output_fault is not None]
            await self._tell("agent_update_started", {"release": name, "version": wanted.version})
            await asyncio.to_thread(self._begin, name, excused)
        except UpdateError as error:
            self._log.error("update_refused", release=name, error=str(error))
            return False
        except OSError as error:
            self._log.warning("update_waits", release=name, error=str(error))
            return False
        self._log.info("agent_update_started", release=name)
        self._start_anew()
        return True

    def _fetch_and_install(self, wanted: AgentRelease) -> None:
        # HTTP, TLS and tar are loaded when there is something to fetch, which is a few times a year.
        from edge.update.download import fetch
        from edge.update.install import install

        self._releases.mkdir(parents=True, exist_ok=True)
        name = file_name(wanted.version, wanted.sha256)
        part = self._releases / f".part-{wanted.sha256[:12]}"
        for other in self._releases.glob(".part-*"):
            if other != part:
                other.unlink()
        fetch(
            f"{self._settings.base_url}/{name}",
            part,
            sha256=wanted.sha256,
            identity=self._identity,
            bytes_per_s=self._settings.rate_kb_s * 1000,
            stopped=lambda: self._stopped,
        )
        install(self._releases, part, sha256=wanted.sha256, config=self._config_file)
        part.unlink()

    def _begin(self, name: str, excused: list[str]) -> None:
        from edge.update.install import begin_trial

        begin_trial(
            self._releases,
            name,
            starts_allowed=self._settings.trial_starts,
            trial_s=self._settings.trial_s,
            announced=True,
            excused=excused,
        )
