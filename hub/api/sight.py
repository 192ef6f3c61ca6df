"""What somebody may see: the one place where the communes of a user bound what a route answers and acts on.

What lies outside is answered as if it were not there: a clerk learns nothing of another commune, not even
which codes are taken. `tests/contract/hub_api/test_sight.py` calls every route as a clerk of another commune.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import Query
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.problems import Problem, unknown_commune, unknown_node, unknown_pole
from hub.incidents import reads as incidents
from hub.incidents.reads import IncidentView
from hub.registry import reads as registry
from hub.registry.reads import CommuneInfo, NodeInfo, PoleInfo

AskedCommune = Annotated[str | None, Query(alias="commune", max_length=63)]
"""The commune that an address names; absent or empty: all of the asker's, or the first page's."""


def seen_communes(by: User, asked: str | None = None) -> Collection[str] | None:
    """The communes to select: the one asked for, else all of the user's; None: no bound.

    Raises Problem 404 where the one asked for is not the user's.
    """
    if asked:  # an empty one is a form's word for all
        if not by.sees(asked):
            raise unknown_commune(asked)
        return (asked,)
    return by.communes or None


def seen_pole(conn: Connection, by: User, code: str) -> PoleInfo:
    """A registered pole; raises Problem 404."""
    found = registry.pole(conn, code)
    if found is None or not by.sees(found.commune_code):
        raise unknown_pole(code)
    return found


def seen_node(conn: Connection, by: User, name: str) -> NodeInfo:
    """A registered node; raises Problem 404."""
    found = registry.node(conn, name)
    if found is None or not by.sees(found.commune):
        raise unknown_node(name)
    return found


def seen_nodes(conn: Connection, by: User) -> Collection[str] | None:
    """The nodes whose words somebody may read; None: no bound."""
    return registry.nodes_in(conn, by.communes) if by.communes else None


def seen_commune(conn: Connection, by: User, code: str) -> CommuneInfo:
    """A registered commune; raises Problem 404."""
    found = next((one for one in registry.communes(conn) if one.code == code and by.sees(code)), None)
    if found is None:
        raise unknown_commune(code)
    return found


def home_commune(conn: Connection, by: User, wished: str | None) -> CommuneInfo | None:
    """The commune of the first page: the one the settings wish, else the first that the user sees."""
    return home_of(registry.communes(conn), by.communes, wished)


def shown_commune(conn: Connection, by: User, asked: str | None, wished: str | None) -> CommuneInfo | None:
    """The commune of a page that shows one: as its address asks, else that of the first page.

    Raises Problem 404 where the one asked for is not the user's.
    """
    return seen_commune(conn, by, asked) if asked else home_commune(conn, by, wished)


def home_of(
    known: Collection[CommuneInfo], communes: Collection[str], wished: str | None
) -> CommuneInfo | None:
    """As `home_commune`, for those who see `communes` (empty: all) of the ones known."""
    mine = [one for one in known if not communes or one.code in communes]
    for one in mine:
        if one.code == wished:
            return one
    # A hub that is set to a commune which is not registered yet shows none to those who see all.
    return None if not mine or (wished is not None and not communes) else mine[0]


def seen_incident(conn: Connection, by: User, incident_id: int) -> IncidentView:
    """An incident; raises Problem 404."""
    found = incidents.incident_of(conn, incident_id)
    if found is None or not (by.sees(found.commune) or found.is_of_hub):
        raise unknown_incident(incident_id)
    return found


def unknown_incident(incident_id: int) -> Problem:
    """404 for an incident that does not exist, or that is not the asker's to see."""
    return Problem(
        404,
        "unknown-incident",
        f"there is no incident {incident_id}",
        f"Không có sự cố số {incident_id}.",
    )
