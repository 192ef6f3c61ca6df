"""The way to the hub, step by step: name, port, encryption, MQTT, permission. The first to fail is the cause.

While the agent runs, MQTT is left out: the broker knows one connection per name, and would end the agent's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time

from edge.config import BrokerSettings
from edge.doctor.findings import Finding, Patient, Words, fault, fine, left_out

STEP_WITHIN_S = 10.0


def check_link(patient: Patient) -> list[Finding]:
    """One finding per step, up to the first fault."""
    broker = patient.config.broker
    where = f"{broker.host}:{broker.port}"
    try:
        addresses = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return [
            fault(
                "link",
                f"không tìm được địa chỉ của {broker.host}: {error.strerror}",
                f"no address for {broker.host}: {error.strerror}",
                Words(
                    "xem SIM còn dữ liệu, modem có sóng, DNS có chạy",
                    "see whether the SIM has data left, the modem a signal, and DNS works",
                ),
            )
        ]
    began_s = time.monotonic()
    try:
        raw = socket.create_connection((broker.host, broker.port), timeout=STEP_WITHIN_S)
    except OSError as error:
        return [
            fault(
                "link",
                f"không kết nối được {where} ({addresses[0][4][0]}): {_reason(error)}",
                f"no connection to {where} ({addresses[0][4][0]}): {_reason(error)}",
                Words(
                    "xem máy trung tâm có bật, tường lửa có mở cổng",
                    "see whether the hub is switched on and its firewall lets this port through",
                ),
            )
        ]
    took_ms = (time.monotonic() - began_s) * 1000
    reached = fine("link", f"tới được {where} sau {took_ms:.0f} ms", f"{where} reached in {took_ms:.0f} ms")
    with raw:
        if broker.tls and (refused := _shake_hands(raw, broker)) is not None:
            return [reached, refused]
    encrypted = [fine("link", "mã hóa TLS tốt", "TLS is fine")] if broker.tls else []
    return [reached, *encrypted, _speak_mqtt(patient)]


def _reason(error: Exception) -> str:
    text = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return str(text) or type(error).__name__


def _shake_hands(raw: socket.socket, broker: BrokerSettings) -> Finding | None:
    try:
        with context_of(broker).wrap_socket(raw, server_hostname=broker.host):
            return None
    except ssl.SSLCertVerificationError as error:
        return fault(
            "link",
            f"chứng thư của máy chủ không tin được: {_reason(error)}",
            f"the broker's certificate is not trusted: {_reason(error)}",
            Words(
                "xem giờ của máy (mục clock) và ca_file có đúng của trung tâm",
                "see the machine's time (clock), and whether ca_file is this hub's",
            ),
        )
    except (ssl.SSLError, OSError) as error:
        return fault(
            "link",
            f"bắt tay TLS hỏng: {_reason(error)}",
            f"the TLS handshake failed: {_reason(error)}",
            Words(
                "xem mục certificate; cổng này có phải cổng TLS không",
                "see certificate; is this port the TLS one?",
            ),
        )


def context_of(broker: BrokerSettings) -> ssl.SSLContext:
    """The node's identity for a connection. Raises OSError."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=broker.ca_file)
    if broker.cert_file is not None:
        context.load_cert_chain(broker.cert_file, broker.key_file)
    return context


def _speak_mqtt(patient: Patient) -> Finding:
    if patient.agent_pid is not None:
        return left_out(
            "link",
            f"không thử MQTT: phần mềm đang chạy (pid {patient.agent_pid}), thử sẽ làm nó mất kết nối",
            f"MQTT not tried: the agent runs (pid {patient.agent_pid}), and would lose its connection",
        )
    try:
        granted = asyncio.run(_connect_and_subscribe(patient))
    except Exception as error:  # noqa: BLE001 - whatever the library calls it, the person needs one sentence
        return fault(
            "link",
            f"máy chủ MQTT từ chối: {_reason(error)}",
            f"the MQTT broker refuses: {_reason(error)}",
            Words(
                "xem mục certificate; chứng thư có bị thu hồi không, nút đã đăng ký chưa",
                "see certificate; was it revoked, is the node registered?",
            ),
        )
    if granted:
        return fine(
            "link", "MQTT kết nối được, được quyền nhận", "MQTT connects, and may read this node's topics"
        )
    return fault(
        "link",
        "MQTT kết nối được, nhưng không được quyền nhận",
        "MQTT connects, but may not read this node's topics",
        Words(
            f"xem tên nút và xã trong cấu hình: {patient.config.node}, {patient.config.commune}",
            f"see node and commune in the settings: {patient.config.node}, {patient.config.commune}",
        ),
    )


async def _connect_and_subscribe(patient: Patient) -> bool:
    """Whether the node may read its configuration. Raises aiomqtt's and ssl's errors."""
    import aiomqtt

    from protocol import Kind, topic

    config = patient.config
    client = aiomqtt.Client(
        config.broker.host,
        config.broker.port,
        identifier=config.node,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=STEP_WITHIN_S,
        tls_context=context_of(config.broker) if config.broker.tls else None,
    )
    # Its configuration only, which is retained: a command that came here would be lost to the agent.
    async with client:
        codes = await client.subscribe(topic(config.commune, config.node, Kind.CONFIG), qos=0)
    return not any(getattr(code, "is_failure", False) or code == 0x80 for code in codes)
