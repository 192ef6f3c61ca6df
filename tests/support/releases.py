"""Small releases for tests: each starts for real and says which one it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from edge.update import launch
from edge.update.install import FORMAT, Manifest, this_python
from edge.update.release import pack

ROOT = Path(__file__).parents[2]
SAYS_ITS_VERSION = 'import sys\nprint("{version}", *sys.argv[1:2])\n'


def release_file(
    folder: Path,
    version: str,
    *,
    main: str = SAYS_ITS_VERSION,
    more: Mapping[str, bytes] | None = None,
    changes: Mapping[str, object] | None = None,
) -> tuple[Path, str]:
    """A release whose agent prints its version; returns the file and its SHA-256."""
    parts = {
        "edge/__init__.py": b'"""A release for tests."""\n',
        "edge/__main__.py": main.replace("{version}", version).encode(),
        **(more or {}),
    }
    facts: dict[str, object] = {
        "format": FORMAT,
        "version": version,
        "python": this_python(),
        "platform": "any",
        "unpacked_bytes": sum(map(len, parts.values())),
        "files": len(parts),
        **(changes or {}),
    }
    content = pack(Manifest(**facts), parts)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{version}.tar.gz"
    path.write_bytes(content)
    return path, sha256(content).hexdigest()


@dataclass(frozen=True)
class Machine:
    """A node's disk: settings, releases, and an installed package that says `base`."""

    home: Path

    @property
    def config(self) -> Path:
        """Its settings."""
        return self.home / "node.toml"

    @property
    def releases(self) -> Path:
        """Its releases."""
        return self.home / "data/releases"

    def prepare(self) -> None:
        """Set it up."""
        (self.home / "base/edge").mkdir(parents=True)
        (self.home / "base/edge/__init__.py").write_text("")
        (self.home / "base/edge/__main__.py").write_text(SAYS_ITS_VERSION.replace("{version}", "base"))
        self.releases.mkdir(parents=True)
        self.config.write_text('data_dir = "data"\n')

    def start(self) -> str:
        """Start it as systemd does, for real; what the agent that came up says of itself, "" for none."""
        done = subprocess.run(
            [sys.executable, "-I", launch.__file__, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(self.home / "base"), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        return done.stdout.split()[0] if done.returncode == 0 else ""

    def run_killed_at(self, step: int, program: str, *arguments: str) -> bool:
        """Run `program` in a child that dies before its step number `step`; whether it died there.

        `program` finds `releases`, `arguments` and the step callback `step`.
        """
        code = (
            "import os, sys\nfrom pathlib import Path\n"
            f"left = [{step}]\n"
            "def step(name):\n"
            "    left[0] -= 1\n"
            "    if left[0] < 0:\n"
            "        os._exit(137)\n"
            "releases, arguments = Path(sys.argv[1]), sys.argv[2:]\n" + program
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(self.releases), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode in (0, 137), done.stderr
        return done.returncode == 137
