"""What a turn at the database costs: commits of one, two and more workers on one PostgreSQL, and their bytes.

Commits take turns on the row of `hub_revision`. Each worker here is a process with the real committer and its
leases, fed from memory as fast as it takes, with so many messages to a commit; nodes are known and say nothing
out of the ordinary. PostgreSQL fsyncs as it does by default.
"""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import BrokenBarrierError
from uuid import uuid4

from sqlalchemy import Connection, Engine, event, func, insert, select, text

from bench.children import ChildError, free_port, wait_until
from bench.influx_child import influx_child
from bench.postgres import BenchPostgres
from bench.telemetry_year import points_of
from hub.db import open_database, reading
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.link.port import InMemoryLink
from hub.ingest.scaling.leases import LeaseLock
from hub.ingest.scope import Scope
from hub.ingest.tables import ingest_lease, telemetry_outbox
from hub.migrations.runner import upgrade
from hub.settings import IngestSettings
from hub.telemetry.factory import open_store
from protocol import Kind, LampReading, MeterReading, Sample, Telemetry, encode, topic

NODES = 2000
"""Per worker."""

PER_COMMIT = (1, 100, 2000)
INFLUX_HOURS = 24
_RATED_W = 60.0
_SEQ = 999_999_999
_COMES_UP_WITHIN_S = 120.0
_AT_ONCE = 5000
_QUICK_TO_PACK = {
    "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s",
    "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION": "1s",
}


@dataclass(frozen=True, slots=True)
class Turns:
    """One measurement; rates are of all workers together, `rows` are inserted, updated and deleted ones."""

    workers: int
    per_commit: int
    commits_per_s: float
    msgs_per_s: float
    cpu_us_per_msg: float
    """Processor time of the workers, the feeding included."""
    postgres_cpu_us_per_msg: float
    """Of their backends; what writes PostgreSQL's files behind them is not in it."""
    rows_per_msg: float
    wal_bytes_per_msg: float
    log_bytes_per_msg: float
    """In `telemetry_outbox` until it is drained."""


@dataclass(frozen=True, slots=True)
class TurnsReport:
    """All measurements; InfluxDB's bytes are of its packed samples, without write-ahead log and index."""

    turns: list[Turns]
    influx_points: int
    influx_bytes_per_sample: float


def run_turns(
    data: Path, *, workers: int, seconds: float, influx_poles: int, progress: Callable[[int], None]
) -> TurnsReport:
    """Measure in `data`, `seconds` for each number of workers and messages; raises ChildError.

    InfluxDB is given a day of `influx_poles`.
    """
    found = []
    with BenchPostgres(settings=("max_wal_size=4GB",)) as server:
        engine = open_database(server.url)
        upgrade(engine)
        for number in range(1, workers + 1):
            for per_commit in PER_COMMIT:
                found.append(_measure(engine, server, number, per_commit, seconds))
                progress(len(found))
        engine.dispose()
    points, influx_bytes = _influx(data, influx_poles)
    return TurnsReport(found, points, round(influx_bytes / points, 1))


def _measure(engine: Engine, server: BenchPostgres, workers: int, per_commit: int, seconds: float) -> Turns:
    names = [f"t{workers}-{per_commit}-{number}" for number in range(workers)]
    with engine.begin() as conn:
        conn.execute(insert(ingest_lease), [{"commune": one, "worker": one, "token": 1} for one in names])
    spawn = multiprocessing.get_context("spawn")
    ready, results = spawn.Barrier(workers + 1), spawn.Queue()
    url = engine.url.render_as_string(hide_password=False)
    writers = [
        spawn.Process(target=_write, args=(url, name, per_commit, seconds, ready, results), daemon=True)
        for name in names
    ]
    for writer in writers:
        writer.start()
    try:
        ready.wait(_COMES_UP_WITHIN_S)
        before = _spent(engine, server)
        counts: list[tuple[int, int, float, float]] = [results.get(timeout=seconds + 60) for _ in writers]
        wait_until(lambda: _alone(engine), within_s=20, what="the writers' connections to end")
        after = _spent(engine, server)
    except (BrokenBarrierError, queue.Empty) as error:
        raise ChildError(f"a writer of the measurement did not come up or ended: {error!r}") from None
    finally:
        for writer in writers:
            writer.join(10)
            writer.kill()
    messages = sum(count for _, count, _, _ in counts)
    with reading(engine).connect() as conn:
        log_bytes, logged = _log_size(conn, names)
    return Turns(
        workers=workers,
        per_commit=per_commit,
        commits_per_s=round(sum(commits / took_s for commits, _, took_s, _ in counts), 1),
        msgs_per_s=round(sum(count / took_s for _, count, took_s, _ in counts), 1),
        cpu_us_per_msg=round(sum(cpu_s for *_, cpu_s in counts) / messages * 1e6, 1),
        postgres_cpu_us_per_msg=round((after[2] - before[2]) / messages * 1e6, 1),
        rows_per_msg=round((after[0] - before[0]) / messages, 3),
        wal_bytes_per_msg=round((after[1] - before[1]) / messages, 1),
        log_bytes_per_msg=round(log_bytes / logged, 1),
    )


