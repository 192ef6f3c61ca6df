"""From a template and its values to an HTML answer, in the reader's language and look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dashboards.web import formatting
from dashboards.web.assets import Assets
from dashboards.web.frame import Choice, frame_of
from dashboards.web.i18n import DEFAULT, Language, Translate, chosen, translator, word
from hub.access.model import User

Theme = Literal["night", "day"]

_A_YEAR_S = 365 * 24 * 3600


def language_of(request: Request) -> Language:
    """`?lang=` first, then the cookie, then Vietnamese."""
    return chosen(request.query_params.get("lang")) or chosen(request.cookies.get("lang")) or DEFAULT


def theme_of(request: Request) -> Theme:
    """Night is the first look; the button on the page remembers another choice."""
    return "day" if request.cookies.get("theme") == "day" else "night"


def translator_of(request: Request) -> Translate:
    """The words in the reader's language."""
    return translator(language_of(request))


class Renderer:
    """The templates of the pages; an unknown name in one is an error, not an empty place."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"asset": assets.url, "script": assets.script}
        self._environment.filters |= {
            "moment": formatting.moment,
            "moment_seconds": formatting.moment_seconds,
            "date": formatting.day,
            "titled": formatting.titled,
            "vnd": _in_readers_language(formatting.vnd),
            "bytes": _in_readers_language(formatting.size),
            "share": _in_readers_language(formatting.share),
            "hours": _in_readers_language(formatting.hours),
            "kwh": _in_readers_language(formatting.kwh),
        }

    def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        *,
        user: User | None = None,
        page: str = "",
        choice: Choice | None = None,
        status: int = 200,
        live: bool = False,
    ) -> HTMLResponse:
        """An HTML page. `page` marks its place in the menu; a `live` one follows the event stream.

        `choice` is given by pages that show what the address's `commune` names.
        """
        language = language_of(request)
        html = self._environment.get_template(template).render(
            t=translator(language),
            word=partial(word, language),
            lang=language,
            theme=theme_of(request),
            other_language_url=_other_language_url(request, language),
            user=user,
            frame=None if user is None else frame_of(request, user, page, choice),
            page=page,
            live=live,
            **values,
        )
        # Data of the commune, for those who signed in: no copy of it belongs in a shared computer's cache.
        answer = HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
        asked = chosen(request.query_params.get("lang"))
        if asked is not None:
            answer.set_cookie("lang", asked, max_age=_A_YEAR_S, samesite="lax")
        return answer


def _in_readers_language(write: Callable[[Any, Language], str]) -> Callable[[Context, Any], str]:
    """A filter of the templates that knows which language the page is in."""

    @pass_context
    def written(context: Context, value: Any) -> str:
        return write(value, context["lang"])

    return written


def _other_language_url(request: Request, language: Language) -> str:
    query = {name: value for name, value in request.query_params.items() if name != "lang"}
    return f"{request.url.path}?{urlencode(query | {'lang': 'en' if language == 'vi' else 'vi'})}"
