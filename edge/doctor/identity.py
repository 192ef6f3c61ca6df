"""The node's certificate and key: valid, its own, matching, and nobody else's to read."""

from __future__ import annotations

import _ssl
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.doctor.findings import Finding, Patient, Words, fault, fine, left_out, warning

RENEW_BEFORE_DAYS = 30
ISSUE = Words(
    "cấp lại chứng thư cho nút này ở trung tâm (ngonden provision node) rồi chép vào",
    "issue this node's certificate again at the hub (ngonden provision node) and copy it here",
)


def check_certificate(patient: Patient) -> list[Finding]:
    """All that can be said without a connection."""
    broker = patient.config.broker
    if broker.cert_file is None or broker.key_file is None or broker.ca_file is None:
        return [
            left_out(
                "certificate",
                "không cấu hình: kết nối không mã hóa trong máy này",
                "none configured: a plain connection within this machine",
            )
        ]
    for file in (broker.ca_file, broker.cert_file, broker.key_file):
        try:
            Path(file).read_bytes()
        except OSError as error:
            return [
                fault(
                    "certificate",
                    f"không đọc được {file}: {error.strerror}",
                    f"{file} can't be read: {error.strerror}",
                    ISSUE,
                )
            ]
    try:
        # The standard library's only way to read a certificate from a file; the agent's node has no other.
        facts: dict[str, Any] = _ssl._test_decode_cert(broker.cert_file)  # type: ignore[attr-defined]
    except (ssl.SSLError, ValueError) as error:
        return [
            fault(
                "certificate",
                f"{broker.cert_file} không phải chứng thư: {error}",
                f"{broker.cert_file} is not a certificate: {error}",
                ISSUE,
            )
        ]
    return [
        *_name(facts, patient.config.node),
        *_validity(facts, datetime.now(UTC)),
        *_key(broker.cert_file, broker.key_file),
    ]


def _name(facts: dict[str, Any], node: str) -> list[Finding]:
    names = [value for part in facts["subject"] for key, value in part if key == "commonName"]
    if names == [node]:
        return []
    name = ", ".join(names) or "?"
    return [
        fault(
            "certificate",
            f"chứng thư của {name}, nhưng nút này là {node}: máy chủ sẽ từ chối",
            f"it is made out to {name}, this node is {node}: the broker will refuse it",
            ISSUE,
        )
    ]


def _validity(facts: dict[str, Any], now: datetime) -> list[Finding]:
    begins, ends = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(facts[key]), UTC)
        for key in ("notBefore", "notAfter")
    )
    if now < begins:
        return [
            fault(
                "certificate",
                f"chỉ có hiệu lực từ {begins:%Y-%m-%d}; giờ của máy là {now:%Y-%m-%d}",
                f"valid from {begins:%Y-%m-%d} only; this machine's date is {now:%Y-%m-%d}",
                Words("sửa giờ của máy trước", "mend the machine's clock first"),
            )
        ]
    found = (f"có hiệu lực đến {ends:%Y-%m-%d}", f"valid until {ends:%Y-%m-%d}")
    if now >= ends:
        return [
            fault("certificate", f"đã hết hạn ngày {ends:%Y-%m-%d}", f"expired on {ends:%Y-%m-%d}", ISSUE)
        ]
    if (ends - now).days < RENEW_BEFORE_DAYS:
        return [warning("certificate", *found, ISSUE)]
    return [fine("certificate", *found)]


def _key(cert_file: str, key_file: str) -> list[Finding]:
    found = []
    mode = stat.S_IMODE(Path(key_file).stat().st_mode)
    if mode & 0o077:
        found.append(
            fault(
                "certificate",
                f"người khác đọc được khóa {key_file} (quyền {mode:04o})",
                f"others may read the key {key_file} (mode {mode:04o})",
                Words(f"chạy: chmod 600 {key_file}", f"run: chmod 600 {key_file}"),
            )
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert_file, key_file)
    except ssl.SSLError:
        found.append(
            fault(
                "certificate",
                "khóa và chứng thư không cùng một cặp",
                "key and certificate do not belong together",
                ISSUE,
            )
        )
    return found
