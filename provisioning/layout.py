"""Where a commune's identities and broker files lie under its data directory, and which names are taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HUB_NAME = "hub"
"""The hub's certificate name; the access list gives this name more than a node's rights."""

RESERVED_NAMES = frozenset({HUB_NAME, "broker", "ca"})

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class ProvisioningError(Exception):
    """Something a person must put right; the text says what and how."""


def node_name(text: str) -> str:
    """The node's name for a pole code or a node name: lower case, letters, digits and hyphens.

    Raises ProvisioningError for a name that could not stand in a topic, or that would take over the hub's
    rights.
    """
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise ProvisioningError(
            f"node name {text!r}: use 1 to 63 letters a-z, digits and hyphens, such as TG-0042"
        )
    if name in RESERVED_NAMES:
        raise ProvisioningError(f"node name {name!r} is reserved: choose another, such as the pole code")
    return name


@dataclass(frozen=True, slots=True)
class Identity:
    """The files of one certificate holder; `certificate` and `key` are PEM."""

    name: str
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under one data directory. Directories are 0700, keys 0600."""

    data: Path

    @property
    def pki(self) -> Path:
        """The authority and the hub side's identities."""
        return self.data / "pki"

    @property
    def authority(self) -> Identity:
        """The certificate authority; its key signs everything and stays on the hub."""
        return Identity("ca", self.pki / "ca.crt", self.pki / "ca.key")

    @property
    def revocations(self) -> Path:
        """The list of revoked certificates that the broker reads, PEM."""
        return self.pki / "crl.pem"

    @property
    def broker_identity(self) -> Identity:
        """The broker's server certificate."""
        return Identity("broker", self.pki / "broker.crt", self.pki / "broker.key")

    @property
    def hub_identity(self) -> Identity:
        """The hub's client certificate."""
        return Identity(HUB_NAME, self.pki / "hub.crt", self.pki / "hub.key")

    @property
    def broker(self) -> Path:
        """The broker's configuration, access list and store."""
        return self.data / "broker"

    @property
    def broker_config(self) -> Path:
        """The generated mosquitto.conf."""
        return self.broker / "mosquitto.conf"

    @property
    def broker_acl(self) -> Path:
        """The generated access list."""
        return self.broker / "acl"

    @property
    def broker_store(self) -> Path:
        """The directory in which mosquitto keeps its own database."""
        return self.broker / "db"

    @property
    def nodes(self) -> Path:
        """One directory per node: what is carried to its Raspberry Pi."""
        return self.data / "nodes"

    def node_dir(self, node: str) -> Path:
        """The directory of one node, by its checked name."""
        return self.nodes / node_name(node)

    def node_identity(self, node: str) -> Identity:
        """The node's client certificate and key."""
        directory = self.node_dir(node)
        return Identity(node_name(node), directory / "node.crt", directory / "node.key")

    def node_ca(self, node: str) -> Path:
        """The node's own copy of the authority's certificate."""
        return self.node_dir(node) / "ca.crt"

    def node_config(self, node: str) -> Path:
        """The node's configuration; provisioning writes who it is and how it reaches the broker."""
        return self.node_dir(node) / "node.toml"
