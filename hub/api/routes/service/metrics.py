"""`/metrics` for Prometheus: with a token, or for this machine alone."""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import generate_latest

from hub.api.deps import Anyone, HubDep, address_of
from hub.api.metrics import registry_of
from hub.api.problems import Problem

router = APIRouter(tags=["health"])

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, hub: HubDep, _: Anyone) -> PlainTextResponse:
    """The hub's figures in Prometheus' text format; asks for the token of `metrics_token_file`.

    Without such a file only this machine is answered, and no proxy on it.
    """
    _check(request, hub.settings.metrics_token_file)
    with hub.reads.connect() as conn:
        text = generate_latest(registry_of(conn, hub.clock(), backup_folder=hub.settings.backup_folder))
    return PlainTextResponse(text, media_type=CONTENT_TYPE, headers={"cache-control": "no-store"})


def _check(request: Request, token_file: Path | None) -> None:
    if token_file is None:
        if not _from_here(request):
            raise Problem(
                403,
                "metrics-closed",
                "set metrics_token_file to read the figures from another machine",
                "Muốn đọc số liệu từ máy khác, hãy đặt metrics_token_file trong tệp cài đặt.",
            )
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), _token(token_file).encode()):
        raise Problem(
            401,
            "metrics-token-needed",
            "send the token as `Authorization: Bearer …`",
            "Cần mã truy cập số liệu.",
            headers={"www-authenticate": "Bearer"},
        )


def _token(file: Path) -> str:
    """The token; an unusable file locks the figures rather than opens them."""
    try:
        others_may_read = file.stat().st_mode & 0o077
        token = file.read_text("utf-8").strip()
    except OSError as error:
        raise _unusable(f"{file.name}: {error.strerror}") from None
    if others_may_read or len(token) < 16:
        raise _unusable(f"{file.name}: write at least 16 characters into it and chmod 600 it")
    return token


def _unusable(why: str) -> Problem:
    return Problem(503, "metrics-token-unusable", why, "Tệp mã truy cập số liệu không dùng được.")


def _from_here(request: Request) -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(address_of(request)).is_loopback
    except ValueError:
        return False
