"""The configuration of nodes: what is wished, what is in force, who changed it and why; one node or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from msgspec import structs
from sqlalchemy import Connection

from hub.access.model import Role, User
from hub.api.deps import HubDep, Staff, Viewer, acting
from hub.api.problems import FieldError, Problem
from hub.api.schemas.nodes import (
    BulkRefusalOut,
    ConfigHistoryOut,
    ConfigVersionOut,
    NodeConfigIn,
    NodeConfigOut,
    NodeConfigsIn,
    NodeConfigsOut,
    NodeProfileBoth,
    NodeStandingList,
    PoleFactsOut,
)
from hub.api.sight import seen_commune, seen_communes, seen_node
from hub.api.views.node_standings import REFUSED, refusal_of, standings
from hub.ingest.reads import newest_events, node_state_of
from hub.nodeconfig.facts import facts_by_node, facts_of
from hub.nodeconfig.model import ConfigRefusedError, NodeProfile, profile_from, profile_to, standing
from hub.nodeconfig.store import ConfigMovedOnError, Desired, desired, history, wish
from hub.registry import reads as registry
from hub.registry.reads import PoleInfo

router = APIRouter(prefix="/api/v1", tags=["node configuration"])


@router.get("/nodes/{node}/config")
def show_config(node: str, hub: HubDep, by: Viewer) -> NodeConfigOut:
    """What is wished for a node beside the version it runs, and why it refused, if it did."""
    with hub.reads.connect() as conn:
        seen_node(conn, by, node)
        return _shown(conn, node)


@router.get("/nodes/{node}/config/history")
def show_history(
    node: str, hub: HubDep, by: Viewer, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> ConfigHistoryOut:
    """Every version with its time, its maker and the reason, newest first."""
    with hub.reads.connect() as conn:
        seen_node(conn, by, node)
        return ConfigHistoryOut(items=[_version(one) for one in history(conn, node, limit=limit)])


@router.put("/nodes/{node}/config")
def change_config(node: str, body: NodeConfigIn, request: Request, hub: HubDep, by: Staff) -> NodeConfigOut:
    """Wish a configuration; the same again changes nothing. The node reports once it is in force."""
    profile = _profile(body.profile)
    with acting(hub, request, by, why=body.why) as conn:
        seen_node(conn, by, node)
        before = desired(conn, node)
        if profile.agent != (None if before is None else before.profile.agent):
            _administrators_only(by)
        facts = facts_of(conn, node)
        try:
            wish(
                conn,
                node,
                profile,
                facts,
                by=by.name,
                why=body.why,
                now=hub.clock(),
                reported=_reported(conn, node),
                based_on=body.based_on,
            )
        except ConfigRefusedError as error:
            raise _refused(error) from None
        except ConfigMovedOnError as error:
            raise Problem(
                409,
                "config-moved-on",
                f"somebody made version {error.version} meanwhile: read it and try again",
                f"Đã có người đặt cấu hình bản {error.version}: hãy tải lại trang rồi sửa tiếp.",
            ) from None
        return _shown(conn, node)


@router.get("/node-configs")
def list_configs(
    hub: HubDep, by: Viewer, commune: Annotated[str | None, Query(max_length=63)] = None
) -> NodeStandingList:
    """Every node with the version wished, the version it runs, and why it refused, if it did."""
    with hub.reads.connect() as conn:
        return NodeStandingList(items=standings(conn, communes=seen_communes(by, commune)))


@router.post("/node-configs")
def change_configs(body: NodeConfigsIn, request: Request, hub: HubDep, by: Staff) -> NodeConfigsOut:
    """One profile for every node of a commune, hamlet or feeder; a node it does not fit stays as it was."""
    profile = _profile(body.profile)
    if profile.agent is not None:
        _administrators_only(by)
    detail = {"commune": body.commune, "hamlet": body.hamlet, "feeder": body.feeder, "why": body.why}
    with acting(hub, request, by, **detail) as conn:
        seen_commune(conn, by, body.commune)
        chosen = _chosen(conn, body)
        facts = facts_by_node(registry.poles(conn))
        done = NodeConfigsOut(changed=[], unchanged=[], refused=[])
        for node in chosen:
            before = desired(conn, node)
            kept = None if before is None else before.profile.agent
            wanted = structs.replace(profile, lamps={}, agent=profile.agent or kept)
            try:
                _, new = wish(
                    conn,
                    node,
                    wanted,
                    facts[node],
                    by=by.name,
                    why=body.why,
                    now=hub.clock(),
                    reported=_reported(conn, node),
                )
            except ConfigRefusedError as error:
                fault = error.fault
                done.refused.append(
                    BulkRefusalOut(node=node, detail=str(error), detail_vi=_sentence(fault.message_vi))
                )
            else:
                (done.changed if new else done.unchanged).append(node)
    return done


def _chosen(conn: Connection, body: NodeConfigsIn) -> Sequence[str]:
    def fits(pole: PoleInfo) -> bool:
        return body.hamlet in (None, pole.hamlet) and body.feeder in (None, pole.feeder)

    found = [pole.node for pole in registry.poles(conn, commune=body.commune) if pole.node and fits(pole)]
    if not found:
        raise Problem(
            404,
            "no-such-nodes",
            "no node of the registry has a pole there",
            "Không có nút điều khiển nào có cột ở phạm vi đã chọn.",
        )
    return list(dict.fromkeys(found))


def _profile(body: NodeProfileBoth) -> NodeProfile:
    return profile_from(body.model_dump())


def _administrators_only(by: User) -> None:
    if not by.role.allows(Role.ADMIN):
        raise Problem(
            403,
            "agent-needs-admin",
            "which release of the agent a node runs is an administrator's to say",
            "Chỉ quản trị viên được đổi bản phần mềm của nút.",
        )


def _refused(error: ConfigRefusedError) -> Problem:
    fault = error.fault
    return Problem(
        422,
        "config-refused",
        str(error),
        _sentence(fault.message_vi),
        errors=[FieldError(loc=f"body.profile.{fault.field}", msg=fault.message)],
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _reported(conn: Connection, node: str) -> int:
    state = node_state_of(conn, node)
    return 0 if state is None else state.config_version


def _shown(conn: Connection, node: str) -> NodeConfigOut:
    wanted = desired(conn, node)
    state = node_state_of(conn, node)
    in_force = None if state is None else state.config_version
    told = newest_events(conn, REFUSED, node=node).get(node)
    refusal = None if wanted is None else refusal_of(conn, wanted, in_force, told)
    profile = NodeProfile() if wanted is None else wanted.profile
    return NodeConfigOut(
        node=node,
        standing=standing(
            None if wanted is None else wanted.version, in_force, refused=refusal is not None
        ),
        in_force=in_force,
        desired=None if wanted is None else _version(wanted),
        profile=NodeProfileBoth.model_validate(profile_to(profile)),
        poles=[PoleFactsOut.model_validate(one, from_attributes=True) for one in facts_of(conn, node)],
        refusal=refusal,
    )


def _version(one: Desired) -> ConfigVersionOut:
    return ConfigVersionOut(
        version=one.version,
        made_at=one.made_at,
        made_by=one.made_by,
        cause=one.cause,
        why=one.why,
        profile=NodeProfileBoth.model_validate(profile_to(one.profile)),
    )
