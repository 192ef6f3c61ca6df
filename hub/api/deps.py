"""What routes ask for: the hub's parts, who is asking, and a transaction that leaves its audit row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from hub.access import audit
from hub.access.model import Role, User
from hub.access.store import renew_session, session_user
from hub.api.live.feed import Feed
from hub.api.problems import Problem
from hub.api.settings import WebSettings
from hub.telemetry.port import TelemetryStore

SESSION_COOKIE = "ngonden_session"


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts of one web process."""

    settings: WebSettings
    engine: Engine
    reads: Engine
    """The same database, opened so that reading never waits for a writer."""
    store: TelemetryStore
    feed: Feed
    clock: Callable[[], datetime]

    @property
    def https(self) -> bool:
        """Whether people reach this hub by https, so that cookies may insist on it."""
        return (self.settings.base_url or "").startswith("https://")


def hub_of(request: Request) -> Hub:
    """The hub that serves a request."""
    return cast(Hub, request.app.state.hub)


class Needs:
    """The role that a route declares. A route without one fails the contract test of roles."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(self, request: Request) -> User | None:
        """Who is asking; raises Problem 401 for nobody, 403 for somebody who may not."""
        user = signed_in(request)
        have = Role.ANONYMOUS if user is None else user.role
        if have.allows(self.role):
            return user
        if user is None:
            raise Problem(401, "sign-in-needed", "sign in first", "Bạn cần đăng nhập.")
        raise Problem(
            403,
            "not-allowed",
            f"this needs the role {self.role}, {user.name} has {user.role}",
            "Tài khoản của bạn không có quyền làm việc này.",
        )


def signed_in(request: Request, *, renew: bool = True) -> User | None:
    """Who is signed in by the request's cookie; `renew` lets a session in use last on."""
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token:
        return None
    hub = hub_of(request)
    now = hub.clock()
    with hub.reads.connect() as conn:
        found = session_user(conn, token, now=now)
    if found is None:
        return None
    user, due = found
    if due and renew:
        with hub.engine.begin() as conn:
            renew_session(conn, token, now=now)
    return user


HubDep = Annotated[Hub, Depends(hub_of)]
Anyone = Annotated[User | None, Depends(Needs(Role.ANONYMOUS))]
Viewer = Annotated[User, Depends(Needs(Role.VIEWER))]
Staff = Annotated[User, Depends(Needs(Role.STAFF))]
Admin = Annotated[User, Depends(Needs(Role.ADMIN))]


def address_of(request: Request) -> str:
    """The address a request came from; empty where the server does not tell."""
    return "" if request.client is None else request.client.host


@contextmanager
def acting(hub: Hub, request: Request, by: User | None, **detail: Any) -> Iterator[Connection]:
    """One transaction for what a request changes, with its audit row inside; a refusal is recorded too.

    `detail` goes into the row: nothing secret, nothing large.
    """
    try:
        with hub.engine.begin() as conn:
            yield conn
            audit.record(conn, _row(hub, request, by, _success(request), detail))
    except Problem as problem:
        with hub.engine.begin() as conn:
            audit.record(conn, _row(hub, request, by, problem.status, {**detail, "problem": problem.slug}))
        raise


def _row(
    hub: Hub, request: Request, by: User | None, status: int, detail: dict[str, Any]
) -> audit.AuditRow:
    route = getattr(request.scope.get("route"), "path", request.url.path)
    return audit.AuditRow(
        at=hub.clock(),
        by="" if by is None else by.name,
        address=address_of(request),
        action=f"{request.method} {route}",
        target=request.url.path,
        status=status,
        detail=detail,
    )


def _success(request: Request) -> int:
    return getattr(request.scope.get("route"), "status_code", None) or 200
