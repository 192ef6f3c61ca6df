"""Is the process alive, and is it of use."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from hub.api.deps import Anyone, Hub, HubDep
from hub.api.problems import FieldError, Problem
from hub.api.schemas import Out
from hub.ingest.reads import ingest_seen_at
from hub.migrations.runner import current, head

router = APIRouter(tags=["health"])


class Healthz(Out):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readyz(Out):
    """The hub is of use. A telemetry store that is down only delays charts: the hub is ready without."""

    status: Literal["ready"] = "ready"
    telemetry_up: bool


@router.get("/healthz")
def healthz(_: Anyone) -> Healthz:
    """The process is alive; says nothing about the database."""
    return Healthz()


@router.get("/readyz")
def readyz(hub: HubDep, _: Anyone) -> Readyz:
    """The database is reachable and migrated, the hub process takes messages in; else 503 with reasons."""
    reasons = _reasons(hub)
    if reasons:
        raise Problem(
            503,
            "not-ready",
            "; ".join(f"{one.loc}: {one.msg}" for one in reasons),
            "Hệ thống chưa sẵn sàng.",
            errors=reasons,
            headers={"retry-after": "5"},
        )
    return Readyz(telemetry_up=hub.store.health().up)


def _reasons(hub: Hub) -> list[FieldError]:
    try:
        with hub.reads.connect() as conn:
            version, needed = current(conn), head()
            if version != needed:
                return [FieldError(loc="database", msg=f"is at version {version}, {needed} is needed")]
            seen_at = ingest_seen_at(conn)
    except SQLAlchemyError:  # the driver's text may hold the database's address: it is not for everyone
        return [FieldError(loc="database", msg="can't be reached")]
    if seen_at is None:
        return [FieldError(loc="ingest", msg="the hub process has not started yet")]
    silent_s = (hub.clock() - seen_at).total_seconds()
    if silent_s > hub.settings.ingest_silent_s:
        return [FieldError(loc="ingest", msg=f"the hub process has been silent for {silent_s:.0f} s")]
    return []
