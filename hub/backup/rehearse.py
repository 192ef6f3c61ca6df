"""From a folder of backups to databases: for a restoration, and for the test that one would succeed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hub.backup import facts
from hub.backup.errors import RestoreError
from hub.backup.manifest import Manifest, Part, Point, read
from hub.backup.pages import file_digest, put
from hub.backup.sealed import unsealing
from hub.db import open_database, sqlite_module


def rehearse(folder: Path, at: Path, point: Point, secret: bytes | None) -> None:
    """Make sure that a point can be restored. Raises RestoreError.

    `at` is where its files lie. Every file is read again; databases of a point without a base are also restored
    aside, checked page by page, and the hub's is held against the manifest.
    """
    for part in point.manifest.parts:
        check_file(at / part.file, part)
    if point.bases:
        return
    with tempfile.TemporaryDirectory(prefix=".rehearsal-", dir=folder) as aside:
        restore_pages(folder, point, Path(aside), secret, places={point.name: at})


def restore_pages(
    folder: Path, point: Point, to: Path, secret: bytes | None, *, places: Mapping[str, Path] | None = None
) -> list[Path]:
    """Write the SQLite databases of a point into a folder as `hub.db` and `telemetry.db`, and check them.

    `places` tells where points lie that are not in the folder under their name. Raises RestoreError.
    """
    written = []
    for part in point.manifest.parts:
        if part.how != "sqlite_pages":
            continue
        path = to / f"{part.name}.db"
        with path.open("xb") as file:
            path.chmod(0o600)
            for name, one in reversed(chain(folder, point, part, places or {})):
                at = (places or {}).get(name, folder / name)
                check_file(at / one.file, one)
                with unsealing(at / one.file, secret) as source:
                    put(source, file)
            file.flush()
        with path.open("rb") as file:
            if file_digest(file, key=bytes.fromhex(part.digest_key)) != part.digest:
                raise RestoreError(
                    f"{path.name} is not what was backed up", f"{path.name} không giống bản đã sao lưu"
                )
        written.append(path)
        if part.name == "hub":
            check_database(f"sqlite:///{path}", point.manifest)
        else:
            _check_sqlite(path)
    return written


def check_file(path: Path, part: Part) -> None:
    """Raises RestoreError for a file that is not the one that was written."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RestoreError(f"{path} can't be read: {error}", f"Không đọc được {path}: {error}") from None
    if found != part.sha256:
        raise RestoreError(f"{path} was changed or is damaged", f"{path} đã bị sửa hoặc hỏng")


def check_database(url: str, manifest: Manifest) -> None:
    """Raises RestoreError for a database of the hub that does not hold what the manifest says."""
    assert manifest.facts is not None
    engine = open_database(url)
    try:
        facts.check(engine, manifest.facts)
    finally:
        engine.dispose()


def _check_sqlite(path: Path) -> None:
    sqlite = sqlite_module()
    conn = sqlite.connect(path)
    try:
        fault = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite.Error as error:
        fault = str(error)
    finally:
        conn.close()
    if fault != "ok":
        raise RestoreError(f"{path.name} is damaged: {fault}", f"{path.name} hỏng: {fault}")


def chain(folder: Path, point: Point, part: Part, places: Mapping[str, Path]) -> list[tuple[str, Part]]:
    """A point's part and all it adds to, newest first. Raises RestoreError."""
    found = [(point.name, part)]
    while (base := found[-1][1].base) is not None:
        earlier = read(places.get(base, folder / base)).part(part.name)
        if earlier is None or len(found) > 100_000:
            raise RestoreError(
                f"{base} has no part {part.name}", f"Bản sao lưu {base} thiếu phần {part.name}"
            )
        found.append((base, earlier))
    return found
