"""Chance that can be replayed: the same words give the same random numbers on every machine."""

from __future__ import annotations

from random import Random


def seeded(*words: object) -> Random:
    """A generator of its own for these words; scatter and noise, never a secret."""
    return Random(" ".join(map(str, words)))  # noqa: S311 - see above
