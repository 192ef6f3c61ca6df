"""How far nodes follow what is wished for them: put together from wishes, states, refusals and the registry."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from hub.api.schemas.nodes import ConfigRefusalOut, NodeStandingOut
from hub.ingest.reads import EventView, newest_events, node_states
from hub.nodeconfig.model import standing
from hub.nodeconfig.store import Desired, desired_of, history
from hub.registry.reads import known_nodes

REFUSED = "config_refused"


def standings(conn: Connection, *, communes: Collection[str] | None = None) -> list[NodeStandingOut]:
    """Every registered node by name, of some communes or of all."""
    wanted, states = desired_of(conn), {one.node: one for one in node_states(conn)}
    told = newest_events(conn, REFUSED)
    lines = []
    for name, info in sorted(known_nodes(conn).items()):
        if communes is not None and info.commune not in communes:
            continue
        wish, state = wanted.get(name), states.get(name)
        in_force = None if state is None else state.config_version
        refusal = None if wish is None else refusal_of(conn, wish, in_force, told.get(name))
        version = None if wish is None else wish.version
        lines.append(
            NodeStandingOut(
                node=name,
                poles=sorted(info.poles),
                standing=standing(version, in_force, refused=refusal is not None),
                desired=version,
                in_force=in_force,
                refusal=refusal,
                status=None if state is None else state.status,
                last_seen_at=None if state is None else state.last_seen_at,
                agent_version="" if state is None else state.agent_version,
            )
        )
    return lines


def refusal_of(
    conn: Connection, wanted: Desired, in_force: int | None, told: EventView | None
) -> ConfigRefusalOut | None:
    """The last refusal, as long as no version made after the one in force has come into force."""
    if told is None or in_force == wanted.version:
        return None
    newer = [one for one in history(conn, wanted.node) if in_force is None or one.version > in_force]
    oldest_not_run = newer[-1] if newer else wanted
    if told.received_at < oldest_not_run.made_at:
        return None
    return ConfigRefusalOut(at=told.at, reason=str(told.detail.get("reason") or ""))
