"""The web server: the API of `hub.api` with the pages, their scripts and styles added to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from dashboards.web import office_pages, pages, public, uptime, work_pages
from dashboards.web.assets import STATIC_PATH, Assets
from dashboards.web.errors import html_problem
from dashboards.web.render import Renderer
from hub.api.app import create_api, utc_now
from hub.api.deps import Anyone
from hub.api.settings import WebSettings
from hub.db import open_database
from hub.migrations.runner import upgrade
from hub.telemetry.factory import open_store
from hub.telemetry.port import TelemetryStore


def create_app(settings: WebSettings) -> FastAPI:
    """The whole web server over the databases of the settings, which it brings to the newest version.

    Raises FrontendMissingError when the scripts and styles were not built, and what opening a database
    raises. Who wants the databases closed in the end uses `opened` and `assemble`.
    """
    engine = open_database(settings.database)
    upgrade(engine)
    return assemble(settings, engine, open_store(settings.telemetry))


@contextmanager
def opened(settings: WebSettings) -> Iterator[FastAPI]:
    """`create_app`, with the databases closed at the end."""
    engine = open_database(settings.database)
    try:
        upgrade(engine)
        store = open_store(settings.telemetry)
        try:
            yield assemble(settings, engine, store)
        finally:
            store.close()
    finally:
        engine.dispose()


def assemble(
    settings: WebSettings,
    engine: Engine,
    store: TelemetryStore,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """API and pages over an open, migrated database and an open telemetry store."""
    assets = Assets()
    renderer = Renderer(assets)
    app = create_api(settings, engine, store, html_problem=html_problem(renderer), clock=clock)
    app.include_router(_static(assets))
    app.include_router(pages.routes(renderer))
    app.include_router(work_pages.routes(renderer))
    app.include_router(office_pages.routes(renderer))
    app.include_router(public.routes(renderer))
    app.include_router(uptime.routes(renderer))
    # A list of 219 poles shrinks to a tenth: a phone on 4G waits for it. Event streams stay as they are.
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)
    return app


def _static(assets: Assets) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get(f"{STATIC_PATH}/{{name}}")
    def static(request: Request, name: str, user: Anyone) -> Response:  # noqa: ARG001  declares the role
        found = assets.answer(name, request.headers.get("accept-encoding", ""))
        if found is None:
            raise HTTPException(404)
        return found

    return router
