"""Cutting an MQTT 5 stream into packets, held against the library that builds them."""

from __future__ import annotations

import mqtt5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ingest.link.arrival import KEEP_BYTES, Arrival
from hub.ingest.link.wire import Splitter, WireError, pubacks
from protocol.codec import MAX_BYTES

publishes = st.builds(
    lambda topic, payload, mid, retain, dup, expiry, users: mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS.AT_MOST_ONCE if mid is None else mqtt5.QoS.AT_LEAST_ONCE,
        packet_id=mid,
        retain=retain,
        duplicate=dup and mid is not None,
        message_expiry_interval=expiry,
        user_properties=users,
    ),
    topic=st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=40),
    payload=st.binary(max_size=400),
    mid=st.none() | st.integers(1, 65_535),
    retain=st.booleans(),
    dup=st.booleans(),
    expiry=st.none() | st.integers(0, 2**32 - 1),
    users=st.lists(
        st.tuples(st.just("key"), st.text(st.characters(codec="ascii", min_codepoint=65), max_size=90)),
        max_size=3,
    ),
)


def _expected(packet: mqtt5.PublishPacket) -> Arrival:
    return Arrival(
        packet.topic,
        packet.payload,
        packet.packet_id or 0,
        int(packet.qos),
        packet.retain,
        packet.duplicate,
        7,
        5.0,
    )


@settings(max_examples=150, deadline=None)
@given(packets=st.lists(publishes, max_size=6), cuts=st.lists(st.integers(1, 90), min_size=1, max_size=12))
def test_any_stream_in_any_pieces_gives_the_same_messages(
    packets: list[mqtt5.PublishPacket], cuts: list[int]
) -> None:
    stream = b"".join(packet.write() + bytes([0xD0, 0]) for packet in packets)
    splitter = Splitter(generation=7)
    came: list[Arrival] = []
    pongs = 0
    place = turn = 0
    while place < len(stream):
        size = cuts[turn % len(cuts)]
        some, others = splitter.feed(stream[place : place + size], 5.0)
        came += some
        pongs += len(others)
        place += size
        turn += 1
    assert came == [_expected(packet) for packet in packets]
    assert pongs == len(packets)


def test_a_topic_that_is_not_text_becomes_a_message_that_can_be_refused() -> None:
    good = mqtt5.PublishPacket("a/b", b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=3).write()
    spoilt = good.replace(b"a/b", b"a\xffb")
    came, _ = Splitter(1).feed(spoilt + good, 0.0)
    assert [one.topic for one in came] == [repr(b"a\xffb"), "a/b"]
    assert [one.mid for one in came] == [3, 3]


def test_a_payload_no_decoder_would_take_is_cut_to_its_beginning() -> None:
    packet = mqtt5.PublishPacket("a/b", b"x" * (MAX_BYTES + 1), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=3)
    (came,), _ = Splitter(1).feed(packet.write(), 0.0)
    assert len(came.payload) == KEEP_BYTES
    assert came.whole is not None
    assert came.whole[0] == MAX_BYTES + 1


@pytest.mark.parametrize(
    "stream",
    [
        b"\x32\x04\x00\x09ab",  # the topic reaches beyond the packet
        b"\x32\x07\x00\x01a\x00\x01\x09x",  # the properties do
        b"\x32\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x32\xff\xff\xff\x7f",  # 256 MB
    ],
)
def test_a_broken_stream_ends_the_connection(stream: bytes) -> None:
    with pytest.raises(WireError):
        Splitter(1).feed(stream + bytes(20), 0.0)


@given(st.lists(st.integers(1, 65_535), max_size=50))
def test_acknowledgements_are_what_the_library_would_send(mids: list[int]) -> None:
    assert pubacks(mids) == b"".join(bytes([0x40, 2]) + mid.to_bytes(2, "big") for mid in mids)
    for mid in mids[:3]:
        told, _ = mqtt5.read(memoryview(pubacks([mid])))
        assert isinstance(told, mqtt5.PubAckPacket)
        assert told.packet_id == mid
