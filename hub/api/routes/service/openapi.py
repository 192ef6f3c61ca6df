"""The description of this API, as OpenAPI."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request

from hub.api.deps import Viewer
from hub.api.problems import MEDIA_TYPE, ProblemBody
from hub.api.roles import route_roles

router = APIRouter(prefix="/api/v1")

_PROBLEM = {"$ref": "#/components/schemas/ProblemBody"}


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: Viewer) -> dict[str, Any]:
    """OpenAPI 3.1; each operation names its role as `x-role`, and its errors are `ProblemBody`."""
    return describe(request.app)


def describe(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description with what it can't know: roles, and the one shape of errors."""
    description: dict[str, Any] = app.openapi()
    schemas = description["components"]["schemas"]
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["ProblemBody"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for method, path, role in route_roles(app):
        operation = description["paths"].get(path, {}).get(method.lower())
        if operation is not None and role is not None:
            operation["x-role"] = role.value
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {
                "description": "What went wrong (RFC 9457)",
                "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
            }
    return description
