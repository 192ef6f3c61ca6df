"""Puts the API together: settings, database, telemetry store, routes, errors, headers."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import Engine

from hub.api.problems import Answers, HtmlProblem
from hub.api.routes import health
from hub.api.security import Gate
from hub.api.settings import WebSettings

API_VERSION = "1.0.0"


def create_api(
    settings: WebSettings, engine: Engine, store: object, *, html_problem: HtmlProblem | None = None
) -> FastAPI:
    """The API as an ASGI app; pages may be added to it before it is served.

    `engine` is a migrated database from `hub.db.open_database`. `html_problem` answers errors outside
    `/api/` to browsers (a login redirect for 401, an error page); without it they get problem details too.
    Serve it with `timeout_graceful_shutdown` of 1 or 2 s: event streams stay open as long as they may.
    """
    app = FastAPI(
        title="Ngọn Đèn",
        summary="Community security lighting: poles, lamps, incidents, commands and the money behind them.",
        version=API_VERSION,
        openapi_url=None,  # served by a route of ours, which declares its role like every other
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.engine = engine
    app.state.store = store
    answers = Answers(html_problem)
    answers.install(app)
    app.include_router(health.router)
    app.add_middleware(Gate, answers=answers, https=(settings.base_url or "").startswith("https://"))
    return app
