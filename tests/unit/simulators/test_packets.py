"""The load sender's few packets, against the library's own."""

from __future__ import annotations

import mqtt5
import pytest

from simulators.traffic.packets import LoadError, count_pubacks, publish_qos1, utf8


@pytest.mark.parametrize("size", [0, 100, 20_000])
def test_a_publish_reads_back_as_what_it_was(size: int) -> None:
    packet, length = mqtt5.read(memoryview(publish_qos1(utf8("a/b"), 513, b"x" * size)))
    assert isinstance(packet, mqtt5.PublishPacket)
    assert (packet.topic, packet.packet_id, packet.qos) == ("a/b", 513, mqtt5.QoS.AT_LEAST_ONCE)
    assert packet.payload == b"x" * size
    assert length > size


def test_acknowledgements_are_counted_whole_whatever_their_length() -> None:
    plain = mqtt5.PubAckPacket(1).write()
    with_reason = mqtt5.PubAckPacket(2, reason_code=mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS).write()
    assert len(with_reason) > len(plain)
    unread = bytearray(plain + with_reason + plain[:3])
    assert count_pubacks(unread) == 2
    assert unread == plain[:3]
    unread += plain[3:]
    assert count_pubacks(unread) == 1
    assert not unread


def test_a_goodbye_is_no_acknowledgement() -> None:
    with pytest.raises(LoadError, match="type 14"):
        count_pubacks(bytearray([0xE0, 0]))
