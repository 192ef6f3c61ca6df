"""Who may sign in: for administrators."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from sqlalchemy import Connection

from hub.access.model import AccessError
from hub.access.store import add_user, disable_user, hashed_password, set_communes, users
from hub.api.deps import Admin, HubDep, acting
from hub.api.people_schemas import CommunesIn, NewUserIn, UserList, UserOut
from hub.api.problems import Problem, unknown_commune
from hub.api.routes.session import refused
from hub.registry.reads import communes

router = APIRouter(prefix="/api/v1/users", tags=["users"])


@router.get("")
def list_users(hub: HubDep, _: Admin) -> UserList:
    """Everybody who may sign in, by name."""
    with hub.reads.connect() as conn:
        return UserList(items=[UserOut.model_validate(one) for one in users(conn)])


@router.post("", status_code=201)
def create_user(body: NewUserIn, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Let somebody sign in with a name, a role and a first password."""
    try:
        hashed = hashed_password(body.password)
    except AccessError as error:
        raise refused(error) from None
    with acting(hub, request, by, name=body.name, role=body.role, communes=body.communes) as conn:
        _check_known(conn, body.communes)
        try:
            made = add_user(
                conn, body.name, body.role, hashed=hashed, communes=body.communes, now=hub.clock()
            )
        except AccessError as error:
            raise refused(error) from None
    return UserOut.model_validate(made)


@router.post("/{name}/disable")
def disable(name: str, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Let somebody sign in no more, and end their sessions at once; not oneself."""
    with acting(hub, request, by, name=name) as conn:
        if name == by.name:
            raise Problem(
                409,
                "own-account",
                "you can't disable yourself",
                "Bạn không thể khoá tài khoản của chính mình.",
            )
        gone = disable_user(conn, name, now=hub.clock())
        if gone is None:
            raise _unknown(name)
    return UserOut.model_validate(gone)


@router.put("/{name}/communes")
def change_communes(name: str, body: CommunesIn, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Say for which communes somebody works; it holds from their next request on."""
    with acting(hub, request, by, name=name, communes=body.communes) as conn:
        _check_known(conn, body.communes)
        try:
            changed = set_communes(conn, name, body.communes)
        except AccessError as error:
            raise refused(error) from None
        if changed is None:
            raise _unknown(name)
    return UserOut.model_validate(changed)


def _check_known(conn: Connection, codes: Iterable[str]) -> None:
    known = {one.code for one in communes(conn)}
    for code in codes:
        if code not in known:
            raise unknown_commune(code)


def _unknown(name: str) -> Problem:
    return Problem(404, "unknown-user", f"no user {name!r}", f"Không có người dùng “{name}”.")
