"""Who may sign in: for administrators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request
from sqlalchemy import Connection

from hub.access.model import AccessError, LastAdminError, User
from hub.access.store import (
    add_user,
    disable_user,
    hashed_password,
    set_access,
    set_communes,
    set_password_hash,
    user_named,
    users,
)
from hub.api.deps import Admin, HubDep, acting
from hub.api.problems import Problem, refused, unknown_commune
from hub.api.schemas.people import AccessIn, CommunesIn, NewUserIn, PasswordIn, UserList, UserOut
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
    with _refusals():
        hashed = hashed_password(body.password)
    with acting(hub, request, by, name=body.name, role=body.role, communes=body.communes) as conn:
        _check_known(conn, body.communes)
        with _refusals():
            made = add_user(
                conn, body.name, body.role, hashed=hashed, communes=body.communes, now=hub.clock()
            )
    return UserOut.model_validate(made)


@router.post("/{name}/disable")
def disable(name: str, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Let somebody sign in no more, and end their sessions at once; not oneself."""
    with acting(hub, request, by, name=name) as conn:
        if name == by.name:
            raise _own_account(
                "you can't disable yourself",
                "Bạn không thể khóa tài khoản của chính mình.",
            )
        with _refusals():
            gone = _known(name, disable_user(conn, name, now=hub.clock()))
    return UserOut.model_validate(gone)


@router.put("/{name}/access")
def change_access(name: str, body: AccessIn, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Say what somebody may do and where, from their next request on. Nobody changes their own role."""
    with acting(hub, request, by, name=name, role=body.role, communes=body.communes) as conn:
        if name == by.name and body.role is not by.role:
            raise _own_account(
                "you can't change your own role: another administrator can",
                "Bạn không thể đổi vai trò của chính mình. Hãy nhờ một quản trị viên khác.",
            )
        _check_known(conn, body.communes)
        with _refusals():
            changed = _known(name, set_access(conn, name, body.role, body.communes))
    return UserOut.model_validate(changed)


@router.put("/{name}/communes")
def change_communes(name: str, body: CommunesIn, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Say for which communes somebody works; it holds from their next request on."""
    with acting(hub, request, by, name=name, communes=body.communes) as conn:
        _check_known(conn, body.communes)
        with _refusals():
            changed = _known(name, set_communes(conn, name, body.communes))
    return UserOut.model_validate(changed)


@router.put("/{name}/password")
def give_password(name: str, body: PasswordIn, request: Request, hub: HubDep, by: Admin) -> UserOut:
    """Give somebody who forgot theirs a new password, and end their sessions. Not for one's own."""
    with _refusals():
        hashed = hashed_password(body.password)
    with acting(hub, request, by, name=name) as conn:
        if name == by.name:
            raise _own_account(
                "set your own password at /api/v1/session/password",
                "Hãy đổi mật khẩu của chính mình ở mục Đổi mật khẩu.",
            )
        found = _known(name, user_named(conn, name))
        set_password_hash(conn, found.id, hashed)
    return UserOut.model_validate(found)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except LastAdminError as error:
        raise Problem(409, "last-admin", error.message_en, error.message_vi) from None
    except AccessError as error:
        raise refused(error.field, str(error), error.message_vi) from None


def _check_known(conn: Connection, codes: Iterable[str]) -> None:
    known = {one.code for one in communes(conn)}
    for code in codes:
        if code not in known:
            raise unknown_commune(code)


def _known(name: str, found: User | None) -> User:
    if found is None:
        raise Problem(404, "unknown-user", f"no user {name!r}", f"Không có người dùng “{name}”.")
    return found


def _own_account(detail: str, detail_vi: str) -> Problem:
    return Problem(409, "own-account", detail, detail_vi)
