"""Where a list goes on: an opaque text for the caller, the last row's sort key for us.

A page that starts behind a key, and not at an offset, neither repeats nor skips a row when others come or go.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from hub.api.problems import FieldError, Problem

Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]


def make_cursor(*key: str | int) -> str:
    """A sort key as text that fits into an address."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: type[str] | type[int]) -> list[str | int]:
    """The key again, one value per kind; raises Problem 422 for a text that `make_cursor` did not make."""
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
    if not isinstance(key, list) or [type(one) for one in key] != list(kinds):
        raise bad_cursor()
    return key


def bad_cursor() -> Problem:
    """422 for a cursor that is none."""
    message = "is not a cursor of this list"
    return Problem(
        422,
        "invalid-request",
        f"cursor {message}",
        "Vị trí trang không hợp lệ: hãy tải lại từ trang đầu.",
        errors=[FieldError(loc="query.cursor", msg=message)],
    )
