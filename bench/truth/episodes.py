"""How much of what was wrong was found, and how soon: what every bench of finding faults counts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Episodes:
    """Times that something was wrong and had to be noticed, those that were, and after how many seconds."""

    episodes: int = 0
    found: int = 0
    delays_s: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        """Found of what had to be found; None where nothing had to be."""
        return self.found / self.episodes if self.episodes else None
