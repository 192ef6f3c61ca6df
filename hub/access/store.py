"""Users and sessions in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from hub.access.model import (
    AccessError,
    LastAdminError,
    Role,
    User,
    checked_communes,
    checked_name,
    checked_password,
)
from hub.access.secrets import new_token, password_hash, password_matches, token_hash
from hub.access.tables import first_login, login_attempt, session, user

SESSION_LENGTH = timedelta(hours=12)
"""A session ends this long after its last use."""

_RENEW_AFTER = timedelta(minutes=10)  # a write at every request would make each page view a disk flush

FIRST_LOGIN_LENGTH = timedelta(hours=24)
FIRST_ADMIN = "admin"

ATTEMPT_WINDOW = timedelta(minutes=15)
MAX_PER_NAME = 5
MAX_PER_ADDRESS = 20
"""An office shares one address, so it may fail more often than one name."""


class TooManyAttemptsError(Exception):
    """Too many failed logins; `retry_after_s` is when the next is taken."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many failed logins, wait {retry_after_s} s")
        self.retry_after_s = retry_after_s


def hashed_password(password: str) -> str:
    """What is stored of a new password; slow on purpose, so call it outside a transaction.

    Raises AccessError for a weak one.
    """
    return password_hash(checked_password(password))


def add_user(
    conn: Connection,
    name: str,
    role: Role,
    *,
    hashed: str | None = None,
    communes: Iterable[str] = (),
    now: datetime,
) -> User:
    """Create a user; raises AccessError for a name that is taken or not a name.

    `hashed` comes from `hashed_password`; without it the user can't sign in with a password yet. `communes`
    are the codes of those the user works for; none: the whole hub.
    """
    name, seen = checked_name(name), checked_communes(communes, role)
    if role is Role.ANONYMOUS:
        raise _no_role()
    if conn.execute(select(user.c.id).where(user.c.name == name)).first():
        raise AccessError("name", f"Tên “{name}” đã có người dùng.", f"{name!r} is taken")
    key = conn.execute(
        insert(user).values(
            name=name, role=role.value, password_hash=hashed, created_at=now, communes=list(seen)
        )
    ).inserted_primary_key
    assert key is not None
    return User(key[0], name, role, hashed is not None, seen)


def users(conn: Connection) -> list[User]:
    """Everybody who may sign in, by name."""
    rows = conn.execute(select(user).where(user.c.disabled_at.is_(None)).order_by(user.c.name))
    return [_user(row) for row in rows]


def disable_user(conn: Connection, name: str, *, now: datetime) -> User | None:
    """Let somebody sign in no more and end their sessions; None where there is no such user.

    Raises LastAdminError for the only administrator.
    """
    _keep_an_admin(conn, name)
    row = conn.execute(select(user).where(user.c.name == name, user.c.disabled_at.is_(None))).one_or_none()
    if row is None:
        return None
    conn.execute(update(user).where(user.c.id == row.id).values(disabled_at=now))
    conn.execute(delete(session).where(session.c.user_id == row.id))
    return _user(row)


def set_communes(conn: Connection, name: str, communes: Iterable[str]) -> User | None:
    """Say for which communes somebody works, from their next request on; None where there is no such user.

    Raises AccessError for an administrator.
    """
    found = user_named(conn, name)
    if found is None:
        return None
    return set_access(conn, name, found.role, communes)


def set_access(conn: Connection, name: str, role: Role, communes: Iterable[str]) -> User | None:
    """Say what somebody may do and where, from their next request on; None where there is no such user.

    Raises AccessError for an administrator of single communes, and for a role that nobody signs in with, and
    LastAdminError for the only administrator.
    """
    seen = checked_communes(communes, role)
    if role is Role.ANONYMOUS:
        raise _no_role()
    if role is not Role.ADMIN:
        _keep_an_admin(conn, name)
    found = user_named(conn, name)
    if found is None:
        return None
    conn.execute(update(user).where(user.c.id == found.id).values(role=role.value, communes=list(seen)))
    return replace(found, role=role, communes=seen)


def _keep_an_admin(conn: Connection, leaving: str) -> None:
    """Refuse to take the only administrator away.

    The rows stay locked until the transaction ends: of two administrators who take each other's role at once,
    the second sees what the first has done. (On SQLite there is one writer at a time.)
    """
    admins = select(user.c.name).where(user.c.role == Role.ADMIN.value, user.c.disabled_at.is_(None))
    names = conn.execute(admins.order_by(user.c.id).with_for_update()).scalars().all()
    if names == [leaving]:
        raise LastAdminError(leaving)


def user_named(conn: Connection, name: str) -> User | None:
    """Somebody who may sign in, by name."""
    row = conn.execute(select(user).where(user.c.name == name, user.c.disabled_at.is_(None))).one_or_none()
    return None if row is None else _user(row)


def _no_role() -> AccessError:
    return AccessError(
        "role", "Vai trò phải là admin, staff hoặc viewer.", "must be admin, staff or viewer"
    )


def set_password_hash(
    conn: Connection, user_id: int, hashed: str, *, keep_session: str | None = None
) -> None:
    """Set a password (its hash: see `hashed_password`) and end the user's other sessions."""
    conn.execute(update(user).where(user.c.id == user_id).values(password_hash=hashed))
    others = delete(session).where(session.c.user_id == user_id)
    if keep_session is not None:
        others = others.where(session.c.token_hash != token_hash(keep_session))
    conn.execute(others)


