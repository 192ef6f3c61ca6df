"""Pages for staff and residents' groups: map, pole, money, messages set aside, commands for many, sign-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboards.web.formatting import VIETNAM, titled
from dashboards.web.render import Renderer, language_of, translator_of
from hub.access.model import Role
from hub.api.deps import Admin, Anyone, HubDep, Viewer
from hub.api.sight import AskedCommune, seen_communes, seen_nodes, seen_pole, shown_commune
from hub.api.views.node_standings import standings
from hub.api.words import incident_title
from hub.funding.reads import NOTHING, PoleFunding, funding_by_pole, totals
from hub.ingest.reads import reject_counts, rejects
from hub.notify.model import SEVERITIES, Status
from hub.notify.wording import known_kinds
from hub.registry.reads import CommuneInfo, PoleInfo, communes, node, nodes_in, poles
from hub.uptime.reads import last_days

REJECTS_SHOWN = 200

_PLACES = ("hamlet", "feeder", "group", "programme")
"""What a command for many may name."""

_ORDER = ("refused", "pending", "own", "in_force")
"""What asks for somebody's eye stands first."""


def routes(renderer: Renderer) -> APIRouter:
    """The pages as routes; each declares the role it needs."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/")
    def home(request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None) -> Response:
        with hub.reads.connect() as conn:
            shown = shown_commune(conn, user, commune, hub.settings.commune)
        t = translator_of(request)
        values = {
            "commune_code": "" if shown is None else shown.code,
            "commune_name": t("app.name") if shown is None else titled(shown.name),
            "commune_note": "" if shown is None else _note(shown, t("home.former", names="{names}")),
        }
        return renderer.page(request, "home.html", values, user=user, page="home", choice="one", live=True)

    @router.get("/poles/{code}")
    def pole_page(request: Request, code: str, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            found = seen_pole(conn, user, code)
            served = None if found.node is None else node(conn, found.node)
            nights = last_days(conn, code, today=hub.clock().astimezone(VIETNAM).date())
        values = {
            "pole": found,
            "may_command": user.role.allows(Role.STAFF),
            "last_nights": nights,
            "node_poles": 0 if served is None else len(served.poles),
        }
        return renderer.page(request, "pole.html", values, user=user, live=True)

    @router.get("/rejects")
    def rejects_page(request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None) -> Response:
        with hub.reads.connect() as conn:
            asked = seen_communes(user, commune) if commune else None
            nodes = seen_nodes(conn, user) if asked is None else nodes_in(conn, asked)
            newest = rejects(conn, nodes=nodes, limit=REJECTS_SHOWN)
            counts = reject_counts(conn, nodes=nodes)
        values = {"rejects": newest, "counts": counts, "total": sum(one.count for one in counts)}
        return renderer.page(request, "rejects.html", values, user=user, page="rejects", choice="all")

    @router.get("/funding")
    def funding_page(request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None) -> Response:
        with hub.reads.connect() as conn:
            seen = seen_communes(user, commune)
            chosen = [one for one in communes(conn) if seen is None or one.code in seen]
            money, found = funding_by_pole(conn, communes=seen), poles(conn, communes=seen)
            total = totals(conn, seen)
        # One line per pole says something of one commune; of several, what each of them has.
        several = len(chosen) > 1
        values = {
            "totals": total,
            "communes": [(one, _sum_of(one, found, money)) for one in chosen] if several else [],
            "rows": [] if several else [(one, money.get(one.code, NOTHING)) for one in found],
        }
        return renderer.page(request, "funding.html", values, user=user, page="funding", choice="all")

    @router.get("/commands")
    def commands_page(
        request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None
    ) -> Response:
        with hub.reads.connect() as conn:
            shown = shown_commune(conn, user, commune, hub.settings.commune)
            found = [] if shown is None else poles(conn, commune=shown.code)
        values = {
            "commune_code": "" if shown is None else shown.code,
            "may_command": user.role.allows(Role.STAFF),
            "poles": len(found),
            "places": [(kind, _places(found, kind)) for kind in _PLACES],
        }
        return renderer.page(
            request, "commands.html", values, user=user, page="commands", choice="one", live=True
        )

    @router.get("/nodes")
    def nodes_page(request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None) -> Response:
        with hub.reads.connect() as conn:
            shown = shown_commune(conn, user, commune, hub.settings.commune)
            found = standings(conn, communes=seen_communes(user) if shown is None else (shown.code,))
        values = {
            "nodes": sorted(found, key=lambda one: _ORDER.index(one.standing)),
            "counts": Counter(one.standing for one in found),
            "order": _ORDER,
        }
        return renderer.page(request, "nodes.html", values, user=user, page="nodes", choice="one")

    @router.get("/notices")
    def notices_page(request: Request, hub: HubDep, user: Admin) -> Response:
        with hub.reads.connect() as conn:
            known, found = communes(conn), poles(conn)
        language = language_of(request)
        values = {
            "communes": known,
            "hamlets": sorted({one.hamlet for one in found if one.hamlet}),
            "groups": sorted({one.group for one in found if one.group}),
            "kinds": sorted(
                ((kind, incident_title(kind)[language == "en"]) for kind in known_kinds()),
                key=lambda pair: pair[1],
            ),
            "severities": SEVERITIES,
            "statuses": get_args(Status),
        }
        return renderer.page(request, "notices.html", values, user=user, page="notices")

    @router.get("/login")
    def login(request: Request, user: Anyone, next: str = "/") -> Response:
        if user is not None:
            return RedirectResponse("/", 303)
        return renderer.page(request, "login.html", {"next": next})

    return router


def _places(found: Sequence[PoleInfo], kind: str) -> list[tuple[str, int]]:
    """The hamlets, feeders, groups or programmes of these poles, each with how many poles it has."""
    return sorted(Counter(name for one in found if (name := getattr(one, kind))).items())


def _sum_of(
    commune: CommuneInfo, found: Sequence[PoleInfo], money: Mapping[str, PoleFunding]
) -> PoleFunding:
    """What all poles of a commune have together."""
    theirs = [money[one.code] for one in found if one.commune_code == commune.code and one.code in money]
    return PoleFunding(*(sum(getattr(one, each.name) for one in theirs) for each in fields(PoleFunding)))


def _note(commune: CommuneInfo, former: str) -> str:
    """Province and former names, as far as they are known."""
    parts = [commune.province]
    if commune.former_names:
        parts.append(former.replace("{names}", ", ".join(commune.former_names)))
    return " · ".join(part for part in parts if part)
