"""Putting a release beside the running one: checked, unpacked, compiled, tried dry, and only then named.

A release file is a gzipped tar: `release.json` (what it is, see `Manifest`) and `app/` with every module the
agent needs except the interpreter. Its folder gets its name by one rename after everything in it is on disk,
so whatever has a name is whole; what a power cut left half done stands under a dotted name and goes with the
next installation.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from edge.update.launch import (
    CURRENT,
    PREVIOUS,
    TRIAL,
    Step,
    Trial,
    is_whole,
    no_step,
    pointed_at,
    read_record,
    sync_folder,
    write_record,
)
from edge.update.names import UpdateError, release_name

FORMAT = 1
MOST_FILE_BYTES = 64 * 1024**2
MOST_UNPACKED_BYTES = 256 * 1024**2
MOST_FILES = 10_000
LEAVE_FREE_BYTES = 64 * 1024**2
"""The outbox goes on while a release is installed."""
CHECK_WITHIN_S = 180.0
"""A Pi Zero compiles and imports everything within a minute."""


class Manifest(Struct, frozen=True, kw_only=True):
    """`release.json`: what a release is, and which interpreter and machine it is for."""

    format: int
    version: str
    python: str
    """Major and minor version of the interpreter, such as `3.11`."""
    platform: str
    """`any`, or as sysconfig names it: `linux-aarch64`."""
    unpacked_bytes: int
    files: int


def this_python() -> str:
    """The interpreter's version as manifests write it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(
    releases: Path,
    file: Path,
    *,
    sha256: str,
    config: Path | None = None,
    step: Step = no_step,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> str:
    """Install a release file beside what runs; returns its name. Raises UpdateError, OSError.

    With `config` the new release reads those settings in a process of its own, and must accept them.
    Takes seconds to a minute; call it off the event loop.
    """
    if file.stat().st_size > MOST_FILE_BYTES:
        raise UpdateError(f"{file} is larger than {MOST_FILE_BYTES // 1024**2} MB: this is no release")
    found = sha256_of(file)
    if found != sha256:
        raise UpdateError(f"{file} has SHA-256 {found}, expected {sha256}: fetch it again")
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        _fits_here(manifest)
        _has_room(manifest, releases, free_bytes)
        name = release_name(manifest.version, sha256)
        if is_whole(releases, name):
            return name
        made_folder = not releases.is_dir()
        releases.mkdir(parents=True, exist_ok=True)
        if made_folder:
            sync_folder(releases.parent)
        _sweep(releases)
        fresh = releases / f".new-{name}"
        try:
            step("unpack")
            _unpack(archive, manifest, fresh)
            step("compile")
            _compile(fresh, releases / name)
            step("check")
            _check(fresh, config)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    step("sync files")
    _sync_tree(fresh)
    step("name")
    fresh.replace(releases / name)
    step("sync releases")
    sync_folder(releases)
    return name


def begin_trial(
    releases: Path,
    name: str,
    *,
    starts_allowed: int,
    trial_s: float,
    announced: bool = False,
    excused: list[str] | None = None,
    step: Step = no_step,
) -> None:
    """Let this release start next time, on trial. Raises OSError."""
    trial = Trial(name, starts_allowed, trial_s, announced=announced, excused=excused)
    write_record(releases / TRIAL, trial, step)


def give_to_owner(releases: Path) -> None:
    """After root's work: what lies in the data directory is the service's, whoever put it there."""
    owner = releases.parent.stat()
    for path in (releases, *releases.rglob("*")) if releases.is_dir() else ():
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def prune(releases: Path) -> None:
    """Delete every release but the current one, the one before it, and one on trial."""
    trial = read_record(releases / TRIAL, Trial)
    kept = {pointed_at(releases, CURRENT), pointed_at(releases, PREVIOUS)}
    if trial is not None:
        kept.add(trial.release)
    _sweep(releases)
    for folder in releases.iterdir():
        if folder.is_dir() and not folder.is_symlink() and folder.name not in kept:
            # Under a dotted name first: half a release must not look like a whole one.
            doomed = folder.with_name(f".old-{folder.name}")
            folder.replace(doomed)
            shutil.rmtree(doomed, ignore_errors=True)


def _sweep(releases: Path) -> None:
    for folder in (*releases.glob(".new-*"), *releases.glob(".old-*")):
        shutil.rmtree(folder, ignore_errors=True)


