"""What the inputs say goes into the outbox, and what the last gasp does with outbox and link."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from edge.inputs.last_gasp import SEND_WITHIN_S, GaspSteps
from edge.inputs.watch import Detail, InputWatch, Matter
from edge.link.uplink import Uplink
from edge.outbox.journal import Journal
from edge.sampling import Sampler

STANDING_NOTE = "inputs"
MAINS_V = 100.0


async def tell_into(
    journal: Journal, uplink: Uplink, watch: InputWatch, sampler: Sampler, *, poles: Iterable[str]
) -> None:
    """Begin to tell what `watch` finds, and give the last gasp what it needs."""

    def tell(matter: Matter, begins: bool, detail: Detail) -> None:
        journal.later(matter.kind, pole=matter.pole, active=begins, detail=detail)
        if begins and matter.kind == "supply_loss":
            sampler.supply_lost()
        standing = sorted((matter.kind, matter.pole) for matter in watch.standing)
        journal.post(notes={STANDING_NOTE: msgspec.json.encode(standing)})

    async def send() -> None:
        await journal.record()
        if journal.plan.urgent_waits:
            # The window may be full, or a silent hub be tried at long pauses: open it.
            journal.plan.reconnected()
        await uplink.urgent(SEND_WITHIN_S)

    async def mains_measured() -> bool:
        readings = await asyncio.gather(*(sampler.measure(pole) for pole in poles))
        return any(reading is not None and (reading.voltage_v or 0) >= MAINS_V for reading in readings)

    note = (await journal.outbox.notes(STANDING_NOTE)).get("")
    watch.attach(tell, _decoded(note), GaspSteps(send, sampler.save, mains_measured))


def _decoded(note: bytes | None) -> set[Matter]:
    try:
        pairs = [] if note is None else msgspec.json.decode(note, type=list[tuple[str, str | None]])
    except msgspec.DecodeError:
        return set()
    return {Matter(kind, pole) for kind, pole in pairs}
