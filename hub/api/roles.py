"""Which role each route of an app declares: for the API's description, and for the test that none lacks one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from hub.access.model import Role
from hub.api.deps import Needs


class RouteRole(NamedTuple):
    """A method and path template with its declared role; None where none is declared."""

    method: str
    path: str
    role: Role | None


def route_roles(app: FastAPI) -> Iterator[RouteRole]:
    """Every route of the app, pages and mounted folders too."""
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        role = None if dependant is None else _declared(dependant)
        for method in sorted(context.methods or {"ANY"}):
            yield RouteRole(method, str(context.path), role)


def _declared(dependant: Any) -> Role | None:
    """The strictest, where a router declares one and its route another: both must let pass."""
    roles = [one.call.role for one in dependant.dependencies if isinstance(one.call, Needs)]
    return max(roles, key=list(Role).index) if roles else None
