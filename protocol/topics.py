"""Topics `ngonden/<schema>/<commune>/<node>/<kind>`: who may say what, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 1
"""The number in the topic. It changes only when an older peer could misread a message."""

ROOT = f"ngonden/{SCHEMA_VERSION}"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Kind(StrEnum):
    """The last level of a topic; each kind has one message type (see `protocol.codec`)."""

    STATE = "state"
    TELEMETRY = "telemetry"
    EVENT = "event"
    RECEIPT = "receipt"
    STORED = "stored"
    COMMAND = "command"
    CONFIG = "config"


FROM_NODE = (Kind.STATE, Kind.TELEMETRY, Kind.EVENT, Kind.RECEIPT)
"""What a node may publish, under its own name only."""

TO_NODE = (Kind.STORED, Kind.COMMAND, Kind.CONFIG)
"""What a node may read, under its own name only."""


class TopicError(ValueError):
    """The topic is not one of ours. The text says which level is wrong."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic. `commune` and `node` are lower-case names: letters, digits, hyphens, 1 to 63."""

    commune: str
    node: str
    kind: Kind

    def __str__(self) -> str:
        return f"{ROOT}/{self.commune}/{self.node}/{self.kind.value}"


def topic(commune: str, node: str, kind: Kind) -> str:
    """The topic as a string; raises TopicError for a name that could not be parsed back."""
    for level, name in (("commune", commune), ("node", node)):
        if not _NAME.fullmatch(name):
            raise TopicError(f"{level} name {name!r} must be 1 to 63 lower-case letters, digits or hyphens")
    return str(Topic(commune, node, kind))


def parse_topic(text: str) -> Topic:
    """Take a topic apart; raises TopicError when any level is not as the contract says."""
    parts = text.split("/")
    if len(parts) != 5:
        raise TopicError(f"topic {text[:120]!r} has {len(parts)} levels, expected 5")
    root, schema, commune, node, kind = parts
    if f"{root}/{schema}" != ROOT:
        raise TopicError(f"topic {text[:120]!r} does not start with {ROOT}/")
    for level, name in (("commune", commune), ("node", node)):
        if not _NAME.fullmatch(name):
            raise TopicError(f"topic {text[:120]!r}: bad {level} name {name[:70]!r}")
    try:
        return Topic(commune, node, Kind(kind))
    except ValueError:
        raise TopicError(f"topic {text[:120]!r}: unknown kind {kind[:40]!r}") from None