def _opened(file: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(file, "r:gz")
    except (tarfile.TarError, EOFError) as error:
        raise UpdateError(f"{file} is not a release: {error}") from None


def _manifest(archive: tarfile.TarFile, file: Path) -> Manifest:
    try:
        first = archive.next()
        source = archive.extractfile(first) if first and first.name == "release.json" else None
        if source is None:
            raise UpdateError(
                f"{file} does not begin with release.json: build it with `ngonden edge release`"
            )
        return msgspec.json.decode(source.read(10_000), type=Manifest)
    except (tarfile.TarError, EOFError, msgspec.DecodeError) as error:
        raise UpdateError(f"{file}: release.json can't be read: {error}") from None


def _fits_here(manifest: Manifest) -> None:
    here = sysconfig.get_platform()
    if manifest.format != FORMAT:
        raise UpdateError(f"the release has format {manifest.format}, this agent knows {FORMAT}")
    if manifest.python != this_python():
        raise UpdateError(f"the release is for Python {manifest.python}, this is {this_python()}")
    if manifest.platform not in ("any", here):
        raise UpdateError(f"the release is for {manifest.platform}, this is {here}")
    if not 0 < manifest.unpacked_bytes <= MOST_UNPACKED_BYTES or not 0 < manifest.files <= MOST_FILES:
        raise UpdateError(f"the release claims {manifest.files} files, {manifest.unpacked_bytes} bytes")


def _has_room(manifest: Manifest, releases: Path, free_bytes: Callable[[Path], int]) -> None:
    place = next(folder for folder in (releases, *releases.parents) if folder.is_dir())
    # Compiled modules take about as much again as their sources.
    needed = 2 * manifest.unpacked_bytes + LEAVE_FREE_BYTES
    free = free_bytes(place)
    if free < needed:
        raise UpdateError(
            f"{place} has {free // 1024**2} MB free, the release needs {needed // 1024**2} MB: "
            "make room, the agent runs on as it is"
        )


def _unpack(archive: tarfile.TarFile, manifest: Manifest, fresh: Path) -> None:
    left_bytes, left_files = manifest.unpacked_bytes, manifest.files
    fresh.mkdir()
    try:
        for member in islice(archive, 1, None):  # behind the manifest
            place = PurePosixPath(member.name)
            if place.is_absolute() or ".." in place.parts or place.parts[:1] != ("app",):
                raise UpdateError(f"the release holds {member.name!r}, outside of app/")
            if member.isdir():
                continue
            if not member.isreg():
                raise UpdateError(f"the release holds {member.name!r}, which is no plain file")
            left_bytes -= member.size
            left_files -= 1
            if left_bytes < 0 or left_files < 0:
                raise UpdateError("the release holds more than its manifest says")
            target = fresh / place
            target.parent.mkdir(parents=True, exist_ok=True)
            source = archive.extractfile(member)
            assert source is not None, "a regular file has content"
            with target.open("wb") as file:
                shutil.copyfileobj(source, file)
    except (tarfile.TarError, EOFError) as error:
        raise UpdateError(f"the release ends too soon or is damaged: {error}") from None
    if left_bytes or left_files:
        raise UpdateError("the release holds less than its manifest says")


def _compile(fresh: Path, final: Path) -> None:
    # A first start that compiles everything would keep the road waiting. Files are never changed in
    # place, so the compiled ones need not look at their sources.
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(fresh), "-p", str(final)]
    _run(["-m", "compileall", *options, str(fresh / "app")], fresh, "can't be compiled")


def _check(fresh: Path, config: Path | None) -> None:
    words = ["--config", str(config.resolve())] if config is not None else []
    _run(["-B", "-P", "-m", "edge", "--check", *words], fresh, "does not start")


def _run(arguments: list[str], fresh: Path, complaint: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str((fresh / "app").resolve())}
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=CHECK_WITHIN_S,
            env=environment,
            preexec_fn=_step_back,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UpdateError(f"the release {complaint}: no end within {CHECK_WITHIN_S:g} s") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise UpdateError(f"the release {complaint}: {words[0][:300]}")


def _step_back() -> None:
    os.nice(19)


def _sync_tree(folder: Path) -> None:
    for path in _inside_out(folder):
        if path.is_dir():
            sync_folder(path)
        else:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _inside_out(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _inside_out(path)
        else:
            yield path
    yield folder
