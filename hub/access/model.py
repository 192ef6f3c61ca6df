"""Roles and what they allow; names and passwords that are taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a route needs and what a user has. Each one may do all that the ones before it may."""

    ANONYMOUS = "anonymous"
    VIEWER = "viewer"
    STAFF = "staff"
    ADMIN = "admin"

    def allows(self, needed: Role) -> bool:
        """Whether somebody of this role may use what needs `needed`."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is signed in."""

    id: int
    name: str
    role: Role
    has_password: bool
    communes: tuple[str, ...] = ()
    """Codes of the communes that this user sees and acts on, sorted; empty: the whole hub."""

    def sees(self, commune: str) -> bool:
        """Whether what belongs to a commune is this user's to see."""
        return not self.communes or commune in self.communes


NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

MIN_PASSWORD = 10
MAX_PASSWORD = 200
"""Argon2 reads any length; a bound keeps a stranger from making it read megabytes."""


class AccessError(ValueError):
    """A name, role or password that is not taken; texts in Vietnamese and English."""

    def __init__(self, field: str, message_vi: str, message_en: str) -> None:
        super().__init__(f"{field}: {message_en}")
        self.field = field
        self.message_vi = message_vi
        self.message_en = message_en


class LastAdminError(AccessError):
    """Nobody would be left who says who may do what."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "role",
            f"“{name}” là quản trị viên duy nhất. Hãy thêm một quản trị viên khác trước.",
            f"{name!r} is the only administrator: add another one first",
        )


def checked_name(text: str) -> str:
    """A user name in the form that is stored; raises AccessError."""
    name = text.strip().lower()
    if not NAME.fullmatch(name):
        raise AccessError(
            "name",
            "Tên đăng nhập gồm 1–64 chữ cái không dấu, chữ số, dấu chấm, gạch ngang.",
            "must be 1 to 64 letters, digits, dots, hyphens or underscores",
        )
    return name


def checked_communes(codes: Iterable[str], role: Role) -> tuple[str, ...]:
    """Communes in the form that is stored; raises AccessError for an administrator, who sees the whole hub."""
    communes = tuple(sorted(set(codes)))
    if communes and role is Role.ADMIN:
        raise AccessError(
            "communes",
            "Quản trị viên làm việc với toàn hệ thống, không giới hạn theo xã/phường.",
            "an administrator works for the whole hub, not for single communes",
        )
    return communes


def checked_password(text: str) -> str:
    """A password as it is; raises AccessError for one that is too short, too long or a single character."""
    if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD or len(set(text)) < 3:
        raise AccessError(
            "password",
            f"Mật khẩu cần {MIN_PASSWORD}–{MAX_PASSWORD} ký tự, không lặp một ký tự.",
            f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters, not one repeated",
        )
    return text
