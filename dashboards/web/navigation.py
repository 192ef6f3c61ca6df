"""The menu: groups in the order of a working day, each with the pages that a role has use for.

What a role may not open is not offered; what it may only look at stands in the menu where looking helps.
Whether a page may be opened at all is decided by its route alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from hub.access.model import Role


@dataclass(frozen=True, slots=True)
class Item:
    """One page: its name in the words (`nav.<page>`), its path, and the least role it is offered to."""

    page: str
    path: str
    least: Role = Role.VIEWER
    by_commune: bool = True
    """Whether the page shows one commune or all of them, as the address says."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pages under one name (`nav.group.<name>`); one that offers a single page is that page's link."""

    name: str
    items: tuple[Item, ...]


MENU = (
    Group("map", (Item("home", "/"), Item("communes", "/communes", by_commune=False))),
    Group(
        "incidents",
        (
            Item("incidents", "/incidents"),
            Item("maintenance", "/maintenance"),
            Item("thresholds", "/thresholds", Role.STAFF),
        ),
    ),
    Group(
        "lamps",
        (
            Item("uptime", "/uptime"),
            Item("commands", "/commands", Role.STAFF),
            Item("nodes", "/nodes"),
            Item("rejects", "/rejects"),
        ),
    ),
    Group("money", (Item("funding", "/funding"),)),
    Group(
        "admin",
        (
            Item("users", "/users", Role.ADMIN, by_commune=False),
            Item("notices", "/notices", Role.ADMIN, by_commune=False),
        ),
    ),
)


def menu(role: Role, *, several_communes: bool) -> list[Group]:
    """The groups that have something for this role; the list of communes only where there are several."""
    return [
        Group(group.name, found)
        for group in MENU
        if (found := tuple(_offered(group, role, several_communes)))
    ]


def _offered(group: Group, role: Role, several_communes: bool) -> Iterator[Item]:
    for item in group.items:
        if role.allows(item.least) and (several_communes or item.page != "communes"):
            yield item


def address(item: Item, commune: str | None) -> str:
    """Where an item leads; a commune that was chosen goes with it."""
    if commune is None or not item.by_commune:
        return item.path
    return f"{item.path}?{urlencode({'commune': commune})}"
