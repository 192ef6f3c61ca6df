"""Where the microseconds of one message go: the ingest's own parts on a prepared load, without a broker.

Processor time of this process, so a busy machine distorts it less than the clock on the wall. The
committer, its database and its lanes are the real ones; only the link is made of lists, and marks when it
is called.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from bench.loads import Loads
from hub.db import open_database
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.judging.lean import decode_lean
from hub.ingest.link.arrival import Arrival
from hub.ingest.link.wire import Splitter, pubacks
from hub.ingest.lock import IngestLock
from hub.ingest.service import collect_rarely
from hub.ingest.unflushed import AT_LEAST
from hub.migrations.runner import upgrade
from hub.settings import IngestSettings

_READ_BYTES = 256 * 1024
_AT_ONCE = 5000
_COMMUNE = "tram-than"
_RATED_W = 60.0


@dataclass(frozen=True, slots=True)
class Stages:
    """Processor microseconds per message, by part."""

    receive_us: float
    decode_us: float
    judge_us: float
    commit_us: float
    confirm_us: float

    @property
    def sum_us(self) -> float:
        """All parts together."""
        return round(self.receive_us + self.decode_us + self.judge_us + self.commit_us + self.confirm_us, 2)


@dataclass(frozen=True, slots=True)
class Cast:
    """(node, pole) pairs: whom the hub knows and has heard often, and who of them speaks while measured."""

    known: Sequence[tuple[str, str]]
    speaking: Sequence[tuple[str, str]]


@dataclass(slots=True)
class _Spent:
    """Processor seconds by part, added up over so many messages; judging decodes, too."""

    receive_s: float = 0.0
    decode_s: float = 0.0
    judge_s: float = 0.0
    commit_s: float = 0.0
    confirm_s: float = 0.0
    messages: int = 0

    def stages(self) -> Stages:
        seconds = (
            self.receive_s,
            self.decode_s,
            self.judge_s - self.decode_s,
            self.commit_s,
            self.confirm_s,
        )
        return Stages(*(round(one / self.messages * 1e6, 2) for one in seconds))


class _MarkingLink:
    """A BrokerLink of lists that notes the processor time at each call."""

    def __init__(self) -> None:
        self.connected_since: float | None = 0.0
        self.crowded = False
        self.waiting: list[Arrival] = []
        self.taken_s = self.acknowledged_s = 0.0
        self.sent_bytes = 0

    def take(self, at_most: int, timeout_s: float) -> list[Arrival]:  # noqa: ARG002
        taken, self.waiting = self.waiting[:at_most], self.waiting[at_most:]
        self.taken_s = time.process_time()
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        self.acknowledged_s = time.process_time()
        self.sent_bytes += len(pubacks([came.mid for came in arrivals]))

    def publish(
        self,
        topic: str,  # noqa: ARG002
        payload: bytes,
        *,
        expiry_s: int | None,  # noqa: ARG002
        retain: bool = False,  # noqa: ARG002
    ) -> bool:
        self.sent_bytes += len(payload)
        return True

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self.sent_bytes += sum([len(payload) for _, payload in messages])


class _Measured:
    """A committer on a fresh database and a load for it; `spent` are the times between its calls.

    Its monotonic clock runs only while it works, so that others may be measured in turn with it.
    """

    def __init__(self, folder: Path, cast: Cast, messages: int) -> None:
        self.spent = _Spent()
        self._begun_s = self._worked_s = 0.0
        self._since_s: float | None = None
        self._link = _MarkingLink()
        self._engine = open_database(f"sqlite:///{folder}/stages.db")
        upgrade(self._engine)
        self._lock = IngestLock(self._engine)
        event.listen(self._engine, "begin", self._begin)
        settings = IngestSettings(linger_ms=0)
        directory = InMemoryDirectory(
            *(KnownNode(node, _COMMUNE, frozenset({pole}), {pole: _RATED_W}) for node, pole in cast.known)
        )
        chores = ChoreList(self._engine, SqlOutbox(self._engine), self._link, settings, lambda: True)
        clocks = Clocks(monotonic_s=self._monotonic_s)
        self._committer = Committer(
            self._engine, self._lock, self._link, directory, chores, settings, clocks
        )
        self._splitter = Splitter(1)
        self._committer.step()
        self._at = 0
        loads = Loads(_COMMUNE, "stages", datetime.now(UTC))
        self._packets = loads.warm_up(cast.known).packets
        while self.take_some():
            pass
        for _ in range(2 + len(cast.known) // AT_LEAST):  # what the warm-up left to write
            self._worked_s += 1.0
            self._committer.step()
        self.spent = _Spent()
        self._at = 0
        self._packets = loads.measured(cast.speaking, messages).packets

    def close(self) -> None:
        self._committer.stop()
        self._committer.run()
        self._lock.release()
        self._engine.dispose()

    def take_some(self) -> bool:
        """Take the next few thousand messages of the load; False once none is left."""
        self._since_s = time.monotonic()
        came = self._receive()
        begun_s = time.process_time()
        for one in came:
            decode_lean(one.payload)
        self.spent.decode_s += time.process_time() - begun_s
        self._link.waiting.extend(came)
        while self._link.waiting:
            self._committer.step()
            ended_s = time.process_time()
            self.spent.judge_s += self._begun_s - self._link.taken_s
            self.spent.commit_s += self._link.acknowledged_s - self._begun_s
            self.spent.confirm_s += ended_s - self._link.acknowledged_s
        self.spent.messages += len(came)
        self._worked_s, self._since_s = self._monotonic_s(), None
        return self._at < len(self._packets)

    def _receive(self) -> list[Arrival]:
        came: list[Arrival] = []
        begun_s = time.process_time()
        while self._at < len(self._packets) and len(came) < _AT_ONCE:
            arrivals, _ = self._splitter.feed(self._packets[self._at : self._at + _READ_BYTES], time.time())
            self._at += _READ_BYTES
            came += arrivals
        self.spent.receive_s += time.process_time() - begun_s
        return came

    def _monotonic_s(self) -> float:
        return self._worked_s + (0.0 if self._since_s is None else time.monotonic() - self._since_s)

    def _begin(self, _connection: object) -> None:
        # Readers of the same round begin too; the writer is the last.
        self._begun_s = time.process_time()


def measure_stages(folder: Path, casts: Sequence[Cast], *, messages: int) -> list[Stages]:
    """One measurement for each cast, on new databases in `folder`.

    All in one process, a few thousand messages of each in turn: what else the machine does meets them alike.
    """
    before = gc.get_threshold()
    collect_rarely()  # as the ingest's own process does
    measured: list[_Measured] = []
    try:
        for place, cast in enumerate(casts):
            here = folder / f"stages-{place}"
            here.mkdir()
            measured.append(_Measured(here, cast, messages))
        going_on = True
        while going_on:
            going_on = all([one.take_some() for one in measured])  # noqa: C419  # each of them, not the first few
        return [one.spent.stages() for one in measured]
    finally:
        gc.set_threshold(*before)
        for one in measured:
            one.close()
