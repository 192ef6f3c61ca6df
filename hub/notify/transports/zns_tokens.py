"""The tokens of a Zalo Official Account, kept in a file of mode 0600 and renewed in time.

Zalo gives a new refresh token with each access token and takes the old one no more: so the file is locked
while one process renews, and the new pair is on disk before it is used. Losing it means that a person has to
grant the app its right again.

Follows Zalo's description of OAuth v4 for Official Accounts (`oauth.zaloapp.com/v4/oa/access_token`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from pydantic import BaseModel, ConfigDict, ValidationError

TOKEN_URL = "https://oauth.zaloapp.com/v4/oa/access_token"  # noqa: S105  an address
MESSAGE_URL = "https://business.openapi.zalo.me/message/template"

_EARLY = timedelta(minutes=5)
"""A token that is about to run out is renewed before it does."""

_NO_LENGTH_S = 3600.0
"""What an answer without `expires_in` is taken to last: Zalo's last about a day."""


class TokenError(Exception):
    """There is no usable token; `permanent` where a person has to do something about it."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    app_id: str
    secret_key: str
    refresh_token: str
    access_token: str = ""
    expires_at: datetime | None = None
    token_url: str = TOKEN_URL
    message_url: str = MESSAGE_URL


class TokenFile:
    """The file of one Official Account; raises TokenError from every method where it can't be used."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._now = now

    @property
    def message_url(self) -> str:
        """Where messages go."""
        return self._read().message_url

    def access_token(self, *, timeout_s: float, refused: str | None = None) -> str:
        """A token that holds; a new one where the present one ran out or is the one that Zalo `refused`."""
        with self._locked():
            stored = self._read()
            expires = stored.expires_at
            usable = stored.access_token and stored.access_token != refused
            if usable and expires is not None and expires > self._now() + _EARLY:
                return stored.access_token
            return self._renew(stored, timeout_s)

    def _renew(self, stored: _Stored, timeout_s: float) -> str:
        try:
            answer = requests.post(
                stored.token_url,
                headers={"secret_key": stored.secret_key},
                data={
                    "refresh_token": stored.refresh_token,
                    "app_id": stored.app_id,
                    "grant_type": "refresh_token",
                },
                timeout=timeout_s,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TokenError(
                f"Zalo's token service can't be reached: {type(error).__name__}", permanent=False
            ) from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise TokenError(f"Zalo's token service answers HTTP {answer.status_code}", permanent=False)
        given = _json(answer)
        access, refresh = given.get("access_token"), given.get("refresh_token")
        if not access or not refresh:
            code = given.get("error", answer.status_code)
            raise TokenError(
                f"Zalo no longer takes the refresh token ({code}): grant the app its right anew",
                permanent=True,
            )
        lasts_s = float(given.get("expires_in") or _NO_LENGTH_S)
        self._write(
            stored.model_copy(
                update={
                    "access_token": str(access),
                    "refresh_token": str(refresh),
                    "expires_at": self._now() + timedelta(seconds=lasts_s),
                }
            )
        )
        return str(access)

    def _read(self) -> _Stored:
        try:
            if self._path.stat().st_mode & 0o077:
                raise TokenError(f"{self._path.name} can be read by others: chmod 600 it", permanent=True)
            return _Stored.model_validate_json(self._path.read_bytes())
        except OSError as error:
            raise TokenError(f"{self._path.name}: {error.strerror}", permanent=True) from None
        except ValidationError as error:
            keys = ", ".join(".".join(map(str, one["loc"])) or "JSON" for one in error.errors())
            raise TokenError(f"{self._path.name}: wrong or missing: {keys}", permanent=True) from None

    def _write(self, stored: _Stored) -> None:
        draft = self._path.with_name(self._path.name + ".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(stored.model_dump_json(indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = os.open(
                self._path.with_name(self._path.name + ".lock"),
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                0o600,
            )
        except OSError as error:
            raise TokenError(f"{self._path.parent}: {error.strerror}", permanent=True) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        given = json.loads(answer.content)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}
