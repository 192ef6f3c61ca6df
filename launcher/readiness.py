"""Asking the web server whether the stack is ready, without an HTTP library in the supervisor."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass

from launcher.ports import HOST


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 where nothing answered; `text` is the reason in words."""

    status: int
    text: str


async def ask(port: int, path: str, *, timeout_s: float = 5.0) -> Answer:
    """GET a path of the web server on loopback."""
    return await asyncio.to_thread(_get, port, path, timeout_s)


def _get(port: int, path: str, timeout_s: float) -> Answer:
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, _reason(response.read()))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error) or type(error).__name__)
    finally:
        connection.close()


def _reason(body: bytes) -> str:
    try:
        problem = json.loads(body)
    except ValueError:
        return ""
    return str(problem.get("detail", "")) if isinstance(problem, dict) else ""
