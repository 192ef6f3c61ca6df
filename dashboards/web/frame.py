"""What stands round the pages of those who are signed in: menu, open incidents, the choice of commune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from dashboards.web import navigation
from dashboards.web.formatting import titled
from hub.access.model import User
from hub.api.deps import hub_of
from hub.api.sight import home_of, seen_communes
from hub.incidents.search import count_open
from hub.registry.reads import communes

Choice = Literal["one", "all"]
"""Whether a page shows one commune at a time, or all of the reader's together as well."""


@dataclass(frozen=True, slots=True)
class Switcher:
    """The communes to choose from (code and name), the one chosen, and whether all together is a choice."""

    options: Sequence[tuple[str, str]]
    chosen: str
    all_at: str
    """Where all together are shown; empty where this page has no such view."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Round the page; `commune` is the one that the address names, or None."""

    menu: list[navigation.Group]
    commune: str | None
    open_incidents: int
    switcher: Switcher | None

    def href(self, item: navigation.Item) -> str:
        """Where a menu item leads from here."""
        return navigation.address(item, self.commune)


def frame_of(request: Request, user: User, page: str, choice: Choice | None) -> Frame:
    """The frame of one page; a commune in the address that is not the reader's counts as not named."""
    hub = hub_of(request)
    asked = request.query_params.get("commune")
    with hub.reads.connect() as conn:
        known = communes(conn)
        mine = [one for one in known if user.sees(one.code)]
        commune = next((one.code for one in mine if one.code == asked), None)
        open_incidents = count_open(conn, seen_communes(user, commune))
    switcher = None
    if choice is not None and len(mine) > 1:
        home = home_of(known, user.communes, hub.settings.commune)
        shown = commune or ("" if choice == "all" or home is None else home.code)
        switcher = Switcher(
            sorted(((one.code, titled(one.name)) for one in mine), key=lambda pair: pair[1]),
            shown,
            request.url.path if choice == "all" else "/communes" if page == "home" else "",
        )
    return Frame(
        navigation.menu(user.role, several_communes=len(mine) > 1), commune, open_incidents, switcher
    )
