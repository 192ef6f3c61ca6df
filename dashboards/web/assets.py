"""The built scripts, styles and fonts: where a page finds them, and how they are handed out.

Names carry a hash of their content, so browsers keep them for ever. Text comes with its .gz, made once at
build time. All of it is about half a megabyte and stays in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from starlette.responses import Response

STATIC_PATH = "/static"
DIST = Path(__file__).parent / "static" / "dist"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"


class FrontendMissingError(RuntimeError):
    """The front end was not built; the text says how to build it."""


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    gzip: bytes | None
    media_type: str


class Assets:
    """What lies in `static/dist`; raises FrontendMissingError when nothing was built there."""

    def __init__(self, folder: Path = DIST) -> None:
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            raise FrontendMissingError("the front end is not built; run: python -m dashboards.web.build")
        self._entries: Mapping[str, Mapping[str, object]] = json.loads(manifest.read_text("utf-8"))
        self._files = {
            path.name: _File(
                path.read_bytes(),
                packed.read_bytes() if (packed := path.with_name(path.name + ".gz")).is_file() else None,
                _TYPES[path.suffix],
            )
            for path in folder.iterdir()
            if path.suffix in _TYPES
        }

    def url(self, name: str) -> str:
        """Address of an entry such as `home.css`."""
        return f"{STATIC_PATH}/{self._entries[name]['file']}"

    def script(self, name: str) -> Markup:
        """The tags that load an entry such as `home.js`, what it imports fetched beside it."""
        imports = self._entries[name]["preload"]
        assert isinstance(imports, list)
        lines = [f'<link rel="modulepreload" href="{STATIC_PATH}/{each}">' for each in imports]
        lines.append(f'<script type="module" src="{self.url(name)}"></script>')
        return Markup("\n".join(lines))  # noqa: S704  names come from our own build

    def answer(self, name: str, accept_encoding: str) -> Response | None:
        """One file as a response, or None where there is none of that name."""
        file = self._files.get(name)
        if file is None:
            return None
        headers = {
            "Cache-Control": _A_DAY if name.endswith(".txt") else _FOR_EVER,
            "Vary": "Accept-Encoding",
        }
        if file.gzip is not None and "gzip" in accept_encoding:
            return Response(
                file.gzip, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"}
            )
        return Response(file.plain, media_type=file.media_type, headers=headers)
