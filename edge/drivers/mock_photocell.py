"""A light sensor whose sky is a test's or a simulator's."""

from __future__ import annotations

from collections.abc import Callable


class MockPhotocell:
    """Says what `dark` holds, or what `sky` answers; None is a sensor that does not answer."""

    def __init__(self, dark: bool | None = None, *, sky: Callable[[], bool | None] | None = None) -> None:
        self.dark = dark
        self._sky = sky

    def read(self) -> bool | None:
        """The sky's word where there is one, else `dark`."""
        return self._sky() if self._sky is not None else self.dark

    def close(self) -> None:
        """Nothing to let go of."""
