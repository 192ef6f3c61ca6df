"""How communes are shared among workers. Pure: who lives and who holds what are arguments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker does about its share now."""

    take: tuple[str, ...]
    give: tuple[str, ...]
    dead: tuple[str, ...]
    """Workers that hold communes and live no more."""


def plan(me: str, holders: Mapping[str, str | None], alive: Collection[str]) -> Plan:
    """Decide for worker `me`; `holders` names each commune's worker, `alive` includes `me`.

    Each worker follows it for itself and only takes what is free, so nothing is ever held twice; once all have
    given what they have too much, each holds its share, and shares differ by one commune at most.
    """
    ranked = sorted(alive)
    quota, extra = divmod(len(holders), len(ranked))
    quota += ranked.index(me) < extra
    mine = sorted(commune for commune, holder in holders.items() if holder == me)
    free = sorted(commune for commune, holder in holders.items() if holder is None or holder not in alive)
    dead = {holder for holder in holders.values() if holder is not None and holder not in alive}
    return Plan(
        take=tuple(free[: max(0, quota - len(mine))]),
        give=tuple(mine[quota:]),
        dead=tuple(sorted(dead)),
    )
