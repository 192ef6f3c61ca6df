"""What the committer does beside messages: what goes out to nodes, drained telemetry, statistics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Engine

from hub.commands.delivery import Outgoing, overdue, to_send
from hub.db import reading
from hub.ingest.committing.commit import Chores
from hub.ingest.committing.outbox import Drained, SqlOutbox
from hub.ingest.judging.batch import Batch
from hub.ingest.link.arrival import Reject, rejected_point
from hub.ingest.link.config_sender import ConfigSender
from hub.ingest.link.port import BrokerLink
from hub.ingest.state import IngestState
from hub.settings import IngestSettings

_ALIVE_EVERY_S = 2.0
_PRUNE_EVERY_S = 600.0


class ChoreList:
    """Collects what rides along with the next commit; `committed` and `rolled_back` tell how that went."""

    def __init__(
        self,
        engine: Engine,
        outbox: SqlOutbox,
        link: BrokerLink,
        settings: IngestSettings,
        store_up: Callable[[], bool],
    ) -> None:
        self._reader = reading(engine)
        self._configs = ConfigSender(self._reader, link)
        self._outbox = outbox
        self._link = link
        self._settings = settings
        self._poll_due = float("-inf")
        self._alive_due = float("-inf")
        self._prune_due = float("-inf")
        self._reborn: set[str] = set()
        self._drained = Drained()
        self._held_back: list[int] = []
        self._keeping: list[int] = []
        self._store_up = store_up
        self.disk_full = False
        """Whether messages wait for room on the database's disk: part of the sign of life."""

    @property
    def next_due_s(self) -> float:
        """The monotonic second at which a round is wanted even without messages."""
        return min(self._poll_due, self._alive_due)

    def collect(self, state: IngestState, batch: Batch, monotonic_s: float) -> Chores:
        """Everything that is due. Commands are handed to the broker before their row says so.

        A crash in between sends one twice; the node knows it by its id.
        """
        chores = Chores()
        self._reborn |= batch.born
        if monotonic_s >= self._poll_due:
            self._poll_due = monotonic_s + self._settings.command_poll_ms / 1000
            self._collect_commands(state, chores, batch.now)
            self._configs.send(batch.directory)
        self._collect_drained(state, chores, batch.now)
        if monotonic_s >= self._alive_due:
            self._alive_due = monotonic_s + _ALIVE_EVERY_S
            chores.stats |= self._stats(state, batch.now)
            chores.adapted_configs = self._configs.adapted(state, batch.directory, batch.now)
        if monotonic_s >= self._prune_due:
            self._prune_due = monotonic_s + _PRUNE_EVERY_S
            chores.reject_keep_rows = self._settings.reject_keep_rows
        return chores

    def none(self) -> Chores:
        """Nothing."""
        return Chores()

    def last(self, state: IngestState, now: datetime) -> Chores:
        """What a process that ends leaves behind."""
        chores = Chores()
        self._collect_drained(state, chores, now)
        chores.stats |= self._stats(state, now)
        return chores

    def committed(self, batch: Batch) -> None:
        """The rows are on disk."""
        self._drained = Drained()
        self._held_back = self._keeping
        if batch.points or batch.messages:
            self._outbox.wake()

    def rolled_back(self) -> None:
        """They are not: offer them again."""
        self._outbox.give_back(self._drained)
        self._drained = Drained()
        self._keeping = self._held_back
        self._configs.forget()
        self._poll_due = self._alive_due = float("-inf")

    def _collect_commands(self, state: IngestState, chores: Chores, now: datetime) -> None:
        """So many a round that a whole province's commands never hold up a sample."""
        at_most = max(1, int(self._settings.commands_per_s * self._settings.command_poll_ms / 1000))
        reborn = set(islice(self._reborn, at_most))
        with self._reader.connect() as conn:
            outgoing = to_send(conn, now, at_most=at_most, reborn=reborn, communes=state.scope.tokens)
            chores.expired_commands = overdue(conn, now)
        sent = [one.id for one in outgoing if self._send(one, now)]
        if len(sent) == len(outgoing):
            self._reborn -= reborn
        chores.sent_commands = sent

    def _send(self, one: Outgoing, now: datetime) -> bool:
        left_s = int((one.expires_at - now) / timedelta(seconds=1))
        return self._link.publish(one.topic, one.payload, expiry_s=max(1, left_s))

    def _collect_drained(self, state: IngestState, chores: Chores, now: datetime) -> None:
        self._drained = self._outbox.take_drained()
        state.drained["points_written"] += self._drained.points
        state.drained["points_refused"] += len(self._drained.refused)
        # A row that a restart would still need stays, drained or not.
        chores.checkpoint = state.unflushed.checkpoint()
        done = self._held_back + self._drained.ids
        chores.drained = [number for number in done if number <= chores.checkpoint]
        self._keeping = [number for number in done if number > chores.checkpoint]
        refused: list[Reject] = [
            rejected_point(point, words, now) for point, words in self._drained.refused
        ]
        chores.refused_points = refused
        if self._drained.ids:
            chores.stats["telemetry"] = {**state.drained, "store_up": self._store_up()}

    def _stats(self, state: IngestState, now: datetime) -> dict[str, object]:
        return {
            "alive": {
                "at": now.isoformat(),
                "broker_connected": self._link.connected_since is not None,
                "disk_full": self.disk_full,
            },
            "latency_ms": state.latency_ms.to_json(),
            "telemetry": {**state.drained, "store_up": self._store_up()},
        }
