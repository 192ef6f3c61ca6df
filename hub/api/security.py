"""What stands before every route: same origin for unsafe methods, a bound on bodies, security headers.

The same-origin rule is the one of Go's `http.CrossOriginProtection`: a browser always says where a request
comes from (`Sec-Fetch-Site`, or `Origin` on older ones), so a request that says neither is no browser's and
carries no one's cookie unasked.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.problems import Answers, Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

MAX_BODY_BYTES = 64 * 1024
MAX_UPLOAD_BYTES = 20 * 1024 * 1024
"""A registry of 49,000 poles is about 8 MB as CSV."""

UPLOAD_PATHS = frozenset({"/api/v1/registry/import"})

SECURITY_HEADERS: Mapping[str, str] = {
    # Scripts and styles from our own files only: no inline script runs, not even one smuggled into a name.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Gate:
    """ASGI middleware, outermost of ours: even the answer to a fault of ours carries the headers."""

    def __init__(self, app: ASGIApp, *, answers: Answers, https: bool) -> None:
        self._app = app
        self._answers = answers
        self._headers = dict(SECURITY_HEADERS)
        if https:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; hand on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        limit = MAX_UPLOAD_BYTES if scope["path"] in UPLOAD_PATHS else MAX_BODY_BYTES
        problem = _cross_origin(scope, headers) or _too_large(headers, limit) or _with_nul(scope)
        if problem is not None:
            await problem.response(scope["path"])(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, _bounded(receive, limit), send_with_headers)
        except Exception as error:
            if started:  # too late for another answer: cut it, so that nobody takes it as whole
                raise
            answer = self._answers.to_unexpected(Request(scope), error)
            await answer(scope, receive, send_with_headers)


def _cross_origin(scope: Scope, headers: Headers) -> Problem | None:
    if scope["method"] in SAFE_METHODS:
        return None
    site = headers.get("sec-fetch-site")
    if site is not None:
        same = site in {"same-origin", "none"}
    else:
        origin = headers.get("origin")
        same = origin is None or urlsplit(origin).netloc == headers.get("host", "")
    if same:
        return None
    return Problem(
        403,
        "cross-origin",
        "requests that change something are taken from this site's own pages only",
        "Thao tác này chỉ thực hiện được từ chính trang này.",
    )


def _with_nul(scope: Scope) -> Problem | None:
    """No name or word of ours holds a NUL, and PostgreSQL can't be asked for one."""
    if "\0" not in scope["path"] and b"%00" not in scope["query_string"]:
        return None
    return Problem(
        400, "bad-request", "the address holds a NUL character", "Địa chỉ chứa ký tự không hợp lệ."
    )


def _too_large(headers: Headers, limit: int) -> Problem | None:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        return _too_large_problem(limit)
    return None


def _too_large_problem(limit: int) -> Problem:
    return Problem(
        413,
        "too-large",
        f"the body is larger than the {limit} bytes that are taken here",
        f"Dữ liệu gửi lên quá lớn: tối đa {limit // 1024} kB.",
    )


def _bounded(receive: Receive, limit: int) -> Receive:
    """A body sent in chunks, without a length, is bounded as it arrives."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413)  # FastAPI turns any other exception while it reads a body into a 400
        return message

    return bounded
