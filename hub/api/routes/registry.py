"""Import of the registry from a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile

from hub.api.deps import Admin, HubDep, acting
from hub.api.schemas import ImportOut
from hub.registry.importing import import_registry

router = APIRouter(prefix="/api/v1", tags=["registry"])


@router.post("/registry/import")
def import_file(
    file: Annotated[UploadFile, File(description="CSV or XLSX; columns in docs/registry-import.md")],
    request: Request,
    hub: HubDep,
    by: Admin,
    dry_run: bool = False,
) -> ImportOut:
    """Take in poles from a file, whole or not at all; errors are told by row and column, in the answer."""
    data = file.file.read()
    with acting(hub, request, by, file=file.filename, bytes=len(data), dry_run=dry_run) as conn:
        return ImportOut.model_validate(import_registry(conn, data, now=hub.clock(), dry_run=dry_run))
