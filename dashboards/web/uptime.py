"""`/uptime`: how long lamps were lit while due, by area, for the times and places that the address names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from dashboards.web.formatting import titled
from dashboards.web.render import Renderer
from hub.api.deps import HubDep, Viewer
from hub.api.sight import AskedCommune, shown_commune
from hub.api.uptime.asking import answered, asked
from hub.api.uptime.schemas import UptimeLine, UptimeOut
from hub.registry.reads import communes
from hub.uptime.areas import WIDE
from hub.uptime.model import Kind, Level

PERIODS_DAYS = (7, 30, 92, 365)

DEEPER: dict[Level, Level] = {
    "province": "commune",
    "commune": "hamlet",
    "programme": "commune",
    "hamlet": "pole",
    "segment": "pole",
    "group": "pole",
}
"""What a line opens into; a pole opens its own page."""

TABS: tuple[Level, ...] = ("hamlet", "segment", "group", "programme", "pole")

_BAR_WIDTH = 1000
_PARTS = ("up", "down", "maintenance", "hub_blind", "unknown")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, in thousandths of its width."""

    name: str
    begin: int
    width: int
    seconds: int


def routes(renderer: Renderer) -> APIRouter:
    """The page as a route."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/uptime")
    def uptime_page(
        request: Request,
        hub: HubDep,
        user: Viewer,
        commune: AskedCommune = None,
        level: Level | None = None,
        of: Annotated[list[Annotated[str, Query(max_length=330)]] | None, Query(max_length=8)] = None,
        kind: Kind = "lamp",
        first_day: Annotated[date | None, Query(alias="from")] = None,
        last_day: Annotated[date | None, Query(alias="to")] = None,
    ) -> Response:
        with hub.reads.connect() as conn:
            known = communes(conn)
            several = sum(user.sees(one.code) for one in known) > 1
            home = shown_commune(conn, user, commune, hub.settings.commune)
            everywhere = several and not commune and not of
            level = level or ("commune" if everywhere else "hamlet")
            inside = commune
            if everywhere and level not in WIDE and home is not None:
                inside = home.code  # hamlets, groups and poles are looked at within one commune
            question = asked(
                hub,
                conn,
                user,
                kind=kind,
                level=level,
                of=[*(of or []), *_commune_word(inside)],
                first_day=first_day,
                last_day=last_day,
                everywhere=everywhere,
            )
            answer = answered(conn, question)
        asking = _Address(answer, of or [], commune)
        titles = {one.code: titled(one.name) for one in known}
        values = {
            "answer": answer,
            "asking": asking,
            "tabs": ("commune", *TABS) if several else TABS,
            "kinds": ("lamp", "camera"),
            "places": [
                _place(one, titles) for one in [*(of or []), *(_commune_word(inside) if several else [])]
            ],
            "parts": parts,
            "known_share": _known_share(answer.total),
        }
        return renderer.page(request, "uptime.html", values, user=user, page="uptime", choice="all")

    return router


def _known_share(line: UptimeLine) -> float | None:
    """The part of the due time that anybody knows of: a fine share of little is told as such."""
    known_s = line.up_s + line.up_said_s + line.down_s + line.down_said_s
    return known_s / line.due_s if line.due_s else None


def _commune_word(code: str | None) -> list[str]:
    """A commune as the API's `of` names it."""
    return [f"commune:{code}"] if code else []


def _place(written: str, titles: Mapping[str, str]) -> str:
    """`hamlet:tram-than/Khu 1` → `Khu 1`, `commune:tram-than` → `Xã Trạm Thản`: as people call it."""
    level, _, name = written.partition(":")
    return titles.get(name, name) if level == "commune" else name.rpartition("/")[2]


class _Address:
    """Addresses of this page that differ from the present one in one thing."""

    def __init__(self, answer: UptimeOut, of: list[str], commune: str | None) -> None:
        self._answer = answer
        self._of = of
        self._commune = commune or None

    def level(self, level: Level) -> str:
        """The same time and place, by another level."""
        return self._to(level=level)

    def kind(self, kind: Kind) -> str:
        """Lamps, or cameras."""
        return self._to(kind=kind)

    def everywhere(self) -> str:
        """The same without places."""
        return "/uptime"

    def periods(self) -> list[tuple[int, bool, str]]:
        """Spans of so many days up to the same last day, whether that is the present one, its address."""
        last = self._answer.last_day
        found = []
        for days in PERIODS_DAYS:
            first = last - timedelta(days=days - 1)
            found.append((days, first == self._answer.first_day, self._to(first=first)))
        return found

    def line(self, line: UptimeLine) -> str:
        """Where a line leads: into its area, or to its pole's page."""
        level = self._answer.level
        if not line.name:
            return ""
        deeper = DEEPER.get(level)
        if deeper is None:
            return f"/poles/{line.name}" if self._answer.kind == "lamp" else ""
        if level == "commune":
            return self._to(level=deeper, commune=line.name)
        spans = level in ("province", "programme")
        place = f"{level}:{line.name}" if spans else f"{level}:{line.commune}/{line.name}"
        return self._to(level=deeper, of=[*self._of, place])

    def table(self, extension: str) -> str:
        """The same as a file."""
        of = [*self._of, *_commune_word(self._commune)]
        return "/api/v1/uptime." + extension + self._to(of=of, commune="")[len("/uptime") :]

    def hidden(self) -> list[tuple[str, str]]:
        """What a form keeps while it changes the days."""
        return [
            ("kind", self._answer.kind),
            ("level", self._answer.level),
            *(("of", one) for one in self._of),
            *([("commune", self._commune)] if self._commune else []),
        ]

    def _to(
        self,
        *,
        level: Level | None = None,
        kind: Kind | None = None,
        of: list[str] | None = None,
        first: date | None = None,
        commune: str | None = None,
    ) -> str:
        answer = self._answer
        commune = self._commune if commune is None else commune
        query = [
            ("kind", kind or answer.kind),
            ("level", level or answer.level),
            ("from", str(first or answer.first_day)),
            ("to", str(answer.last_day)),
            *(("of", one) for one in (self._of if of is None else of)),
            *([("commune", commune)] if commune else []),
        ]
        return f"/uptime?{urlencode(query)}"


def parts(line: UptimeLine) -> list[Part]:
    """A line's due time as a bar: nothing is left out of it, nothing stands in it twice."""
    seconds = {
        "up": line.up_s + line.up_said_s,
        "down": line.down_s + line.down_said_s,
        "maintenance": line.maintenance_s,
        "hub_blind": line.hub_blind_s,
        "unknown": line.unknown_s,
    }
    found, done_s = [], 0
    for name in _PARTS:
        begin = round(done_s * _BAR_WIDTH / line.due_s) if line.due_s else 0
        done_s += seconds[name]
        end = round(done_s * _BAR_WIDTH / line.due_s) if line.due_s else 0
        if end > begin:
            found.append(Part(name, begin, end - begin, seconds[name]))
    return found
