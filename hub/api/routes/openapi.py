"""The description of this API, as OpenAPI."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from hub.api.deps import Viewer

router = APIRouter(prefix="/api/v1")


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: Viewer) -> dict[str, Any]:
    """OpenAPI 3.1; the error shape of every operation is `ProblemBody`."""
    description: dict[str, Any] = request.app.openapi()
    return description
