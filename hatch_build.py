"""Build hook: the front end is built before the distribution is packed or linked into an environment.

Runs for wheels, editable installs and source archives alike. What is built already (a source archive
brings it along) is left alone, so installing from one of ours needs no Node and no npm registry.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """See the module."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling before it collects files."""
        if _builder(Path(self.root)).build():
            self.app.display_info("front end built")


def _builder(root: Path) -> ModuleType:
    """`dashboards/web/build.py` by its path: in an isolated build the project itself is not importable."""
    spec = importlib.util.spec_from_file_location(
        "ngonden_frontend_build", root / "dashboards" / "web" / "build.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
