"""What a person sees when a page can't be shown: the way to sign in, or plain words and the way back."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from dashboards.web.render import Renderer, language_of, translator_of
from hub.api.problems import HtmlProblem, Problem


def html_problem(renderer: Renderer) -> HtmlProblem:
    """The function that answers problems outside `/api/` to browsers."""

    def answer(request: Request, problem: Problem) -> Response:
        if problem.slug == "sign-in-needed":
            return RedirectResponse(f"/login?{urlencode({'next': _asked_for(request)})}", 303)
        t = translator_of(request)
        if problem.slug == "unknown-pole":
            heading = t("error.404.title")
            text = t("error.404.pole", code=request.path_params.get("code", ""))
        elif problem.status in WORDED:
            heading, text = t(f"error.{problem.status}.title"), t(f"error.{problem.status}.page")
        else:
            heading = t("error.other.title")
            text = problem.detail_vi if language_of(request) == "vi" else problem.detail
        page = renderer.page(
            request,
            "error.html",
            {"status": problem.status, "heading": heading, "text": text},
            status=problem.status,
        )
        page.headers.update(problem.headers)
        return page

    return answer


WORDED = frozenset({403, 404, 500})
"""Statuses for which the pages have words of their own; others show the problem's detail."""


def _asked_for(request: Request) -> str:
    """The page that was asked for, to come back to after signing in."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
