"""What comes over an MQTT 5 connection, cut into packets: the hub's hottest loop beside its judging.

Everything but the incoming PUBLISH is built and read by the library `mqtt5`. A PUBLISH is taken apart here,
because the library gives no way past a topic that is not UTF-8 (which must become a reject, not the end of
the connection), and because with its fields read out of its objects it is no quicker: 1.6 µs a message
beside 1.4 µs here and 25 µs in paho-mqtt (docs/adr/0009).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from sys import byteorder
from typing import NamedTuple

from hub.ingest.link.arrival import Arrival, arrival
from protocol.codec import MAX_BYTES

MAX_PACKET_BYTES = 16 * 1024 * 1024
"""Nothing longer is taken from a broker; it is announced in CONNECT."""

_TOPICS_HELD = 200_000
_PUBACK = 0x4002_0000


class WireError(ValueError):
    """The broker broke MQTT: there is no telling where its next packet begins, so the connection ends."""


class Control(NamedTuple):
    """A whole packet that is no PUBLISH; `kind` is the upper half of its first byte."""

    kind: int
    packet: bytes


class Splitter:
    """Takes bytes as they come; holds what of a packet is not yet whole, and topics as text."""

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self._rest = b""
        self._topics: dict[bytes, str] = {}

    def feed(self, data: bytes, at: float) -> tuple[list[Arrival], list[Control]]:
        """The messages and the other packets that `data` completes; `at` is Unix seconds. Raises WireError."""
        if self._rest:
            data = self._rest + data
        came: list[Arrival] = []
        others: list[Control] = []
        start, end = 0, len(data)
        try:
            while start < end:
                first = data[start]
                # The remaining length (MQTT 5, section 1.5.5): nearly always one or two bytes.
                length, body = data[start + 1], start + 2
                if length > 127:
                    more = data[body]
                    body += 1
                    length = (length & 127) | (more << 7)
                    if more > 127:
                        length, body = _long_length(data, start + 1)
                stop = body + length
                if stop > end:
                    break
                if first & 0xF0 == 0x30:
                    came.append(self._publish(data, first, body, stop, at))
                else:
                    others.append(Control(first >> 4, data[start:stop]))
                start = stop
        except IndexError:
            pass  # the length itself is not whole yet
        self._rest = data[start:]
        return came, others

    def _publish(self, data: bytes, first: int, body: int, stop: int, at: float) -> Arrival:
        place = body + 2
        end_of_topic = place + ((data[body] << 8) | data[body + 1])
        if end_of_topic >= stop:
            raise WireError("a PUBLISH is shorter than its topic")
        raw = data[place:end_of_topic]
        topic = self._topics.get(raw)
        if topic is None:
            topic = self._topic(raw)
        mid = 0
        if first & 0x06:
            mid = (data[end_of_topic] << 8) | data[end_of_topic + 1]
            end_of_topic += 2
        properties = data[end_of_topic]
        payload_at = end_of_topic + 1 + properties
        if properties > 127:
            properties, after = _long_length(data, end_of_topic)
            payload_at = after + properties
        if payload_at > stop:
            raise WireError("a PUBLISH is shorter than its properties")
        payload = data[payload_at:stop]
        qos, retain, dup = (first >> 1) & 3, first & 1 == 1, first & 8 == 8
        if len(payload) > MAX_BYTES:
            return arrival(
                topic, payload, mid=mid, qos=qos, retain=retain, dup=dup, generation=self._generation, at=at
            )
        # A NamedTuple's own constructor takes twice as long.
        return tuple.__new__(Arrival, (topic, payload, mid, qos, retain, dup, self._generation, at, None))

    def _topic(self, raw: bytes) -> str:
        if len(self._topics) >= _TOPICS_HELD:
            self._topics.clear()
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            return repr(raw)  # a broker must not pass this on; should one do so, it is a reject
        self._topics[raw] = topic
        return topic


def pubacks(mids: Iterable[int]) -> bytes:
    """Acknowledgements of these packet ids, one after the other, ready for the wire."""
    packets = array("I", [_PUBACK | mid for mid in mids])
    if byteorder == "little":
        packets.byteswap()
    return packets.tobytes()


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and the place behind it; IndexError where it is cut off."""
    value = 0
    for shift in (0, 7, 14, 21):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value > MAX_PACKET_BYTES:
                raise WireError(f"a packet of {value} bytes")
            return value, at
    raise WireError("a length of more than four bytes")
