"""What the API answers and takes about those who sign in; see `hub.api.schemas`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.access.model import Role
from hub.api.schemas import In, Out

Communes = Annotated[list[Annotated[str, Field(min_length=1, max_length=63)]], Field(max_length=400)]


class LoginIn(In):
    """Name and password."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class PasswordIn(In):
    """A new password for the one who is signed in."""

    password: Annotated[str, Field(max_length=400)]


class UserOut(Out):
    """Somebody who may sign in."""

    name: str
    role: Role
    communes: list[str]
    """Codes of the communes that this user sees and acts on; empty: the whole hub."""


class UserList(Out):
    """By name."""

    items: list[UserOut]


Given = Literal[Role.VIEWER, Role.STAFF, Role.ADMIN]
"""The roles that somebody can have."""


class NewUserIn(In):
    """Somebody new, with a first password that they should change."""

    name: Annotated[str, Field(max_length=64)]
    role: Given
    password: Annotated[str, Field(max_length=400)]
    communes: Communes = Field(default_factory=list)


class CommunesIn(In):
    """For which communes somebody works, by code; none: the whole hub."""

    communes: Communes


class AccessIn(In):
    """What somebody may do, and in which communes; none: the whole hub, as administrators always do."""

    role: Given
    communes: Communes


class SessionOut(Out):
    """Who is signed in; without a password yet, the page asks for one."""

    user: UserOut
    has_password: bool
