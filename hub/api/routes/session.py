"""Signing in and out, the first login, and one's own password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from hub.access.model import AccessError, User
from hub.access.store import (
    TooManyAttemptsError,
    claim_login,
    close_session,
    finish_login,
    first_login_valid,
    hashed_password,
    open_session,
    set_password_hash,
    use_first_login,
)
from hub.api.deps import SESSION_COOKIE, Anyone, Hub, HubDep, Viewer, acting, address_of
from hub.api.problems import Problem, refused
from hub.api.schemas.people import LoginIn, PasswordIn, SessionOut, UserOut

router = APIRouter(tags=["session"])


@router.post("/api/v1/session")
def sign_in(body: LoginIn, request: Request, response: Response, hub: HubDep, _: Anyone) -> SessionOut:
    """Sign in; the cookie lasts until the browser closes or 12 hours after its last use."""
    now = hub.clock()
    try:
        with hub.engine.begin() as conn:
            claim = claim_login(conn, body.name, address=address_of(request), now=now)
    except TooManyAttemptsError as error:
        minutes = -(-error.retry_after_s // 60)
        raise Problem(
            429,
            "too-many-logins",
            f"too many failed logins, wait {error.retry_after_s} s",
            f"Đăng nhập sai quá nhiều lần. Xin thử lại sau {minutes} phút.",
            headers={"retry-after": str(error.retry_after_s)},
        ) from None
    user = claim.check(body.password)
    # What was typed as a name is not kept: people type their password there by mistake.
    with acting(hub, request, user) as conn:
        if user is None:
            raise Problem(
                401, "wrong-login", "name or password is wrong", "Tên đăng nhập hoặc mật khẩu không đúng."
            )
        token = finish_login(conn, user, now=now)
    _give_cookie(hub, response, token)
    return _session_out(user)


@router.get("/api/v1/session")
def who_am_i(by: Viewer) -> SessionOut:
    """Who is signed in."""
    return _session_out(by)


@router.delete("/api/v1/session", status_code=204)
def sign_out(request: Request, response: Response, hub: HubDep, by: Viewer) -> None:
    """End this session."""
    with acting(hub, request, by) as conn:
        close_session(conn, request.cookies[SESSION_COOKIE])
    response.delete_cookie(SESSION_COOKIE, path="/")


@router.post("/api/v1/session/password")
def change_password(body: PasswordIn, request: Request, hub: HubDep, by: Viewer) -> SessionOut:
    """Set one's own password; the user's other sessions end."""
    try:
        hashed = hashed_password(body.password)
    except AccessError as error:
        raise refused(error.field, str(error), error.message_vi) from None
    with acting(hub, request, by) as conn:
        set_password_hash(conn, by.id, hashed, keep_session=request.cookies[SESSION_COOKIE])
    return SessionOut(user=UserOut.model_validate(by), has_password=True)


@router.get("/first-login", include_in_schema=False)
def first_login(
    request: Request, hub: HubDep, _: Anyone, token: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Consume the one-time token and sign in as the first administrator; it works once, for 24 hours."""
    now = hub.clock()
    with hub.reads.connect() as conn:  # a stranger's guess must neither write nor wait for a writer
        if not first_login_valid(conn, token, now=now):
            raise _first_login_used()
    with acting(hub, request, None) as conn:
        user = use_first_login(conn, token, now=now)
        if user is None:
            raise _first_login_used()
        session = open_session(conn, user.id, now=now)
    response = RedirectResponse("/", status_code=303)
    _give_cookie(hub, response, session)
    return response


def _first_login_used() -> Problem:
    return Problem(
        401,
        "first-login-used",
        "this link was used already, has run out, or is no longer needed; "
        "`ngonden hub first-login` makes a new one while no administrator has a password",
        "Liên kết này đã được dùng, đã hết hạn hoặc không còn cần nữa. Hãy đăng nhập bằng mật khẩu; "
        "nếu chưa ai có mật khẩu, chạy `ngonden hub first-login` để tạo liên kết mới.",
    )


def _give_cookie(hub: Hub, response: Response, token: str) -> None:
    response.set_cookie(SESSION_COOKIE, token, path="/", httponly=True, samesite="strict", secure=hub.https)
    response.headers["cache-control"] = "no-store"


def _session_out(user: User) -> SessionOut:
    return SessionOut(user=UserOut.model_validate(user), has_password=user.has_password)
