"""What goes wrong with backups; every text says what and where, and what to do."""

from __future__ import annotations


class BackupError(RuntimeError):
    """No backup was made, or none that holds; `vi` says the same in Vietnamese."""

    def __init__(self, detail: str, vi: str) -> None:
        super().__init__(detail)
        self.vi = vi


class RestoreError(BackupError):
    """Nothing was restored, or something that is not what the backup's manifest says."""
