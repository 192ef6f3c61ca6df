"""Pages about the office itself: the communes that somebody works for, and who may sign in."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from dashboards.web.formatting import titled
from dashboards.web.render import Renderer
from hub.access.model import MIN_PASSWORD, Role
from hub.api.deps import Admin, HubDep, Viewer
from hub.api.sight import seen_communes
from hub.incidents.search import open_by_commune
from hub.registry.reads import communes, pole_counts


def routes(renderer: Renderer) -> APIRouter:
    """The pages as routes; each declares the role it needs."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/communes")
    def communes_page(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            mine = [one for one in communes(conn) if user.sees(one.code)]
            poles = pole_counts(conn)
            opened = Counter(open_by_commune(conn, seen_communes(user)))
        rows = sorted(mine, key=lambda one: (-opened[one.code], one.name))
        values = {"rows": [(one, poles.get(one.code, 0), opened[one.code]) for one in rows]}
        return renderer.page(request, "communes.html", values, user=user, page="communes")

    @router.get("/account")
    def account_page(request: Request, hub: HubDep, user: Viewer) -> Response:
        with hub.reads.connect() as conn:
            mine = [titled(one.name) for one in communes(conn) if one.code in user.communes]
        values = {"communes": mine, "min_password": MIN_PASSWORD}
        return renderer.page(request, "account.html", values, user=user, page="account")

    @router.get("/users")
    def users_page(request: Request, hub: HubDep, user: Admin) -> Response:
        with hub.reads.connect() as conn:
            known = communes(conn)
        values = {
            "communes": sorted(known, key=lambda one: one.name),
            "roles": (Role.VIEWER, Role.STAFF, Role.ADMIN),
            "min_password": MIN_PASSWORD,
        }
        return renderer.page(request, "users.html", values, user=user, page="users")

    return router
