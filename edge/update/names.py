"""What releases and their files are called, and the one error of installing them."""

from __future__ import annotations


class UpdateError(Exception):
    """The release can't be had or installed. The text says why and what to do; nothing has changed."""


def release_name(version: str, sha256: str) -> str:
    """The folder of a release: two builds of one version don't meet."""
    return f"{version}-{sha256[:12]}"


def file_name(version: str, sha256: str) -> str:
    """What a release file is called: a node asks its source for this name."""
    return f"ngonden-edge-{release_name(version, sha256)}.tar.gz"
