"""Built files: kept for ever by browsers, packed where they may be, nothing else is handed out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from dashboards.web.assets import Assets, FrontendMissingError


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built front end of one script with one import."""
    files = {
        "home-A1.js": b"import './shared-B2.js'",
        "shared-B2.js": b"export {}",
        "font-C3.woff2": b"wOF2",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "home-A1.js.gz").write_bytes(gzip.compress(files["home-A1.js"]))
    (tmp_path / "sources.sha256").write_text("0")
    manifest = {"home.js": {"file": "home-A1.js", "preload": ["shared-B2.js"]}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_nothing_built_says_how_to_build(tmp_path: Path) -> None:
    with pytest.raises(FrontendMissingError, match=r"python -m dashboards\.web\.build"):
        Assets(tmp_path)


def test_script_tags_fetch_imports_beside_the_script(dist: Path) -> None:
    assert Assets(dist).script("home.js") == (
        '<link rel="modulepreload" href="/static/shared-B2.js">\n'
        '<script type="module" src="/static/home-A1.js"></script>'
    )


def test_text_goes_out_packed_where_the_browser_takes_it(dist: Path) -> None:
    packed = Assets(dist).answer("home-A1.js", "br, gzip")
    assert packed is not None
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(packed.body)) == b"import './shared-B2.js'"
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["vary"] == "Accept-Encoding"


def test_text_goes_out_plain_where_it_does_not(dist: Path) -> None:
    plain = Assets(dist).answer("home-A1.js", "")
    assert plain is not None
    assert "content-encoding" not in plain.headers
    assert bytes(plain.body) == b"import './shared-B2.js'"


@pytest.mark.parametrize("name", ["manifest.json", "sources.sha256", "../assets.py", "home.js", ""])
def test_only_built_files_are_handed_out(dist: Path, name: str) -> None:
    assert Assets(dist).answer(name, "gzip") is None
