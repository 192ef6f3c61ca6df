"""Pages on which people decide what to do: incidents, one incident, maintenance windows, thresholds."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from dashboards.web.formatting import titled
from dashboards.web.render import Renderer, language_of
from hub.access.model import Role, User
from hub.api.deps import HubDep, Viewer
from hub.api.sight import AskedCommune, seen_commune, seen_communes, seen_incident, shown_commune
from hub.api.words import incident_title
from hub.incidents.search import kinds_seen
from hub.registry.reads import CommuneInfo, communes, groups, nodes_in, poles


def routes(renderer: Renderer) -> APIRouter:
    """The pages as routes; each declares the role it needs."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/incidents")
    def incidents_page(
        request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None
    ) -> Response:
        with hub.reads.connect() as conn:
            seen = seen_communes(user, commune)
            kinds = kinds_seen(conn, seen)
            home = shown_commune(conn, user, commune, hub.settings.commune)
            near = [] if home is None else [home.code]
            values = {
                "kinds": sorted(((kind, _title(request, kind)) for kind in kinds), key=lambda one: one[1]),
                "groups": [name for code in near for name in groups(conn, code)],
                "feeders": sorted({one.feeder for one in poles(conn, communes=near)} - {""}),
                "commune": commune or "",
                "names": {} if commune else _names(conn, user),
            }
        return renderer.page(
            request, "incidents.html", values, user=user, page="incidents", choice="all", live=True
        )

    @router.get("/incidents/{incident_id}")
    def incident_page(request: Request, incident_id: int, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            found = seen_incident(conn, user, incident_id)
        values = {
            "incident": found,
            "title": _title(request, found.kind),
            "may_work": user.role.allows(Role.STAFF),
        }
        return renderer.page(request, "incident.html", values, user=user, page="incidents", live=True)

    @router.get("/maintenance")
    def windows_page(request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None) -> Response:
        with hub.reads.connect() as conn:
            mine = _seen(conn, user)
            one = seen_commune(conn, user, commune) if commune else mine[0] if len(mine) == 1 else None
            values = {
                "may_plan": user.role.allows(Role.STAFF),
                "commune": one,
                "names": _names(conn, user),
                "places": {} if one is None else _places(conn, one),
            }
        return renderer.page(request, "windows.html", values, user=user, page="maintenance", choice="all")

    @router.get("/thresholds")
    def thresholds_page(
        request: Request, hub: HubDep, user: Viewer, commune: AskedCommune = None
    ) -> Response:
        with hub.reads.connect() as conn:
            values = {
                "may_own": user.role.allows(Role.STAFF),
                "may_all": user.role.allows(Role.ADMIN),
                "communes": _seen(conn, user),
                "home": shown_commune(conn, user, commune, hub.settings.commune),
            }
        return renderer.page(request, "thresholds.html", values, user=user, page="thresholds")

    return router


def _seen(conn: Connection, user: User) -> list[CommuneInfo]:
    return [one for one in communes(conn) if user.sees(one.code)]


def _names(conn: Connection, user: User) -> dict[str, str]:
    """The names of the user's communes, by code."""
    return {one.code: titled(one.name) for one in _seen(conn, user)}


def _title(request: Request, kind: str) -> str:
    return incident_title(kind)[0 if language_of(request) == "vi" else 1]


def _places(conn: Connection, commune: CommuneInfo) -> dict[str, list[str]]:
    """What a window can be for, by scope: the names to choose from."""
    inside = poles(conn, commune=commune.code)
    return {
        "pole": [one.code for one in inside],
        "feeder": sorted({one.feeder for one in inside} - {""}),
        "hamlet": sorted({one.hamlet for one in inside} - {""}),
        "group": groups(conn, commune.code),
        "node": nodes_in(conn, (commune.code,)),
    }
