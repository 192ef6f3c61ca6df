"""Configurations as rows: one per version, never changed. The caller's transaction decides.

The hub process notices a new row within its poll interval and sends it (`hub.nodeconfig.delivery`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from msgspec import convert, to_builtins
from sqlalchemy import Connection, Row, Select, and_, func, insert, select

from hub.nodeconfig.model import NodeProfile, PoleFacts, compose, profile_from, profile_to
from hub.nodeconfig.tables import node_config_version as versions
from hub.revision import next_revision

Cause = Literal["staff", "registry"]


class ConfigMovedOnError(ValueError):
    """Somebody else made a newer version meanwhile; `version` is it."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the configuration is at version {version} by now")
        self.version = version


@dataclass(frozen=True, slots=True)
class Desired:
    """One version of a node's configuration."""

    node: str
    version: int
    made_at: datetime
    made_by: str
    """Empty where the hub followed a change of the registry."""
    cause: Cause
    why: str
    profile: NodeProfile
    facts: tuple[PoleFacts, ...]
    revision: int


def desired(conn: Connection, node: str) -> Desired | None:
    """The version wanted now; None where nothing was ever wished for the node."""
    return next(iter(history(conn, node, limit=1)), None)


def history(conn: Connection, node: str, *, limit: int = 50) -> list[Desired]:
    """Every version, newest first."""
    query = select(versions).where(versions.c.node == node).order_by(versions.c.version.desc()).limit(limit)
    return [_view(row) for row in conn.execute(query)]


def desired_of(conn: Connection, nodes: Iterable[str] | None = None) -> dict[str, Desired]:
    """The versions wanted now, of some nodes or of all, by node."""
    newest = select(versions.c.node, func.max(versions.c.version).label("version")).group_by(
        versions.c.node
    )
    if nodes is not None:
        newest = newest.where(versions.c.node.in_(list(nodes)))
    chosen = newest.subquery()
    same = and_(versions.c.node == chosen.c.node, versions.c.version == chosen.c.version)
    query: Select[Any] = select(versions).join(chosen, same).order_by(versions.c.node)
    return {row.node: _view(row) for row in conn.execute(query)}


def wish(
    conn: Connection,
    node: str,
    profile: NodeProfile,
    facts: Sequence[PoleFacts],
    *,
    by: str,
    why: str,
    now: datetime,
    reported: int = 0,
    based_on: int | None = None,
) -> tuple[Desired, bool]:
    """Make a new version, unless the one wanted says the same; tells the version and whether it is new.

    `reported` is the version the node runs: a node refuses what is older, so ours goes beyond it. With
    `based_on` (0: none yet) the wish stands only while that is still the newest: else ConfigMovedOnError.
    Raises ConfigRefusedError for a wish that makes no configuration.
    """
    before = desired(conn, node)
    known = 0 if before is None else before.version
    if based_on is not None and based_on != known:
        raise ConfigMovedOnError(known)
    compose(node, max(known, reported) + 1, profile, facts)
    same = before is not None and (before.profile, before.facts) == (profile, tuple(facts))
    if before is not None and same and known >= reported:
        return before, False
    made = Desired(
        node,
        max(known, reported) + 1,
        now,
        by,
        "staff",
        why,
        profile,
        tuple(facts),
        next_revision(conn),
    )
    write(conn, [made])
    return made, True


def write(conn: Connection, made: Sequence[Desired]) -> None:
    """Store new versions as they are."""
    if made:
        conn.execute(insert(versions), [_row(one) for one in made])


def _row(one: Desired) -> dict[str, Any]:
    return {
        "node": one.node,
        "version": one.version,
        "made_at": one.made_at,
        "made_by": one.made_by,
        "cause": one.cause,
        "why": one.why,
        "profile": profile_to(one.profile),
        "facts": to_builtins(one.facts),
        "revision": one.revision,
    }


def _view(row: Row[Any]) -> Desired:
    values = dict(row._mapping)
    values["profile"] = profile_from(row.profile)
    values["facts"] = convert(row.facts, tuple[PoleFacts, ...])
    return Desired(**values)
