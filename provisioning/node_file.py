"""The part of a node's configuration that provisioning knows: who it is and how it reaches its broker."""

from __future__ import annotations

from pathlib import Path

HEADER = """\
# Who this node is and how it reaches its hub. Written by `ngonden provision node`.
# The poles it serves follow as [[poles]] tables; docs/provisioning.md shows one.
"""


def render_node_file(
    node: str, commune: str, *, port: int, host: str = "127.0.0.1", files: Path | None = None
) -> str:
    """The TOML text.

    Without `files` its paths are relative to the TOML file, so that the directory can be carried to a Pi;
    with `files` they point into that directory.
    """

    def place(name: str) -> str:
        return str(files / name) if files is not None else name

    return f"""{HEADER}
node = {toml_string(node)}
commune = {toml_string(commune)}
data_dir = {toml_string(place("data"))}

[broker]
host = {toml_string(host)}
port = {port}
ca_file = {toml_string(place("ca.crt"))}
cert_file = {toml_string(place("node.crt"))}
key_file = {toml_string(place("node.key"))}
"""


def toml_string(text: str) -> str:
    """The text as a TOML basic string; for text without control characters."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
