"""Workers as their tests need them: a beat, a death, and a committer on what is held."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Engine, func, update

from hub.ingest.scaling.leases import Held, LeaseLock, beat
from hub.ingest.scaling.recovery import recover
from hub.ingest.tables import ingest_worker
from hub.ingest.unflushed import AT_ONCE
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import COMMUNE, RATED_W, sample, telemetry

MANY = AT_ONCE + 6
"""More nodes than are written with every commit."""


def beat_of(engine: Engine, worker: str, *communes: str, life: str = "") -> Held:
    with engine.begin() as conn:
        return beat(conn, worker, communes or (COMMUNE,), partial(recover, heir=worker), life=life)


def die(engine: Engine, worker: str) -> None:
    with engine.begin() as conn:
        conn.execute(
            update(ingest_worker).where(ingest_worker.c.name == worker).values(alive_until=func.now())
        )


def rig_of(engine: Engine, held: Held) -> Rig:
    return Rig(engine, nodes=MANY, scope=held.scope, lock=LeaseLock(held.scope))


def say(rig: Rig, seq: int, power_w: float = RATED_W) -> None:
    for number in range(1, MANY + 1):
        one = sample(seq, number=number, at=rig.now, power_w=power_w)
        rig.send(Kind.TELEMETRY, telemetry(one, number=number), number=number)
    rig.committer.step()
