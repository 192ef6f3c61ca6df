"""The few MQTT 5 packets that a load needs, as bytes: see `simulators.traffic.load` for why no library."""

from __future__ import annotations

import socket
import struct

_CONNECT = 0x10
_PUBLISH_QOS1 = 0x32
_PUBACK = 0x40
_DISCONNECT = 0xE0


class LoadError(RuntimeError):
    """The broker refused or dropped the load; the text says at which point."""


def connected(client_id: str, *, host: str, port: int) -> socket.socket:
    """A connection with a clean start whose greeting is through; the caller closes it.

    Raises LoadError where the broker refuses the client, OSError where nobody answers.
    """
    link = socket.create_connection((host, port), timeout=10)
    try:
        body = utf8("MQTT") + bytes([5, 0x02]) + struct.pack("!H", 0) + b"\x00" + utf8(client_id)
        link.sendall(bytes([_CONNECT]) + _length(len(body)) + body)
        if not link.recv(1) or not _welcomed(link):
            raise LoadError(f"the broker refused {client_id}")
    except BaseException:
        link.close()
        raise
    return link


def disconnect(link: socket.socket) -> None:
    """Say goodbye, so that the broker lets go of the session."""
    link.sendall(bytes([_DISCONNECT, 0]))


def publish_qos1(topic_utf8: bytes, packet_id: int, payload: bytes) -> bytes:
    """A PUBLISH of QoS 1; the topic as `utf8` makes it, the packet id from 1 to 65,535."""
    body = topic_utf8 + struct.pack("!H", packet_id) + b"\x00" + payload
    return bytes([_PUBLISH_QOS1]) + _length(len(body)) + body


def count_pubacks(unread: bytearray) -> int:
    """Take whole acknowledgements off the front of what was read, and count them.

    Raises LoadError when the broker says anything else: it says goodbye.
    """
    count = at = 0
    while at + 2 <= len(unread):
        if unread[at] != _PUBACK:
            raise LoadError(f"the broker sent a packet of type {unread[at] >> 4} in place of a PUBACK")
        # Never longer than 127 bytes: broker's words to an acknowledgement were not asked for.
        end = at + 2 + unread[at + 1]
        if end > len(unread):
            break
        count, at = count + 1, end
    del unread[:at]
    return count


def utf8(text: str) -> bytes:
    """A string as MQTT writes it: its length in two bytes, then UTF-8."""
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _welcomed(link: socket.socket) -> bool:
    length = link.recv(1)[0]
    body = b""
    while len(body) < length:
        body += link.recv(length - len(body))
    return body[1] == 0


def _length(value: int) -> bytes:
    """MQTT's variable byte integer (MQTT 5, section 1.5.5)."""
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | 0x80 if value else low)
        if not value:
            return bytes(out)
