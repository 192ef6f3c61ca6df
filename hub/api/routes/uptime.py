"""How long lamps were lit while due and cameras healthy, as JSON, CSV and XLSX; what electricity costs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hub.api.deps import Admin, HubDep, Viewer, acting
from hub.api.problems import refused
from hub.api.uptime.asking import answered, asked
from hub.api.uptime.schemas import TariffIn, TariffList, TariffOut, UptimeOut
from hub.api.uptime.sheet import as_csv, as_xlsx
from hub.uptime.model import Kind, Level
from hub.uptime.tariffs import Tariff, TariffError, checked, put, tariffs

router = APIRouter(prefix="/api/v1", tags=["uptime"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _answer(
    hub: HubDep,
    by: Viewer,
    level: Level = "hamlet",
    of: Annotated[list[Annotated[str, Query(max_length=330)]] | None, Query(max_length=8)] = None,
    kind: Kind = "lamp",
    first_day: Annotated[date | None, Query(alias="from")] = None,
    last_day: Annotated[date | None, Query(alias="to")] = None,
) -> UptimeOut:
    with hub.reads.connect() as conn:
        question = asked(
            hub, conn, by, kind=kind, level=level, of=of or (), first_day=first_day, last_day=last_day
        )
        return answered(conn, question)


Answer = Annotated[UptimeOut, Depends(_answer)]


@router.get("/uptime")
def show_uptime(_: Viewer, answer: Answer) -> UptimeOut:
    """Uptime by `level` within every area of `of`, from one local day to another, both included.

    `of` is `commune:<code>`, `programme:<name>`, `province:<name>`, `pole:<code>`, or `hamlet`, `segment` and
    `group` as `hamlet:<commune>/<name>`; several narrow each other. The last 30 whole days where none are
    given. Days are reckoned within minutes; the silence of today's silent poles within an hour.
    """
    return answer


@router.get("/uptime.csv", response_class=Response)
def download_csv(_: Viewer, answer: Answer) -> Response:
    """The same as a table, hours and per cent."""
    return _file(answer, as_csv(answer), "csv", "text/csv; charset=utf-8")


@router.get("/uptime.xlsx", response_class=Response)
def download_xlsx(_: Viewer, answer: Answer) -> Response:
    """The same as a workbook."""
    return _file(answer, as_xlsx(answer), "xlsx", _XLSX)


@router.get("/tariffs")
def list_tariffs(hub: HubDep, _: Viewer) -> TariffList:
    """What a kilowatt-hour cost since when, the earliest first."""
    with hub.reads.connect() as conn:
        return TariffList(items=[_tariff_out(one) for one in tariffs(conn)])


@router.post("/tariffs", status_code=201)
def record_tariff(body: TariffIn, request: Request, hub: HubDep, by: Admin) -> TariffOut:
    """Record a price with its source; one with the same first day is replaced, and all costs follow."""
    try:
        one = checked(body.valid_from, body.vnd_per_kwh, body.vat_percent, body.source)
    except TariffError as error:
        raise refused(error.field, str(error), error.message_vi) from None
    with acting(hub, request, by, valid_from=str(one.valid_from), vnd_per_kwh=str(one.vnd_per_kwh)) as conn:
        put(conn, one, by=by.name, now=hub.clock())
    return _tariff_out(one)


def _tariff_out(one: Tariff) -> TariffOut:
    return TariffOut(
        valid_from=one.valid_from,
        vnd_per_kwh=str(one.vnd_per_kwh),
        vat_percent=f"{one.vat_permille / 10:g}",
        source=one.source,
    )


def _file(answer: UptimeOut, content: bytes, extension: str, media_type: str) -> Response:
    name = f"uptime-{answer.level}-{answer.first_day}-{answer.last_day}.{extension}"
    return Response(
        content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
