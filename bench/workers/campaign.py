"""Kill one of several workers, again and again, and count: samples, incidents, leases, seconds of takeover."""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from bench.audit import Audit, audit
from bench.children import Child, ChildError, wait_until
from bench.kills import telemetry_waiting
from bench.postgres import BenchPostgres
from bench.workers.crowd import Crowd
from bench.workers.faults import Faults, IncidentCount, count_incidents
from bench.workers.house import House
from hub.ingest.scaling.leases import LEASE_S
from hub.ingest.tables import ingest_lease

COMMUNES = 7
"""Not a multiple of the workers: shares differ, and move when somebody joins."""

NODES_PER_COMMUNE = 3
INTERVAL_S = 0.3
DOWN_AT_ONCE = 2
SETTLE_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.05

Leases = dict[str, tuple[str | None, int]]
"""By commune, who holds it and its token."""


@dataclass(frozen=True, slots=True)
class WorkersReport:
    """What a campaign did and what the count says.

    A takeover is a death after which another worker served a commune of the dead one's; the seconds are from
    each SIGKILL until every commune of the victim had a sample confirmed that was made after it, whoever did.
    """

    seed: int
    workers: int
    killed: dict[str, int]
    seconds: float
    audit: Audit
    incidents: IncidentCount
    takeovers: int
    takeover_s_p50: float
    takeover_s_max: float
    lease_complaints: list[str]

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, nothing is there twice, and the leases are whole."""
        return self.audit.sound and self.incidents.sound and not self.lease_complaints


@dataclass(slots=True)
class _Death:
    at_s: float
    worker: str
    communes: list[str]


@dataclass(slots=True)
class _Watching:
    """What is looked at while workers die."""

    house: House
    crowd: Crowd
    faults: Faults
    leases: Leases = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    unserved: list[_Death] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    takeovers: int = 0

    def look(self, *, ending: bool = False) -> None:
        """One look at faults, leases, and who is served again."""
        now_s = time.monotonic()
        self.house.ask(lambda conn: self.faults.step(conn, ending=ending))
        leases = self.house.ask(read_leases)
        for commune, (holder, token) in leases.items():
            before, token_before = self.leases.get(commune, (None, 0))
            if token < token_before or (holder != before and token == token_before):
                self.complaints.append(f"{commune}: {before} {token_before} became {holder} {token}")
        self.leases = leases
        for death in list(self.unserved):
            if self.crowd.served(death.communes, death.at_s):
                self.unserved.remove(death)
                self.took_s.append(now_s - death.at_s)
                self.takeovers += any(leases[one][0] != death.worker for one in death.communes)


def run_workers(
    data: Path, *, workers: int, kills: int, seed: int, progress: Callable[[int], None]
) -> WorkersReport:
    """Run the whole campaign in `data`; `progress` is called with the kills done so far.

    Raises ChildError when a process dies without having been killed, or a commune is not served again.
    """
    rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)
    with BenchPostgres() as server:
        house = House(data, server.url, workers=workers, communes=COMMUNES, nodes=NODES_PER_COMMUNE)
        try:
            house.start()
            with Crowd(house.nodes, port=house.port, interval_s=INTERVAL_S) as crowd:
                return _campaign(house, crowd, rng, kills, seed, progress)
        finally:
            house.close()


def _campaign(
    house: House, crowd: Crowd, rng: random.Random, kills: int, seed: int, progress: Callable[[int], None]
) -> WorkersReport:
    wait_until(
        lambda: crowd.served(house.communes, 0.0), within_s=90, what="every commune to be served at first"
    )
    names = set(house.workers)
    # Else the first to die might hold nothing yet, and on a slow machine each later one, too.
    wait_until(
        lambda: not _uneven(house.ask(read_leases), names),
        within_s=90,
        every_s=0.2,
        what="every worker to have its share",
    )
    watching = _Watching(house, crowd, Faults(house.nodes, rng))
    started = time.monotonic()
    killed = _kill_at_random(watching, rng, kills, progress)
    _settle(watching)
    seconds = time.monotonic() - started
    watching.complaints += _uneven(watching.leases, names)
    house.stop_workers()
    held = {holder for holder, _ in house.ask(read_leases).values()} - {None}
    watching.complaints += [f"{name} stopped and still holds communes" for name in sorted(map(str, held))]
    return WorkersReport(
        seed=seed,
        workers=len(house.workers),
        killed=dict(sorted(killed.items())),
        seconds=round(seconds, 1),
        audit=audit(crowd.made(), database_url=house.database, telemetry_url=house.telemetry),
        incidents=house.ask(lambda conn: count_incidents(conn, watching.faults.made)),
        takeovers=watching.takeovers,
        takeover_s_p50=round(statistics.median(watching.took_s), 2),
        takeover_s_max=round(max(watching.took_s), 2),
        lease_complaints=watching.complaints,
    )


def _kill_at_random(
    watching: _Watching, rng: random.Random, kills: int, progress: Callable[[int], None]
) -> Counter[str]:
    killed: Counter[str] = Counter()
    down: dict[str, float] = {}
    workers = watching.house.workers
    next_s = time.monotonic()
    while killed.total() < kills:
        time.sleep(_LOOK_EVERY_S)
        watching.look()
        now_s = time.monotonic()
        for name in [one for one, due_s in down.items() if due_s <= now_s]:
            del down[name]
            workers[name].start(wait=False)
        if now_s < next_s or len(down) >= min(DOWN_AT_ONCE, len(workers) - 1):
            continue
        name = rng.choice(sorted(set(workers) - set(down)))
        _kill(watching, workers[name])
        killed[name] += 1
        # From at once, when it finds its own leases, to long after the others have taken them: the first so.
        pauses_s = rng.uniform(0.0, 2.0), rng.uniform(LEASE_S + 2.0, 12.0)
        down[name] = now_s + (pauses_s[1] if killed.total() == 1 else rng.choice(pauses_s))
        next_s = now_s + rng.uniform(0.3, 4.0)
        progress(killed.total())
    for name in down:
        workers[name].start(wait=False)
    return killed


def _kill(watching: _Watching, worker: Child) -> None:
    _ = worker.pid  # raises where it died without being killed
    leases = watching.house.ask(read_leases)
    worker.kill()
    held = [commune for commune, (holder, _) in leases.items() if holder == worker.name]
    if held:
        watching.unserved.append(_Death(time.monotonic(), worker.name, held))


def _settle(watching: _Watching) -> None:
    """Mend everything, let every commune be served and every share be even, and hand over the rest."""
    names = set(watching.house.workers)
    deadline_s = time.monotonic() + SETTLE_WITHIN_S
    while not watching.faults.all_well or watching.unserved or _uneven(watching.leases, names):
        if time.monotonic() > deadline_s:
            break  # the report tells what is wrong
        time.sleep(_LOOK_EVERY_S)
        watching.look(ending=True)
        for worker in watching.house.workers.values():
            _ = worker.pid  # raises, with its last words, where it ended without being killed
    if watching.unserved:
        raise ChildError(f"not served again within {SETTLE_WITHIN_S:g} s: {watching.unserved}")
    watching.crowd.quieten()
    wait_until(
        lambda: not watching.crowd.waiting() and not watching.house.ask(telemetry_waiting),
        within_s=SETTLE_WITHIN_S,
        every_s=0.2,
        what="everything to be confirmed and passed on",
    )


def _uneven(leases: Leases, names: set[str]) -> list[str]:
    shares = Counter(holder for holder, _ in leases.values())
    counts = [shares[name] for name in sorted(names)]
    if sum(counts) == len(leases) and max(counts) - min(counts) <= 1:
        return []
    return [f"the shares are {dict(shares)}"]


def read_leases(conn: Connection) -> Leases:
    """Who holds what now."""
    return {row.commune: (row.worker, row.token) for row in conn.execute(select(ingest_lease))}