@dataclass(frozen=True, slots=True)
class LoginClaim:
    """A login that was counted and may now be checked: outside a transaction, because that takes 0.1 s."""

    user: User | None
    stored_hash: str | None

    def check(self, password: str) -> User | None:
        """The user, if this is the password. Slow on purpose."""
        return self.user if password_matches(password[:1000], self.stored_hash) else None


def claim_login(conn: Connection, name: str, *, address: str, now: datetime) -> LoginClaim:
    """Count a login as failed before its password is looked at, so that many at once can't pass the limit.

    `finish_login` takes the count back. Raises TooManyAttemptsError when too many failed lately.
    """
    name, address = name.strip().lower()[:64], address[:64]
    conn.execute(delete(login_attempt).where(login_attempt.c.at <= now - ATTEMPT_WINDOW))
    _check_attempts(conn, name, address, now)
    conn.execute(insert(login_attempt).values(at=now, name=name, address=address))
    row = conn.execute(select(user).where(user.c.name == name, user.c.disabled_at.is_(None))).one_or_none()
    if row is None:
        return LoginClaim(None, None)
    return LoginClaim(_user(row), row.password_hash)


def finish_login(conn: Connection, found: User, *, now: datetime) -> str:
    """Start the session of somebody whose password was right; returns its token."""
    conn.execute(delete(login_attempt).where(login_attempt.c.name == found.name))
    return open_session(conn, found.id, now=now)


def _check_attempts(conn: Connection, name: str, address: str, now: datetime) -> None:
    for condition, most in (
        (login_attempt.c.name == name, MAX_PER_NAME),
        (login_attempt.c.address == address, MAX_PER_ADDRESS),
    ):
        times = (
            conn.execute(
                select(login_attempt.c.at).where(condition).order_by(login_attempt.c.at.desc()).limit(most)
            )
            .scalars()
            .all()
        )
        if len(times) == most:
            free_at = times[-1] + ATTEMPT_WINDOW
            raise TooManyAttemptsError(max(1, int((free_at - now).total_seconds()) + 1))


def open_session(conn: Connection, user_id: int, *, now: datetime) -> str:
    """Start a session and return its token, the only copy there is; forgets sessions that have ended."""
    conn.execute(delete(session).where(session.c.expires_at <= now))
    token = new_token()
    conn.execute(
        insert(session).values(
            token_hash=token_hash(token), user_id=user_id, created_at=now, expires_at=now + SESSION_LENGTH
        )
    )
    return token


def session_user(conn: Connection, token: str, *, now: datetime) -> tuple[User, bool] | None:
    """Whose session this is, and whether it is time to renew it; None when it ended or never was."""
    row = conn.execute(
        select(user, session.c.expires_at)
        .join(session, session.c.user_id == user.c.id)
        .where(
            session.c.token_hash == token_hash(token),
            session.c.expires_at > now,
            user.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return _user(row), row.expires_at < now + SESSION_LENGTH - _RENEW_AFTER


def renew_session(conn: Connection, token: str, *, now: datetime) -> None:
    """Let a session in use last its full length from now; one that ended stays ended."""
    conn.execute(
        update(session)
        .where(session.c.token_hash == token_hash(token), session.c.expires_at > now)
        .values(expires_at=now + SESSION_LENGTH)
    )


def close_session(conn: Connection, token: str) -> None:
    """End a session; nothing happens where there is none."""
    conn.execute(delete(session).where(session.c.token_hash == token_hash(token)))


def first_login_needed(conn: Connection) -> bool:
    """Whether no administrator can sign in with a password yet."""
    able = (
        select(func.count())
        .select_from(user)
        .where(
            user.c.role == Role.ADMIN.value, user.c.password_hash.is_not(None), user.c.disabled_at.is_(None)
        )
    )
    return conn.execute(able).scalar_one() == 0


def new_first_login(conn: Connection, *, now: datetime) -> str:
    """A one-time token that signs in as the first administrator; earlier ones no longer work."""
    conn.execute(delete(first_login).where(first_login.c.used_at.is_(None)))
    token = new_token()
    conn.execute(
        insert(first_login).values(
            token_hash=token_hash(token), created_at=now, expires_at=now + FIRST_LOGIN_LENGTH
        )
    )
    return token


def first_login_valid(conn: Connection, token: str, *, now: datetime) -> bool:
    """Whether `use_first_login` would take this token; reads only."""
    found = conn.execute(
        select(first_login.c.token_hash).where(
            first_login.c.token_hash == token_hash(token),
            first_login.c.used_at.is_(None),
            first_login.c.expires_at > now,
        )
    ).first()
    return found is not None and first_login_needed(conn)


def use_first_login(conn: Connection, token: str, *, now: datetime) -> User | None:
    """Consume a one-time token, once; None for one that was used, ran out, or is no longer needed."""
    if not first_login_needed(conn):
        return None
    claimed = conn.execute(
        update(first_login)
        .where(
            first_login.c.token_hash == token_hash(token),
            first_login.c.used_at.is_(None),
            first_login.c.expires_at > now,
        )
        .values(used_at=now)
    )
    if claimed.rowcount != 1:
        return None
    row = conn.execute(
        select(user)
        .where(
            or_(user.c.name == FIRST_ADMIN, user.c.role == Role.ADMIN.value), user.c.disabled_at.is_(None)
        )
        .order_by(user.c.id)
    ).first()
    if row is None:
        return add_user(conn, FIRST_ADMIN, Role.ADMIN, now=now)
    return _user(row)


def _user(row: Row[Any]) -> User:
    return User(row.id, row.name, Role(row.role), row.password_hash is not None, tuple(row.communes))
