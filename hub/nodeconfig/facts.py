"""What the registry says of nodes' poles, in the order of their codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection

from hub.nodeconfig.model import PoleFacts
from hub.registry import reads as registry
from hub.registry.reads import PoleInfo


def facts_of(conn: Connection, node: str) -> tuple[PoleFacts, ...]:
    """One node's poles; empty where it has none."""
    return facts_by_node(registry.poles(conn, node=node)).get(node, ())


def facts_by_node(poles: Iterable[PoleInfo]) -> dict[str, tuple[PoleFacts, ...]]:
    """Each node's poles; poles without a node are nobody's."""
    found: dict[str, list[PoleFacts]] = defaultdict(list)
    for pole in poles:
        if pole.node is not None:
            found[pole.node].append(
                PoleFacts(
                    pole=pole.code,
                    latitude=pole.latitude,
                    longitude=pole.longitude,
                    lamp_rated_w=pole.lamp_rated_w,
                )
            )
    return {node: tuple(facts) for node, facts in found.items()}
