"""The hub on a disk that is slow, stuck or full."""
