"""Pages for staff and residents' groups: map, pole, money, messages set aside, commands for many, sign-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboards.web.formatting import VIETNAM
from dashboards.web.render import Renderer, language_of, translator_of
from hub.access.model import Role
from hub.api.deps import Admin, Anyone, HubDep, Viewer
from hub.api.node_standings import standings
from hub.api.sight import home_commune, seen_communes, seen_nodes, seen_pole
from hub.api.words import incident_title
from hub.funding.reads import NOTHING, funding_by_pole, totals
from hub.ingest.reads import reject_counts, rejects
from hub.notify.model import SEVERITIES, Status
from hub.notify.wording import known_kinds
from hub.registry.reads import CommuneInfo, PoleInfo, communes, node, poles
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
    def home(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            commune = home_commune(conn, user, hub.settings.commune)
        t = translator_of(request)
        values = {
            "commune_code": "" if commune is None else commune.code,
            "commune_name": t("app.name") if commune is None else _titled(commune.name),
            "commune_note": "" if commune is None else _note(commune, t("home.former", names="{names}")),
        }
        return renderer.page(request, "home.html", values, user=user, page="home", live=True)

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
    def rejects_page(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            nodes = seen_nodes(conn, user)
            newest = rejects(conn, nodes=nodes, limit=REJECTS_SHOWN)
            counts = reject_counts(conn, nodes=nodes)
        values = {"rejects": newest, "counts": counts, "total": sum(one.count for one in counts)}
        return renderer.page(request, "rejects.html", values, user=user, page="rejects")

    @router.get("/funding")
    def funding_page(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            seen = seen_communes(user)
            money = funding_by_pole(conn, communes=seen)
            values = {
                "totals": totals(conn, seen),
                "rows": [(one, money.get(one.code, NOTHING)) for one in poles(conn, communes=seen)],
            }
        return renderer.page(request, "funding.html", values, user=user, page="funding")

    @router.get("/commands")
    def commands_page(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            shown = home_commune(conn, user, hub.settings.commune)
            found = [] if shown is None else poles(conn, commune=shown.code)
        values = {
            "commune_code": "" if shown is None else shown.code,
            "may_command": user.role.allows(Role.STAFF),
            "poles": len(found),
            "places": [(kind, _places(found, kind)) for kind in _PLACES],
        }
        return renderer.page(request, "commands.html", values, user=user, page="commands", live=True)

    @router.get("/nodes")
    def nodes_page(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            shown = home_commune(conn, user, hub.settings.commune)
            found = standings(conn, communes=seen_communes(user) if shown is None else (shown.code,))
        values = {
            "nodes": sorted(found, key=lambda one: _ORDER.index(one.standing)),
            "counts": Counter(one.standing for one in found),
            "order": _ORDER,
        }
        return renderer.page(request, "nodes.html", values, user=user, page="nodes")

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


def _titled(name: str) -> str:
    """`xã Trạm Thản` → `Xã Trạm Thản`."""
    return name[:1].upper() + name[1:]


def _note(commune: CommuneInfo, former: str) -> str:
    """Province and former names, as far as they are known."""
    parts = [commune.province]
    if commune.former_names:
        parts.append(former.replace("{names}", ", ".join(commune.former_names)))
    return " · ".join(part for part in parts if part)
