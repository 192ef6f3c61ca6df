"""What stops `ngonden up`, in words that say what to do."""

from __future__ import annotations


class LaunchError(Exception):
    """The stack can't be started or went down; the text says why and what to do."""
