"""The hub process's side: what the broker must hold for which node, and what a changed registry makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from msgspec import structs
from sqlalchemy import Connection, select

from hub.nodeconfig.model import ConfigRefusedError, PoleFacts, compose
from hub.nodeconfig.store import Desired, desired_of, write
from hub.nodeconfig.tables import node_config_version as versions
from protocol import Kind, encode, topic

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A configuration ready for the broker, which keeps it for whenever the node comes."""

    node: str
    version: int
    topic: str
    payload: bytes


def changed_since(conn: Connection, revision: int) -> tuple[list[str], int]:
    """Nodes with a version newer than a revision, oldest first, and the newest revision among them."""
    query = select(versions.c.node, versions.c.revision).where(versions.c.revision > revision)
    rows = conn.execute(query.order_by(versions.c.revision, versions.c.node)).all()
    return list(dict.fromkeys(row.node for row in rows)), max(
        (row.revision for row in rows), default=revision
    )


def to_publish(
    conn: Connection, nodes: Iterable[str], commune_of: Callable[[str], str | None]
) -> list[Outgoing]:
    """What the broker must hold for these nodes; none for one that the registry no longer has."""
    found = []
    for one in desired_of(conn, nodes).values():
        commune = commune_of(one.node)
        if commune is not None:
            try:
                config = compose(one.node, one.version, one.profile, one.facts)
            except ConfigRefusedError as error:  # an older program's contract took it
                _log.error("config_not_sent", node=one.node, version=one.version, error=str(error))
                continue
            where = topic(commune, one.node, Kind.CONFIG)
            found.append(Outgoing(one.node, one.version, where, encode(config)))
    return found


def adapted(
    conn: Connection,
    facts: Mapping[str, Sequence[PoleFacts]],
    reported: Callable[[str], int],
    now: datetime,
) -> list[Desired]:
    """New versions for nodes whose poles' places or rated watts changed in the registry, not yet written.

    `reported` tells the version a node runs. A node that has lost all its poles keeps what it has, and what
    the contract would refuse stays as it was: the registry has other bounds.
    """
    made = []
    for one in desired_of(conn).values():
        new = tuple(facts.get(one.node, ()))
        if not new or new == one.facts:
            continue
        kept = {
            code: lamp for code, lamp in one.profile.lamps.items() if code in {each.pole for each in new}
        }
        profile = structs.replace(one.profile, lamps=kept)
        version = max(one.version, reported(one.node)) + 1
        try:
            compose(one.node, version, profile, new)
        except ConfigRefusedError:
            continue
        made.append(
            replace(
                one,
                version=version,
                made_at=now,
                made_by="",
                cause="registry",
                why="",
                profile=profile,
                facts=new,
            )
        )
    return made


def write_adapted(conn: Connection, made: Sequence[Desired], revision: int) -> None:
    """Store what `adapted` made, under the revision of the caller's transaction."""
    write(conn, [replace(one, revision=revision) for one in made])