def _spent(engine: Engine, server: BenchPostgres) -> tuple[int, int, float]:
    """Rows changed, bytes of write-ahead log, and processor seconds of PostgreSQL's backends so far."""
    with engine.connect() as conn:
        backends = conn.execute(
            text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        ).scalars()
        cpu_s = server.cpu_s(backends)
        rows = conn.execute(
            text("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables")
        ).scalar_one()
        wal = conn.execute(text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")).scalar_one()
    return int(rows), int(wal), cpu_s


def _alone(engine: Engine) -> bool:
    """Whether no other connection is left: PostgreSQL counts the last rows of one as it ends."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with engine.connect() as conn:
        return bool(conn.execute(text(others)).scalar_one() == 1)


def _log_size(conn: Connection, names: Sequence[str]) -> tuple[int, int]:
    size = select(func.sum(func.length(telemetry_outbox.c.payload)), func.sum(telemetry_outbox.c.points))
    log_bytes, points = conn.execute(size.where(telemetry_outbox.c.worker.in_(names))).one()
    return int(log_bytes), int(points)


def _write(
    url: str,
    name: str,
    per_commit: int,
    seconds: float,
    ready: Barrier,
    results: multiprocessing.Queue[object],
) -> None:
    """One worker's process: warm up, wait for the others, commit until the time is over."""
    engine = open_database(url)
    feed = _Feed(engine, name)
    feed.take(NODES)
    # Else what was written to warm up would be counted with what is measured.
    event.listen(engine, "begin", _count_at_once)
    feed.take(NODES)
    event.remove(engine, "begin", _count_at_once)
    ready.wait(_COMES_UP_WITHIN_S)
    started, begun_cpu_s = time.monotonic(), time.process_time()
    commits = 0
    while time.monotonic() - started < seconds:
        feed.take(per_commit)
        commits += 1
    took_s, cpu_s = time.monotonic() - started, time.process_time() - begun_cpu_s
    feed.settle()
    engine.dispose()
    results.put((commits, commits * per_commit, took_s, cpu_s))


def _count_at_once(conn: Connection) -> None:
    conn.exec_driver_sql("SELECT pg_stat_force_next_flush()")


class _Feed:
    """A worker's committer, and its nodes, which speak in turn."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._said = [0] * NODES
        self._next = 0
        self._link = InMemoryLink()
        settings = IngestSettings(linger_ms=0)
        scope = Scope(name, {name: 1})
        nodes = [f"{name}-{number}" for number in range(NODES)]
        self._topics = [topic(name, node, Kind.TELEMETRY) for node in nodes]
        self._texts = [_template(node) for node in nodes]
        directory = InMemoryDirectory(
            *(KnownNode(node, name, frozenset({node.upper()}), {node.upper(): _RATED_W}) for node in nodes)
        )
        chores = ChoreList(engine, SqlOutbox(engine, name), self._link, settings, lambda: True)
        self._committer = Committer(
            engine, LeaseLock(scope), self._link, directory, chores, settings, Clocks(), scope=scope
        )

    def take(self, messages: int) -> None:
        """One commit of so many messages."""
        at = time.time()
        for _ in range(messages):
            place = self._next
            self._next = (place + 1) % NODES
            self._said[place] += 1
            said = self._texts[place].replace(b"%d" % _SEQ, b"%d" % self._said[place])
            self._link.deliver(self._topics[place], said, at=at)
        self._committer.step()
        self._link.published.clear()
        self._link.acknowledged.clear()

    def settle(self) -> None:
        """Write what waits, as an ingest that ends does."""
        self._committer.stop()
        self._committer.run()


def _template(node: str) -> bytes:
    now = datetime.now(UTC)
    sample = Sample(
        seq=_SEQ,
        pole=node.upper(),
        time=now,
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="photocell"),
        meter=MeterReading(power_w=_RATED_W, voltage_v=224.0),
        dark=True,
    )
    return encode(Telemetry(v=1, node=node, epoch=uuid4(), sent_at=now, samples=[sample]))


def _influx(data: Path, poles: int) -> tuple[int, int]:
    """How many points a real InfluxDB was given, and the bytes of its packed files once it has packed them."""
    port, directory = free_port(), data / "influx"
    server = influx_child(directory, port=port, log=data / "influxd.log", environment=_QUICK_TO_PACK)
    server.start()
    try:
        store = open_store(f"influx+http://127.0.0.1:{port}/ngonden")
        points = points_of(poles, seed=1, hours=INFLUX_HOURS)
        for start in range(0, len(points), _AT_ONCE):
            store.write(start, points[start : start + _AT_ONCE])
        store.close()
        quiet = _Quiet(directory)
        wait_until(quiet.look, within_s=180, every_s=1.0, what="InfluxDB to pack what it was given")
        return len(points), quiet.packed_bytes
    finally:
        server.kill()


class _Quiet:
    """Says yes once nothing is left in the write-ahead log and the packed files have stood for ten looks."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._same = 0
        self.packed_bytes = 0

    def look(self) -> bool:
        packed = _bytes_of(self._directory / "data" / "ngonden", "*.tsm")
        waiting = _bytes_of(self._directory / "wal" / "ngonden", "*.wal")
        self._same = self._same + 1 if packed == self.packed_bytes and packed and not waiting else 0
        self.packed_bytes = packed
        return self._same >= 10


def _bytes_of(folder: Path, pattern: str) -> int:
    found = 0
    for path in folder.rglob(pattern):
        try:
            found += path.stat().st_size
        except FileNotFoundError:
            continue  # packed into another a moment ago
    return found
