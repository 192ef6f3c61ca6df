"""The two acts of provisioning: founding a hub's authority and broker, and giving nodes their identity.

Both can be repeated: what exists and is sound is kept and said to be kept, never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.registry.rows import COLUMNS
from hub.tabular import TableError, read_sheet
from protocol.topics import Kind, TopicError, topic
from provisioning import authority as pki
from provisioning.broker import DEFAULT_PORT, Limits, write_broker
from provisioning.files import private_dir, write_private, write_private_if_changed
from provisioning.layout import HUB_NAME, Identity, Layout, ProvisioningError, node_name
from provisioning.node_file import render_node_file

BROKER_HOSTS = ("localhost", "127.0.0.1")

Outcome = Literal["made", "kept", "renewed"]
_Issue = Callable[[ec.EllipticCurvePrivateKey], bytes]


@dataclass(frozen=True, slots=True)
class Founded:
    """What `found` did to each part."""

    authority: Outcome
    broker: Outcome
    hub: Outcome
    revocations: Outcome
    config_changed: bool


@dataclass(frozen=True, slots=True)
class IssuedNode:
    """One node's directory and whether its identity is new."""

    name: str
    directory: Path
    outcome: Outcome


def found(data: Path, *, now: datetime, port: int = DEFAULT_PORT, limits: Limits | None = None) -> Founded:
    """Make authority, broker and hub identities, revocation list and broker configuration under `data`.

    What would end within `authority.RENEW_BEFORE` is made anew with its old key, except the authority
    itself. Raises ProvisioningError when the directory is damaged in a way a person must look at.
    """
    layout = Layout(data.resolve())
    private_dir(layout.data)
    private_dir(layout.pki)
    authority, made = _found_authority(layout, now)
    broker = _keep_or_issue(
        layout.broker_identity, partial(authority.issue_server, "broker", BROKER_HOSTS, now=now), now
    )
    hub = _keep_or_issue(layout.hub_identity, partial(authority.issue_client, HUB_NAME, now=now), now)
    revocations = _keep_or_sign_revocations(layout, authority, now)
    changed = write_broker(layout, port=port, limits=limits)
    return Founded(made, broker, hub, revocations, changed)


def issue_nodes(
    data: Path, nodes: Iterable[tuple[str, str]], *, now: datetime, port: int = DEFAULT_PORT
) -> list[IssuedNode]:
    """Issue (commune, node) pairs in one go: key, certificate, the authority's certificate, node.toml.

    A node that has a sound identity keeps it. An existing node.toml is kept too: it may hold poles that
    somebody entered. Raises ProvisioningError for a bad name or where `found` was not called.
    """
    layout = Layout(data.resolve())
    authority = pki.Authority.load(layout)
    ca_text = layout.authority.certificate.read_text(encoding="ascii")
    private_dir(layout.nodes)
    issued = []
    for commune, given in nodes:
        name = node_name(given)
        try:
            topic(commune, name, Kind.STATE)
        except TopicError as error:
            raise ProvisioningError(str(error)) from None
        private_dir(layout.node_dir(name))
        outcome = _keep_or_issue(
            layout.node_identity(name), partial(authority.issue_client, name, now=now), now
        )
        write_private_if_changed(layout.node_ca(name), ca_text)
        if not layout.node_config(name).exists():
            write_private(layout.node_config(name), render_node_file(name, commune, port=port))
        issued.append(IssuedNode(name, layout.node_dir(name), outcome))
    return issued


def revoke_node(data: Path, node: str, *, now: datetime) -> int:
    """Put the node's certificate on the revocation list, delete its key here, return the serial number.

    The broker reads the list at SIGHUP and refuses the next connection; one that is open stays open until
    it ends. Raises ProvisioningError where the node has no certificate.
    """
    layout = Layout(data.resolve())
    authority = pki.Authority.load(layout)
    files = layout.node_identity(node)
    if not files.certificate.exists():
        raise ProvisioningError(
            f"node {files.name} has no certificate in {layout.nodes}: nothing to revoke"
        )
    serial = pki.load_certificate(files).serial_number
    write_private(
        layout.revocations, authority.revocations(pki.load_revocations(layout), [serial], now=now)
    )
    files.key.unlink(missing_ok=True)
    files.certificate.unlink()
    return serial


def nodes_in_registry(registry: Path) -> list[tuple[str, str]]:
    """The (commune, node) pairs of a registry file, each once, in the file's order.

    Reads what the hub's import reads (CSV or XLSX, docs/registry-import.md); where `node` is empty the
    pole's code names it. Raises ProvisioningError with the row that does not fit.
    """
    try:
        sheet = read_sheet(registry.read_bytes(), COLUMNS, ("code", "commune_code"))
    except TableError as error:
        raise ProvisioningError(f"{registry}: {error}") from None
    pairs: dict[tuple[str, str], None] = {}
    for row in sheet.rows:
        commune = row.get("commune_code").strip().lower()
        try:
            name = node_name(row.get("node").strip() or row.get("code"))
            topic(commune, name, Kind.STATE)
        except (ProvisioningError, TopicError) as error:
            raise ProvisioningError(f"{registry}, row {row.number}: {error}") from None
        pairs[commune, name] = None
    return list(pairs)


def _found_authority(layout: Layout, now: datetime) -> tuple[pki.Authority, Outcome]:
    files = layout.authority
    if files.certificate.exists():
        authority = pki.Authority.load(layout)
        if authority.certificate.public_key() != authority.key.public_key():
            raise ProvisioningError(
                f"{files.certificate} and {files.key} do not belong together: restore both from one backup"
            )
        return authority, "kept"
    # A run that was cut off may have left the key: it is used, not replaced.
    key = pki.load_key(files) if files.key.exists() else pki.new_key()
    write_private(files.key, pki.key_pem(key))
    authority = pki.Authority.create(key, name="Ngon Den hub authority", now=now)
    pem = authority.certificate.public_bytes(serialization.Encoding.PEM)
    write_private(files.certificate, pem)
    return authority, "made"


def _keep_or_issue(files: Identity, issue: _Issue, now: datetime) -> Outcome:
    outcome: Outcome = "made"
    if files.certificate.exists() and files.key.exists():
        certificate = pki.load_certificate(files)
        if certificate.not_valid_after_utc - now > pki.RENEW_BEFORE:
            return "kept"
        outcome = "renewed"
    key = pki.load_key(files) if files.key.exists() else pki.new_key()
    if not files.key.exists():
        write_private(files.key, pki.key_pem(key))
    write_private(files.certificate, issue(key))
    return outcome


def _keep_or_sign_revocations(layout: Layout, authority: pki.Authority, now: datetime) -> Outcome:
    previous = pki.load_revocations(layout)
    if previous is not None and _ends(previous) - now > pki.REVOCATIONS_LIFE / 2:
        return "kept"
    write_private(layout.revocations, authority.revocations(previous, (), now=now))
    return "made" if previous is None else "renewed"


def _ends(revocations: x509.CertificateRevocationList) -> datetime:
    ends = revocations.next_update_utc
    if ends is None:
        raise ProvisioningError("the revocation list has no end date: restore it from a backup")
    return ends
