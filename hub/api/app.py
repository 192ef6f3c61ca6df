"""Puts the API together: settings, database, telemetry store, routes, errors, headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from sqlalchemy import Engine

from hub.api.deps import Hub
from hub.api.live.feed import Feed
from hub.api.live.news import News
from hub.api.problems import Answers, HtmlProblem
from hub.api.routes import (
    command_batches,
    commands,
    events,
    funding,
    incidents,
    node_config,
    node_words,
    notices,
    poles,
    registry,
    session,
    uptime,
    users,
    webhooks,
)
from hub.api.routes.service import health, metrics, openapi
from hub.api.security import Gate
from hub.api.settings import WebSettings
from hub.db import reading
from hub.telemetry.port import TelemetryStore

API_VERSION = "1.0.0"


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def create_api(
    settings: WebSettings,
    engine: Engine,
    store: TelemetryStore,
    *,
    html_problem: HtmlProblem | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The API as an ASGI app; pages may be added to it before it is served.

    `engine` is a migrated database from `hub.db.open_database`. `html_problem` answers errors outside
    `/api/` to browsers (a login redirect for 401, an error page); without it they get problem details too.
    Serve it with `timeout_graceful_shutdown` of 1 or 2 s: event streams stay open as long as they may.
    """
    reads = reading(engine)
    feed = Feed(News(reads, commune=settings.commune, now=clock), poll_s=settings.events_poll_ms / 1000)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await feed.close()

    app = FastAPI(
        title="Ngọn Đèn",
        summary="Community security lighting: poles, lamps, incidents, commands and the money behind them.",
        version=API_VERSION,
        openapi_url=None,  # served by a route of ours, which declares its role like every other
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.hub = Hub(settings, engine, reads, store, feed, clock)
    answers = Answers(html_problem)
    answers.install(app)
    for part in (
        health,
        poles,
        incidents,
        node_words,
        commands,
        command_batches,
        node_config,
        notices,
        webhooks,
        metrics,
        funding,
        registry,
        session,
        uptime,
        users,
        events,
        openapi,
    ):
        app.include_router(part.router)
    app.add_middleware(Gate, answers=answers, https=app.state.hub.https)
    return app
