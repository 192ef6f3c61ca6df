"""Every error answer in one shape: RFC 9457 problem details, with the detail in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from hub.api.field_words import field_words

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger()


class FieldError(BaseModel):
    """One thing that is wrong in the request, and where: `body.until`, `query.limit`."""

    loc: str
    msg: str
    msg_vi: str | None = None
    """The same for the person at the form, where there are words for it."""


class ProblemBody(BaseModel):
    """RFC 9457. A program tells problems apart by `type`, `urn:ngonden:problem:<slug>`."""

    type: str = Field(examples=["urn:ngonden:problem:unknown-pole"])
    title: str
    status: int
    detail: str
    detail_vi: str
    instance: str
    errors: list[FieldError] | None = None


class Problem(Exception):  # noqa: N818  the RFC's own word
    """Raise anywhere in a request to answer with problem details."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        detail_vi: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {slug}: {detail}")
        self.status = status
        self.slug = slug
        self.detail = detail
        self.detail_vi = detail_vi
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def body(self, instance: str) -> dict[str, Any]:
        """The problem as JSON; `instance` is the path that was asked for."""
        return ProblemBody(
            type=f"urn:ngonden:problem:{self.slug}",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            detail_vi=self.detail_vi,
            instance=instance,
            errors=list(self.errors) or None,
        ).model_dump(exclude_none=True)

    def response(self, instance: str) -> JSONResponse:
        """The problem as an answer."""
        return JSONResponse(
            self.body(instance), self.status, media_type=MEDIA_TYPE, headers={**self.headers, **_NO_STORE}
        )


_NO_STORE = {"cache-control": "no-store"}

HtmlProblem = Callable[[Request, Problem], Response]
"""How a page answers a problem to a browser; the API itself always answers JSON."""

_KNOWN: dict[int, tuple[str, str, str]] = {
    400: ("bad-request", "the request can't be read", "Không đọc được yêu cầu."),
    404: ("not-found", "there is nothing at this address", "Không có gì ở địa chỉ này."),
    405: ("method-not-allowed", "this address takes other methods", "Địa chỉ này không nhận thao tác đó."),
    413: ("too-large", "the body is larger than is taken here", "Dữ liệu gửi lên quá lớn."),
    415: ("unsupported-media-type", "send application/json", "Hãy gửi dữ liệu dạng JSON."),
}


def unknown_pole(code: str) -> Problem:
    """404 for a pole that is not registered."""
    return Problem(
        404,
        "unknown-pole",
        f"no pole {code!r} is registered",
        f"Không có cột đèn nào mang mã “{code}”.",
    )


def unknown_commune(code: str) -> Problem:
    """404 for a commune that is not registered, or that is not the asker's to see."""
    return Problem(
        404,
        "unknown-commune",
        f"no commune {code!r} is registered",
        f"Không có xã/phường nào mang mã “{code}”.",
    )


def unknown_node(name: str) -> Problem:
    """404 for a node that is not registered, or that is not the asker's to see."""
    return Problem(
        404,
        "unknown-node",
        f"no node {name!r} is registered",
        f"Không có nút điều khiển nào mang tên “{name}”.",
    )


def refused(field: str, detail: str, detail_vi: str) -> Problem:
    """422 for one field of the body that is well-formed and yet not taken; `field` as in `params.high_c`."""
    return Problem(
        422,
        "invalid-request",
        detail,
        detail_vi,
        errors=[FieldError(loc=f"body.{field}", msg=detail, msg_vi=detail_vi)],
    )


class Answers:
    """Turns problems into answers; `html` is asked for pages outside `/api/` that a browser wants."""

    def __init__(self, html: HtmlProblem | None) -> None:
        self._html = html

    def to(self, request: Request, problem: Problem) -> Response:
        """The answer to one request."""
        wants_page = "text/html" in request.headers.get("accept", "")
        if self._html is not None and wants_page and not request.url.path.startswith("/api/"):
            return self._html(request, problem)
        return problem.response(request.url.path)

    def to_unexpected(self, request: Request, error: Exception) -> Response:
        """The answer to a fault of ours: logged in full, told without its inside."""
        _log.error("request_failed", path=request.url.path, method=request.method, exc_info=error)
        return self.to(
            request,
            Problem(
                500,
                "internal-error",
                "something failed here; it was logged",
                "Máy chủ gặp lỗi. Lỗi đã được ghi lại, xin thử lại sau.",
            ),
        )

    def install(self, app: FastAPI) -> None:
        """Make the app answer every error as a problem."""

        @app.exception_handler(Problem)
        def _problem(request: Request, error: Problem) -> Response:
            return self.to(request, error)

        @app.exception_handler(HTTPException)
        def _http(request: Request, error: HTTPException) -> Response:
            slug, detail, detail_vi = _KNOWN.get(
                error.status_code,
                ("http-error", str(error.detail), "Yêu cầu không thực hiện được."),
            )
            return self.to(
                request, Problem(error.status_code, slug, detail, detail_vi, headers=error.headers)
            )

        @app.exception_handler(RequestValidationError)
        def _validation(request: Request, error: RequestValidationError) -> Response:
            return self.to(request, _invalid(error))


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        FieldError(
            loc=".".join(str(part) for part in one["loc"]),
            msg=one["msg"],
            msg_vi=field_words(one["type"], one.get("ctx", {})),
        )
        for one in error.errors()
    ]
    return Problem(
        422,
        "invalid-request",
        "; ".join(f"{one.loc}: {one.msg}" for one in errors),
        " ".join(f"{one.loc}: {one.msg_vi}" for one in errors),
        errors=errors,
    )
