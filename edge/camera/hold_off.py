"""A fault is told when it has held for some rounds, and its end when it has been gone for some."""

from __future__ import annotations


class HoldOff:
    """One fault of one camera."""

    def __init__(self, *, begins_after: int, ends_after: int = 2) -> None:
        """Rounds running that it takes to begin and to end."""
        self.active = False
        self._begins_after = begins_after
        self._ends_after = ends_after
        self._rounds = 0

    def see(self, bad: bool | None) -> bool | None:
        """One round's word, None for unknown. True: it begins; False: it ends; None: nothing changes."""
        if bad is None:
            return None
        if bad == self.active:
            self._rounds = 0
            return None
        self._rounds += 1
        if self._rounds < (self._ends_after if self.active else self._begins_after):
            return None
        self.active, self._rounds = bad, 0
        return bad
