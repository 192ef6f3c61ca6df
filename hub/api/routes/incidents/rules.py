"""Thresholds: when an incident opens and closes, for one commune or for all without thresholds of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection

from hub.access.model import User
from hub.api.deps import Admin, Hub, HubDep, Staff, Viewer, acting
from hub.api.problems import Problem, refused
from hub.api.schemas.incidents import RuleList, RuleOut, ThresholdsBoth
from hub.api.sight import seen_commune
from hub.api.words import incident_title
from hub.incidents.rule_edit import (
    HUB,
    RuleRefusedError,
    RuleView,
    Thresholds,
    bounds_of,
    reset_rule,
    rules_of,
    set_rule,
)

router = APIRouter(prefix="/api/v1", tags=["thresholds"])

Change = Callable[[Connection], tuple[RuleView, RuleView]]


@router.get("/incident-rules")
def list_hub_rules(hub: HubDep, _: Viewer) -> RuleList:
    """What holds for communes without thresholds of their own."""
    with hub.reads.connect() as conn:
        return RuleList(commune=HUB, items=[_out(one) for one in rules_of(conn, HUB)])


@router.get("/communes/{commune}/incident-rules")
def list_rules(commune: str, hub: HubDep, by: Viewer) -> RuleList:
    """What holds in one commune."""
    with hub.reads.connect() as conn:
        seen_commune(conn, by, commune)
        return RuleList(commune=commune, items=[_out(one) for one in rules_of(conn, commune)])


@router.put("/incident-rules/{kind}")
def set_hub_rule(kind: str, body: ThresholdsBoth, request: Request, hub: HubDep, by: Admin) -> RuleOut:
    """Set one kind's thresholds for all communes without their own."""
    return _change(hub, request, by, lambda conn: set_rule(conn, HUB, kind, _read(body)), kind)


@router.delete("/incident-rules/{kind}")
def reset_hub_rule(kind: str, request: Request, hub: HubDep, by: Admin) -> RuleOut:
    """Go back to what the program brings along."""
    return _change(hub, request, by, lambda conn: reset_rule(conn, HUB, kind), kind)


@router.put("/communes/{commune}/incident-rules/{kind}")
def set_commune_rule(
    commune: str, kind: str, body: ThresholdsBoth, request: Request, hub: HubDep, by: Staff
) -> RuleOut:
    """Set one kind's thresholds for one commune."""

    def change(conn: Connection) -> tuple[RuleView, RuleView]:
        seen_commune(conn, by, commune)
        return set_rule(conn, commune, kind, _read(body))

    return _change(hub, request, by, change, kind)


@router.delete("/communes/{commune}/incident-rules/{kind}")
def reset_commune_rule(commune: str, kind: str, request: Request, hub: HubDep, by: Staff) -> RuleOut:
    """Let a commune follow the hub's thresholds again."""

    def change(conn: Connection) -> tuple[RuleView, RuleView]:
        seen_commune(conn, by, commune)
        return reset_rule(conn, commune, kind)

    return _change(hub, request, by, change, kind)


def _change(hub: Hub, request: Request, by: User, change: Change, kind: str) -> RuleOut:
    told: dict[str, Any] = {}
    with acting(hub, request, by, thresholds=told) as conn:
        try:
            before, after = change(conn)
        except KeyError:
            raise Problem(
                404,
                "unknown-kind",
                f"there are no thresholds for {kind!r}",
                f"Không có ngưỡng nào cho loại sự cố “{kind}”.",
            ) from None
        except RuleRefusedError as error:
            raise refused(error.field, str(error), error.detail_vi) from None
        told |= {"before": _plain(before.now), "after": _plain(after.now)}
    return _out(after)


def _read(body: ThresholdsBoth) -> Thresholds:
    return Thresholds(**body.model_dump())


def _plain(thresholds: Thresholds) -> dict[str, Any]:
    return {**asdict(thresholds), "params": dict(thresholds.params)}


def _out(one: RuleView) -> RuleOut:
    title_vi, title_en = incident_title(one.kind)
    return RuleOut(
        kind=one.kind,
        title_vi=title_vi,
        title_en=title_en,
        now=ThresholdsBoth(**_plain(one.now)),
        source=one.source,
        inherited=ThresholdsBoth(**_plain(one.inherited)),
        bounds={name: bounds_of(name) for name in one.now.params},
    )
