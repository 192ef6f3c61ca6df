"""Is the process alive, and is it of use."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from sqlalchemy.exc import SQLAlchemyError

from hub.api.deps import Anyone, Hub, HubDep
from hub.api.problems import FieldError, Problem
from hub.api.routes.notices import notifier_up
from hub.api.schemas import Out
from hub.ingest.reads import ingest_disk_full, ingest_seen_at
from hub.migrations.runner import current, head
from hub.notify.reads import notifier

router = APIRouter(tags=["health"])


class Healthz(Out):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readyz(Out):
    """The hub is of use. A telemetry store that is down only delays charts: the hub is ready without, and so it
    is without a notifier. Who can't do without names them in `need`."""

    status: Literal["ready"] = "ready"
    telemetry_up: bool
    notifier_up: bool


@router.get("/healthz")
def healthz(_: Anyone) -> Healthz:
    """The process is alive; says nothing about the database."""
    return Healthz()


@router.get("/readyz")
def readyz(
    hub: HubDep,
    _: Anyone,
    need: Annotated[list[Literal["telemetry", "notifier"]] | None, Query()] = None,
) -> Readyz:
    """The database is reachable and migrated, the hub process takes messages in; else 503 with reasons.

    `need=telemetry` and `need=notifier` make these parts count too.
    """
    reasons = _reasons(hub)
    parts = {"telemetry": False, "notifier": False}
    if not reasons:
        parts = {"telemetry": hub.store.health().up, "notifier": _notifier_up(hub)}
        down = [part for part in need or [] if not parts[part]]
        reasons = [FieldError(loc=part, msg="is down") for part in down]
    if reasons:
        raise Problem(
            503,
            "not-ready",
            "; ".join(f"{one.loc}: {one.msg}" for one in reasons),
            "Hệ thống chưa sẵn sàng.",
            errors=reasons,
            headers={"retry-after": "5"},
        )
    return Readyz(telemetry_up=parts["telemetry"], notifier_up=parts["notifier"])


def _notifier_up(hub: Hub) -> bool:
    with hub.reads.connect() as conn:
        return notifier_up(hub, notifier(conn))


def _reasons(hub: Hub) -> list[FieldError]:
    try:
        with hub.reads.connect() as conn:
            version, needed = current(conn), head()
            if version != needed:
                return [FieldError(loc="database", msg=f"is at version {version}, {needed} is needed")]
            seen_at, disk_full = ingest_seen_at(conn), ingest_disk_full(conn)
    except SQLAlchemyError:  # the driver's text may hold the database's address: it is not for everyone
        return [FieldError(loc="database", msg="can't be reached")]
    if seen_at is None:
        return [FieldError(loc="ingest", msg="the hub process has not started yet")]
    silent_s = (hub.clock() - seen_at).total_seconds()
    if silent_s > hub.settings.ingest_silent_s:
        return [FieldError(loc="ingest", msg=f"the hub process has been silent for {silent_s:.0f} s")]
    if disk_full:
        return [FieldError(loc="database", msg="its disk is full: nothing is taken in until there is room")]
    return []
