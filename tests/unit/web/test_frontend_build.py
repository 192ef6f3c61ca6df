"""The front end's sources and build: no registry's address, no Node of the machine, fresh when unchanged."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dashboards.web import build
from dashboards.web.assets import DIST, Assets

ROOT = Path(__file__).parents[3]


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((build.FRONTEND / "package-lock.json").read_text("utf-8"))
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert len(packages) > 10
    assert [entry for entry in packages if "resolved" in entry] == []
    assert all(entry["integrity"].startswith("sha512-") for entry in packages)
    assert "omit-lockfile-registry-resolved=true" in (build.FRONTEND / ".npmrc").read_text("utf-8")


def test_front_end_is_built_from_the_sources_as_they_are() -> None:
    assert build.is_built(), "run: python -m dashboards.web.build"
    assert build.build() is False


def test_changed_sources_are_noticed() -> None:
    assert not build.is_built("0" * 64)


def test_build_uses_the_wheels_node_alone(tmp_path: Path) -> None:
    """A whole build in a copy of the sources, on a PATH without any program."""
    copy = tmp_path / "web"
    for path in [*build._sources(), build.HERE / "build.py", build.FRONTEND / ".npmrc"]:
        target = copy / path.relative_to(build.HERE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    # The packages are the ones that are installed here: what npm fetches is its own affair.
    (copy / "frontend" / "node_modules").symlink_to(build.FRONTEND / "node_modules")
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("NODE")}
    environment["PATH"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, str(copy / "build.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "front end built" in done.stdout
    assert _names(copy / "static" / "dist") == _names(DIST)


def _names(folder: Path) -> list[str]:
    """What was built, without the hashes: they cover where the packages lie."""
    return sorted(re.sub(r"-[A-Z0-9]{8}\.", ".", path.name) for path in folder.iterdir())


def test_type_errors_stop_the_build(tmp_path: Path) -> None:
    node, _ = build.node_and_npm()
    (tmp_path / "wrong.ts").write_text('const lamps: number = "many";\nexport { lamps };\n')
    with pytest.raises(build.FrontendBuildError, match="not assignable to type 'number'"):
        build._run(
            "type check",
            [
                node,
                "node_modules/typescript/bin/tsc",
                "--ignoreConfig",
                "--noEmit",
                "--strict",
                str(tmp_path / "wrong.ts"),
            ],
        )


def test_wheel_carries_the_built_front_end_and_not_its_sources(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"dashboards/web/static/dist/{path.name}" for path in DIST.iterdir()} <= names
    for needed in ("dashboards/web/templates/base.html", "dashboards/web/i18n/vi.json"):
        assert needed in names
    assert not [name for name in names if "/frontend/" in name or "node_modules" in name]


def test_built_pages_name_no_other_host() -> None:
    """Addresses that remain in the bundles are names of XML things and of libraries in texts, never fetched."""
    harmless = re.compile(r"https?://(www\.w3\.org/|leafletjs\.com)")
    found = {
        address
        for path in DIST.iterdir()
        if path.suffix in {".js", ".css", ".svg"}
        for address in re.findall(r"https?://[^\s\"'`)<>]+", path.read_text("utf-8"))
    }
    assert {address for address in found if not harmless.match(address)} == set()


def test_first_look_stays_light_for_a_phone() -> None:
    """What the first page loads, packed, fonts and all."""
    assets = Assets()
    names = re.findall(r"/static/([^\"]+)", str(assets.script("home.js"))) + [
        assets.url(name).removeprefix("/static/") for name in ("base.css", "home.css", "lamp.svg")
    ]
    weights = {name: _weight(assets, name) for name in names}
    fonts = sum(path.stat().st_size for path in DIST.glob("*.woff2"))
    assert sum(weights.values()) + fonts < 160_000, weights


def _weight(assets: Assets, name: str) -> int:
    answer = assets.answer(name, "gzip")
    assert answer is not None
    return len(answer.body)
