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
node = {_quoted(node)}
commune = {_quoted(commune)}
data_dir = {_quoted(place("data"))}

[broker]
host = {_quoted(host)}
port = {port}
ca_file = {_quoted(place("ca.crt"))}
cert_file = {_quoted(place("node.crt"))}
key_file = {_quoted(place("node.key"))}
"""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
