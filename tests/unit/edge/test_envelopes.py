from uuid import uuid4

import msgspec

from edge.link.envelopes import COMFORTABLE_BYTES, wrap
from edge.outbox.outbox_file import Item
from protocol import Kind, Receipt, decode
from protocol.messages import CameraReading
from tests.support.nodes import EVENING, NODE, POLE, event, sample

EPOCH = uuid4()


def receipt(seq: int) -> Receipt:
    return Receipt(
        v=1,
        node=NODE,
        epoch=EPOCH,
        seq=seq,
        time=EVENING,
        clock="synced",
        command=uuid4(),
        pole=POLE,
        status="accepted",
    )


def one_of_each() -> list[Item]:
    return [msgspec.structs.replace(sample(), seq=1), msgspec.structs.replace(event(), seq=2), receipt(3)]


def test_every_kind_gets_its_message_and_each_decodes_as_the_contract_says() -> None:
    items = one_of_each()
    envelopes = list(wrap(items, node=NODE, epoch=EPOCH, historical=False, now=EVENING))
    assert [envelope.kind for envelope in envelopes] == [Kind.EVENT, Kind.RECEIPT, Kind.TELEMETRY]
    for envelope in envelopes:
        decode(envelope.kind, envelope.payload, node=NODE)
    telemetry = decode(Kind.TELEMETRY, envelopes[2].payload)
    assert telemetry.epoch == EPOCH
    assert telemetry.samples[0].historical is False


def test_history_says_so() -> None:
    items = one_of_each()
    events, receipt_, telemetry = wrap(items, node=NODE, epoch=EPOCH, historical=True, now=EVENING)
    assert decode(Kind.EVENT, events.payload).events[0].historical
    assert decode(Kind.RECEIPT, receipt_.payload).historical
    assert decode(Kind.TELEMETRY, telemetry.payload).samples[0].historical


def test_a_cabinet_full_of_cameras_is_sent_in_several_messages() -> None:
    cameras = [CameraReading(camera=f"CAM-{n:04d}", reachable=True, latency_ms=12.5) for n in range(32)]
    items = [msgspec.structs.replace(sample(), seq=seq, cameras=cameras) for seq in range(1, 101)]
    envelopes = list(wrap(items, node=NODE, epoch=EPOCH, historical=True, now=EVENING))
    assert len(envelopes) > 1
    assert all(len(envelope.payload) <= COMFORTABLE_BYTES for envelope in envelopes)
    sent = [seq.seq for envelope in envelopes for seq in decode(Kind.TELEMETRY, envelope.payload).samples]
    assert sent == list(range(1, 101))
    assert [item.seq for envelope in envelopes for item in envelope.items] == sent
