"""The certificate authority of one hub: EC P-256 keys, client and server certificates, the revocation list.

Certificates begin in 1970: a Pi without a clock battery wakes there and must still reach its hub, and an
early beginning gives nobody anything, because the key did not exist before its certificate was made.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.layout import Identity, Layout, ProvisioningError

NOT_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)
AUTHORITY_LIFE = timedelta(days=20 * 365)
CERTIFICATE_LIFE = timedelta(days=5 * 365)
REVOCATIONS_LIFE = timedelta(days=10 * 365)
"""Long on purpose: a broker with an expired list refuses every node there is."""

RENEW_BEFORE = timedelta(days=180)
"""`provision init` makes anew what ends within this time."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh key with its certificate, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs identities. Holds the private key: stays in the process that provisions."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, key: ec.EllipticCurvePrivateKey, *, name: str, now: datetime) -> Authority:
        """A self-signed authority over the given key; `now` is aware UTC."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOT_BEFORE)
            .not_valid_after(now + AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, layout: Layout) -> Authority:
        """The authority of a data directory; raises ProvisioningError where there is none."""
        files = layout.authority
        if not files.certificate.exists() or not files.key.exists():
            raise ProvisioningError(
                f"no certificate authority in {layout.pki}: run `ngonden provision init` there first"
            )
        return cls(load_certificate(files), load_key(files))

    def issue_client(self, name: str, key: ec.EllipticCurvePrivateKey, *, now: datetime) -> bytes:
        """A client certificate (PEM) whose common name is the MQTT user and client id."""
        return self._issue(name, key, ExtendedKeyUsageOID.CLIENT_AUTH, (), now)

    def issue_server(
        self, name: str, hosts: Sequence[str], key: ec.EllipticCurvePrivateKey, *, now: datetime
    ) -> bytes:
        """A server certificate (PEM) for these host names and IP addresses."""
        return self._issue(name, key, ExtendedKeyUsageOID.SERVER_AUTH, hosts, now)

    def _issue(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        usage: x509.ObjectIdentifier,
        hosts: Sequence[str],
        now: datetime,
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOT_BEFORE)
            .not_valid_after(min(now + CERTIFICATE_LIFE, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def revocations(
        self, previous: x509.CertificateRevocationList | None, revoke: Sequence[int], *, now: datetime
    ) -> bytes:
        """A new revocation list (PEM): all that the previous one held, and these serial numbers."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(NOT_BEFORE)
            .next_update(now + REVOCATIONS_LIFE)
        )
        known = list(previous) if previous is not None else []
        for entry in known:
            builder = builder.add_revoked_certificate(entry)
        for serial in set(revoke) - {entry.serial_number for entry in known}:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as unencrypted PKCS#8 PEM: a node starts with nobody there to type a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(files: Identity) -> ec.EllipticCurvePrivateKey:
    """Read an identity's key; raises ProvisioningError when it is not one of ours."""
    try:
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    except ValueError as error:
        raise ProvisioningError(
            f"{files.key} is not a private key: {error}; restore it from a backup"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ProvisioningError(f"{files.key} is not an EC key; restore it from a backup")
    return key


def load_certificate(files: Identity) -> x509.Certificate:
    """Read an identity's certificate; raises ProvisioningError when it is damaged."""
    try:
        return x509.load_pem_x509_certificate(files.certificate.read_bytes())
    except ValueError as error:
        raise ProvisioningError(
            f"{files.certificate} is not a certificate: {error}; delete it and run the command again"
        ) from None


def load_revocations(layout: Layout) -> x509.CertificateRevocationList | None:
    """The revocation list on disk, or None before the first; raises ProvisioningError when damaged."""
    if not layout.revocations.exists():
        return None
    try:
        return x509.load_pem_x509_crl(layout.revocations.read_bytes())
    except ValueError as error:
        raise ProvisioningError(
            f"{layout.revocations} is not a revocation list: {error}; restore it from a backup, "
            "because a new one would let revoked nodes in again"
        ) from None


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
