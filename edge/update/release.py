"""Building a release file: the agent and every library it needs, the same bytes from the same parts.

The parts are wheels where they are given (so a PC can build for a Pi), else what is installed here.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import io
import re
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from edge.update.install import FORMAT, Manifest, sha256_of, this_python
from edge.update.names import UpdateError, file_name

OWN_ROOMS = ("edge", "protocol")
LIBRARIES = ("aiomqtt", "astral", "gpiozero", "msgspec", "pillow", "pyserial", "structlog")
"""What the `edge` extra asks for, less the command line's own: the installed package keeps that."""
NOT_NEEDED = {"setuptools", "tzdata"}
"""colorzero and astral name them; nothing the agent runs imports the one, and a Pi has its own time zones."""
NATIVE = re.compile(r"\.so(\.\d+)*$")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")

Parts = dict[str, bytes]
"""Content by its path under `app/`."""


def build(
    target: Path, *, wheels: list[Path], libraries: bool = True, platform: str | None = None
) -> tuple[Path, str]:
    """Write the release file into the folder `target`; returns it and its SHA-256.

    Without `libraries` it holds the agent's own modules only and finds its libraries in what the node has
    installed. `platform` names the machine that native wheels are for (sysconfig's word; default: this one).
    Raises UpdateError where a part is missing.
    """
    parts = from_wheels(wheels) if wheels else from_this_installation(libraries=libraries)
    version = _version(parts)
    native = any(NATIVE.search(name) for name in parts)
    manifest = Manifest(
        format=FORMAT,
        version=version,
        python=this_python(),
        platform=(platform or sysconfig.get_platform()) if native else "any",
        unpacked_bytes=sum(map(len, parts.values())),
        files=len(parts),
    )
    target.mkdir(parents=True, exist_ok=True)
    draft = target / ".ngonden-edge.tar.gz"
    draft.write_bytes(pack(manifest, parts))
    sha256 = sha256_of(draft)
    path = draft.replace(target / file_name(version, sha256))
    return path, sha256


def pack(manifest: Manifest, parts: Mapping[str, bytes]) -> bytes:
    """The file's bytes. Names are sorted; times, owners and modes are all alike."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, "release.json", msgspec.json.encode(manifest))
        for name in sorted(parts):
            _add(archive, f"app/{name}", parts[name])
    return gzip.compress(plain.getvalue(), 9, mtime=0)


def from_wheels(wheels: list[Path]) -> Parts:
    """The modules of these wheels. Raises UpdateError."""
    parts: Parts = {}
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if (place := _place(name)) is not None and not name.endswith("/"):
                        parts[place] = archive.read(name)
        except (OSError, zipfile.BadZipFile) as error:
            raise UpdateError(f"{wheel} is not a wheel: {error}") from None
    return parts


def from_this_installation(*, libraries: bool) -> Parts:
    """The agent's rooms, and its libraries, as they are installed here. Raises UpdateError."""
    home = Path(__file__).resolve().parents[2]
    parts: Parts = {
        str(path.relative_to(home)): path.read_bytes()
        for room in OWN_ROOMS
        for path in (home / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for name in sorted(_closure(LIBRARIES)) if libraries else ():
        for file in importlib.metadata.distribution(name).files or ():
            place = _place(str(file))
            if place is not None:
                parts[place] = Path(str(file.locate())).read_bytes()
    return parts


def _closure(names: tuple[str, ...]) -> set[str]:
    """These distributions and all that they need here, extras aside."""
    todo, found = list(names), set()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found or name in NOT_NEEDED:
            continue
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            if name in names:
                raise UpdateError(f"{name} is not installed here: pip install 'ngonden[edge]'") from None
            continue  # asked for on other machines only
        found.add(name)
        todo += [match[0] for need in needs if "extra ==" not in need and (match := _NAME.match(need))]
    return found


def _place(name: str) -> str | None:
    """Where a distribution's file goes under app/; None for what an agent has no use for."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or parts[0].startswith("/") or "__pycache__" in parts:
        return None
    if parts[0].endswith(".data"):
        if len(parts) < 3 or parts[1] not in ("purelib", "platlib"):
            return None
        parts = parts[2:]
    if parts[0].endswith(".dist-info") and parts[-1] != "METADATA" and "licenses" not in parts:
        return None
    return "/".join(parts)


def _version(parts: Parts) -> str:
    source = parts.get("edge/version.py", b"").decode()
    found = re.search(r'^AGENT_VERSION = "([0-9A-Za-z][0-9A-Za-z.+-]{0,39})"$', source, re.MULTILINE)
    if found is None:
        raise UpdateError("the parts hold no agent: edge/version.py names no version")
    return found[1]


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(content))
