"""One connection to the broker: identity, last will, limits. A client serves for one connection only.

Used a second time, paho would first send again what the first connection had left, beside what the outbox
sends. The incoming queue has no limit, because aiomqtt throws messages away when it is full.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiomqtt
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.config import BrokerSettings

NO_MATCHING_SUBSCRIBERS = 0x10


async def open_client(
    broker: BrokerSettings, *, node: str, will: tuple[str, bytes], keepalive_s: int, answer_within_s: float
) -> aiomqtt.Client:
    """A client that is not connected yet. `will` is topic and payload, retained, sent after `will_delay_s`.

    A broker that lets `answer_within_s` pass is dead, whatever TCP believes: that ends each handshake, each
    subscription and each wait for a PUBACK.

    Raises OSError (ssl.SSLError among them) where the identity's files can't be used.
    """
    will_properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
    will_properties.WillDelayInterval = broker.will_delay_s
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    # A will waits no longer than its session lives, so the session outlives the connection as long.
    properties.SessionExpiryInterval = broker.will_delay_s
    topic, payload = will
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=node,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        keepalive=keepalive_s,
        properties=properties,
        will=aiomqtt.Will(topic, payload, qos=1, retain=True, properties=will_properties),
        timeout=answer_within_s,
        tls_context=await _identity(broker),
    )
    # paho gives the TCP and TLS handshakes 5 s, too little for a link with seconds of delay; aiomqtt has no
    # way to say so.
    client._client.connect_timeout = answer_within_s
    return client


def when_unheard(client: aiomqtt.Client, tell: Callable[[], None]) -> None:
    """Call `tell` at each PUBACK by which the broker says that nobody listens (MQTT 5, reason 0x10).

    So it is for some seconds after a broker lost its sessions, until the hub has subscribed again. aiomqtt
    takes such a PUBACK for any other.
    """
    paho = client._client
    inner: Any = paho.on_publish

    def on_publish(
        who: mqtt.Client, userdata: Any, mid: int, reason: ReasonCode, properties: Properties
    ) -> None:
        if reason.value == NO_MATCHING_SUBSCRIBERS:
            tell()
        inner(who, userdata, mid, reason, properties)

    paho.on_publish = on_publish


def laid_down(client: aiomqtt.Client) -> None:
    """Look at why the connection ended, or asyncio complains in the log that nobody did."""
    ended = client._disconnected
    if ended.done() and not ended.cancelled():
        ended.exception()


def spoke(client: aiomqtt.Client) -> None:
    """Note that something was sent just now, or paho sends a PING at every keep-alive all the same.

    paho 2.1 means to note it itself, but its writer returns before it does (`_packet_write`).
    """
    paho = client._client
    with paho._msgtime_mutex:
        paho._last_msg_out = time.monotonic()


def cut(client: aiomqtt.Client) -> None:
    """End a connection that answers no more at once: a polite end would wait for its broker once again."""
    sock = client._client.socket()
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


async def _identity(broker: BrokerSettings) -> ssl.SSLContext | None:
    """Read anew for each connection, so that a renewed certificate needs no restart."""
    if broker.ca_file is None or broker.cert_file is None:
        return None
    return await asyncio.to_thread(_load, broker.ca_file, broker.cert_file, broker.key_file)


def _load(ca_file: str, cert_file: str, key_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert_file, key_file)
    return context
