"""What one ingest is responsible for: everything, or as one of several workers some communes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """`tokens` are the held communes with their fencing tokens; None: all of them, alone."""

    worker: str = ""
    tokens: Mapping[str, int] | None = None

    def holds(self, commune: str) -> bool:
        """Whether the commune's nodes are this ingest's."""
        return self.tokens is None or commune in self.tokens

    def holds_topic(self, topic: str) -> bool:
        """The same for a topic of the contract; one that is none belongs to whoever got it."""
        if self.tokens is None:
            return True
        levels = topic.split("/", 3)
        return len(levels) < 4 or levels[2] in self.tokens

    def stat(self, key: str) -> str:
        """Under which key of `ingest_stat` this ingest keeps its own."""
        return f"{key}@{self.worker}" if self.worker else key


ALONE = Scope()
