"""Where the microseconds of one message go: the ingest's own parts on a prepared load, without a broker.

Processor time of this process, so a busy machine distorts it less than the clock on the wall. The
committer, its database and its lanes are the real ones; only the link is made of lists, and marks when it
is called.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, event

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
from hub.migrations.runner import upgrade
from hub.settings import IngestSettings
from simulators.traffic.load import PreparedLoad, prepare

WARM_TURNS = 4
"""After so many messages of a node the ingest knows what is usual of it."""

_READ_BYTES = 256 * 1024
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
        qos: int = 1,  # noqa: ARG002
    ) -> bool:
        self.sent_bytes += len(payload)
        return True


class _Measured:
    """A committer on a fresh database, with the times between its calls added up."""

    def __init__(self, engine: Engine, nodes: Sequence[tuple[str, str]]) -> None:
        self.judge_s = self.commit_s = self.confirm_s = 0.0
        self._begun_s = 0.0
        self._link = _MarkingLink()
        self._lock = IngestLock(engine)
        event.listen(engine, "begin", self._begin)
        settings = IngestSettings(linger_ms=0)
        directory = InMemoryDirectory(
            *(KnownNode(node, _COMMUNE, frozenset({pole}), {pole: _RATED_W}) for node, pole in nodes)
        )
        chores = ChoreList(engine, SqlOutbox(engine), self._link, settings, lambda: True)
        self._committer = Committer(engine, self._lock, self._link, directory, chores, settings, Clocks())
        self._committer.step()

    def close(self) -> None:
        self._committer.stop()
        self._committer.run()
        self._lock.release()

    def take(self, came: Sequence[Arrival]) -> None:
        self._link.waiting.extend(came)
        while self._link.waiting:
            self._committer.step()
            ended_s = time.process_time()
            self.judge_s += self._begun_s - self._link.taken_s
            self.commit_s += self._link.acknowledged_s - self._begun_s
            self.confirm_s += ended_s - self._link.acknowledged_s

    def _begin(self, _connection: object) -> None:
        # Readers of the same round begin too; the writer is the last.
        self._begun_s = time.process_time()


def best_stages(
    folder: Path, nodes: Sequence[Sequence[tuple[str, str]]], *, messages: int, times: int = 3
) -> list[Stages]:
    """For each of these sets of nodes the cheapest of some measurements, taken in turn.

    What a busy machine adds is not the ingest's.
    """
    found: list[list[Stages]] = [[] for _ in nodes]
    for number in range(times):
        for place, one in enumerate(nodes):
            here = folder / f"stages-{place}-{number}"
            here.mkdir()
            found[place].append(run_stages(here, nodes=one, messages=messages))
            shutil.rmtree(here)
    return [min(some, key=lambda one: one.sum_us) for some in found]


def run_stages(folder: Path, *, nodes: Sequence[tuple[str, str]], messages: int) -> Stages:
    """Measure on a new database in `folder`; every node is known and was heard before."""
    engine = open_database(f"sqlite:///{folder}/stages.db")
    upgrade(engine)
    measured = _Measured(engine, nodes)
    before = gc.get_threshold()
    collect_rarely()  # as the ingest's own process does
    try:
        now = datetime.now(UTC)
        warm = _load(nodes, WARM_TURNS * len(nodes), now)
        came, _ = Splitter(1).feed(warm.packets, time.time())
        measured.take(came)
        load = _load(nodes, messages + WARM_TURNS * len(nodes), now)
        measured.judge_s = measured.commit_s = measured.confirm_s = 0.0
        receive_s, arrivals = _receive(load.packets)
        receive_s *= messages / load.messages
        arrivals = arrivals[len(came) :]  # their seqs go on where the first load ended
        begun_s = time.process_time()
        for one in arrivals:
            decode_lean(one.payload)
        decode_s = time.process_time() - begun_s
        for start in range(0, len(arrivals), 5000):
            measured.take(arrivals[start : start + 5000])
    finally:
        gc.set_threshold(*before)
        measured.close()
        engine.dispose()
    seconds = (receive_s, decode_s, measured.judge_s - decode_s, measured.commit_s, measured.confirm_s)
    return Stages(*(round(one / len(arrivals) * 1e6, 2) for one in seconds))


def _receive(packets: bytes) -> tuple[float, list[Arrival]]:
    splitter = Splitter(1)
    arrivals: list[Arrival] = []
    begun_s = time.process_time()
    for start in range(0, len(packets), _READ_BYTES):
        came, _ = splitter.feed(packets[start : start + _READ_BYTES], time.time())
        arrivals += came
    return time.process_time() - begun_s, arrivals


def _load(nodes: Sequence[tuple[str, str]], messages: int, now: datetime) -> PreparedLoad:
    return prepare(
        list(nodes), messages, commune=_COMMUNE, run="stages", now=now, lead=timedelta(seconds=60)
    )
