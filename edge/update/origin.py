"""How an agent's process came about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """The settings' file, and the launcher that can choose another release; None: started without one."""

    config_file: Path
    launcher: Path | None
