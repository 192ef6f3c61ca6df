"""`/p/<code>`: what anyone may know of a pole. No login, no script, no personal data, at most 30 kB."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from dashboards.web.render import Renderer
from hub.api.deps import Anyone, HubDep
from hub.api.problems import unknown_pole
from hub.api.views.public import public_pole

LINES_SHOWN = 6


def routes(renderer: Renderer) -> APIRouter:
    """The public page as a route."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/p/{code}")
    def public_page(request: Request, code: str, hub: HubDep, user: Anyone) -> Response:  # noqa: ARG001
        with hub.reads.connect() as conn:
            # Codes are printed in capitals and typed as it comes.
            found = public_pole(conn, code.upper(), hub.clock())
        if found is None:
            raise unknown_pole(code)
        # Who gave is left out even where they agreed to be named: the page follows everybody's phone around.
        return renderer.page(request, "public.html", {"pole": found, "lines": found.lines[:LINES_SHOWN]})

    return router
