"""`/p/<code>`: what anyone may know of a pole. No login, no script, no personal data, at most 30 kB."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from dashboards.web.render import Renderer
from hub.api.deps import Anyone, HubDep
from hub.api.problems import unknown_pole
from hub.funding.reads import entries, pole_funding
from hub.ingest.lamp_status import lamp_status
from hub.ingest.reads import node_state_of, pole_state_of
from hub.registry.reads import pole

ENTRIES_SHOWN = 6


def routes(renderer: Renderer) -> APIRouter:
    """The public page as a route."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/p/{code}")
    def public_page(request: Request, code: str, hub: HubDep, user: Anyone) -> Response:  # noqa: ARG001
        with hub.reads.connect() as conn:
            # Codes are printed in capitals and typed as it comes.
            found = pole(conn, code) or pole(conn, code.upper())
            if found is None:
                raise unknown_pole(code)
            sample = pole_state_of(conn, found.code)
            node = node_state_of(conn, found.node) if found.node is not None else None
            values = {
                "pole": found,
                "state": lamp_status(sample, node, found.lamp_rated_w, hub.clock()),
                "sampled_at": None if sample is None else sample.sample_at,
                "funding": pole_funding(conn, found.code),
                # Kind, day, amount and the published description; never who gave it.
                "entries": entries(conn, found.code, limit=ENTRIES_SHOWN),
            }
        return renderer.page(request, "public.html", values)

    return router
