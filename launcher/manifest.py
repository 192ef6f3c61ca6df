"""What a data directory is: which layout, which scenario, which ports; kept in `up.json`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from launcher.errors import LaunchError
from provisioning.files import private_dir, write_private

LAYOUT_VERSION = 1
"""Changes when an older program could not run a newer directory, or the other way round."""

FILE = "up.json"
LOCK = "up.lock"

_PROVISIONED_BEFORE = frozenset({"pki", "broker", "nodes", LOCK})
"""What `ngonden provision` may have put there before the first `ngonden up`."""


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One data directory. Ports are remembered so that a restart is found where it was."""

    layout: int = LAYOUT_VERSION
    scenario: str
    database: str
    telemetry: str
    broker_port: Annotated[int, Meta(ge=1, le=65535)]
    imported: bool = False
    """Whether registry and funding of the scenario are in the database."""


class _Version(Struct):
    layout: int


def read_manifest(data: Path) -> Manifest | None:
    """The directory's manifest, None for a new directory.

    Raises LaunchError for a directory of another version, a damaged file, or one that holds other things.
    """
    path = data / FILE
    if not path.exists():
        _refuse_a_foreign_directory(data)
        return None
    content = path.read_bytes()
    try:
        layout = msgspec.json.decode(content, type=_Version).layout
        if layout == LAYOUT_VERSION:
            return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise LaunchError(
            f"{path} is damaged ({error}): restore it from a backup, or take a new --data"
        ) from None
    newer = "newer" if layout > LAYOUT_VERSION else "older"
    raise LaunchError(
        f"{data} was made by a {newer} version (layout {layout}, this program knows {LAYOUT_VERSION}): "
        f"run it with that version, or take a new --data"
    )


def write_manifest(data: Path, manifest: Manifest) -> None:
    """Keep the manifest."""
    write_private(data / FILE, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def check_scenario(manifest: Manifest | None, wanted: str | None, *, data: Path, default: str) -> str:
    """The scenario to run; raises LaunchError when the directory holds another one."""
    if manifest is None:
        return wanted or default
    if wanted is not None and wanted != manifest.scenario:
        raise LaunchError(
            f"{data} holds the scenario {manifest.scenario!r}, not {wanted!r}: "
            f"leave --scenario out, or take another --data for {wanted!r}"
        )
    return manifest.scenario


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the directory for this process; the kernel lets go when it ends, however it ends.

    Raises LaunchError while another `ngonden up` holds it.
    """
    private_dir(data)
    descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchError(
                f"another `ngonden up` runs on {data}: stop it first, or take another --data"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _refuse_a_foreign_directory(data: Path) -> None:
    foreign = sorted(path.name for path in data.iterdir() if path.name not in _PROVISIONED_BEFORE)
    if foreign:
        raise LaunchError(
            f"{data} is not a data directory of `ngonden up` (it holds {foreign[0]!r}): take an empty --data"
        )
