"""The agent's part that updates it; loads what it needs only where there is something to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import structlog

from edge.config import NodeConfig
from edge.outbox.journal import Journal
from edge.update.origin import Origin
from edge.version import AGENT_VERSION
from protocol.messages import AgentRelease

if TYPE_CHECKING:
    from edge.update.follow import Follower
    from edge.update.trial import LampWord


class UpdatePart:
    """`pieces` are coroutines to run beside the agent's others; `wants` takes the hub's word."""

    def __init__(
        self,
        config: NodeConfig,
        origin: Origin,
        *,
        journal: Journal,
        lights: Mapping[str, LampWord],
        start_anew: Callable[[], None],
        random: Random,
    ) -> None:
        self._journal = journal
        self._follower: Follower | None = None
        self.pieces: list[Callable[[], Coroutine[Any, Any, None]]] = []
        releases = Path(config.data_dir) / "releases"
        if releases.is_dir():
            from edge.update.trial import TrialWatch, running_release

            watch = TrialWatch(
                releases,
                running=running_release(releases),
                version=AGENT_VERSION,
                tell=self._tell,
                confirmed=journal.stored_anew,
                lights=lights,
                start_anew=start_anew,
            )
            self.pieces.append(lambda: _and_stay(watch.run()))
        if config.update.base_url is None:
            return
        if origin.launcher is None:
            structlog.get_logger().warning("update_off", error="start the agent by edge.update.launch")
            return
        from edge.update.follow import Follower
        from edge.update.trial import running_release

        self._follower = Follower(
            releases,
            config_file=origin.config_file,
            settings=config.update,
            identity=config.broker,
            running=running_release(releases),
            version=AGENT_VERSION,
            tell=self._tell,
            lights=lights,
            start_anew=start_anew,
            random=random,
        )
        self.pieces.append(self._follower.run)

    def wants(self, release: AgentRelease | None) -> None:
        """The release that the configuration in force names."""
        if self._follower is not None:
            self._follower.wants(release)

    async def _tell(self, kind: str, detail: Mapping[str, str | int | float | bool | None]) -> None:
        self._journal.later(kind, detail=dict(detail))
        await self._journal.record()


async def _and_stay(work: Coroutine[Any, Any, None]) -> None:
    """The agent's pieces run until they are cancelled; this one has done its work before."""
    await work
    await asyncio.Event().wait()
