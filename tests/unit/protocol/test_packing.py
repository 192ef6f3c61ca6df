import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import protocol
from protocol import DecodeError, Kind, decode, encode, pack, unpack
from protocol.codec import MAX_BYTES
from protocol.packing import DICTIONARY_1, FORMAT_1

ROOM = Path(protocol.__file__).parent
VECTORS = sorted((ROOM / "vectors").glob("*.packed"))


def packed(text: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY_1)
    return bytes([FORMAT_1]) + packer.compress(text) + packer.flush()


def test_the_dictionary_is_the_one_that_others_were_given() -> None:
    assert (ROOM / "vectors" / "dictionary-1.txt").read_bytes() == DICTIONARY_1


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_what_was_packed_once_can_be_read_for_ever(vector: Path) -> None:
    kind = Kind(vector.name.partition("-")[0])
    text = unpack(vector.read_bytes())
    assert text == encode(decode(kind, (ROOM / "examples" / f"{vector.stem}.json").read_bytes()))
    assert unpack(pack(text)) == text
    assert len(pack(text)) < len(text) / 2


def test_there_is_a_vector_of_every_kind_that_a_node_sends() -> None:
    assert {vector.name.partition("-")[0] for vector in VECTORS} == {k.value for k in protocol.FROM_NODE}


@given(st.binary(max_size=2000))
def test_every_text_comes_back_as_it_was(data: bytes) -> None:
    text = b"{" + data
    assert unpack(pack(text)) == text
    assert unpack(text) == text
    assert unpack(packed(text)) == text


@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_the_unpacker(data: bytes) -> None:
    reason = "bad_packing"
    try:
        unpack(bytes([FORMAT_1]) + data)
    except DecodeError as error:
        reason = error.reason
    assert reason == "bad_packing"


@pytest.mark.parametrize(
    ("payload", "reason", "words"),
    [
        (b"\x01", "bad_packing", "breaks off"),
        (packed(b'{"v":1}')[:-1], "bad_packing", "breaks off"),
        (packed(b'{"v":1}') + b"x", "bad_packing", "1 bytes stand behind"),
        (b"\x01\xff\xff\xff", "bad_packing", "invalid"),
        (b"\x02" + packed(b'{"v":1}')[1:], "bad_packing", "0x02"),
        (packed(b" " * (MAX_BYTES + 1)), "too_large", "more than the"),
        (packed(b" " * 200_000_000), "too_large", "more than the"),
    ],
    ids=["empty", "cut", "tail", "noise", "format 2", "a byte too much", "bomb"],
)
def test_what_does_not_unpack_is_refused_by_name(payload: bytes, reason: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as refused:
        unpack(payload)
    assert refused.value.reason == reason


def test_the_largest_text_passes() -> None:
    assert len(unpack(packed(b" " * MAX_BYTES))) == MAX_BYTES


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"\xff\x00", b" {}", b"\n{}"])
def test_what_is_not_packed_is_left_to_the_decoder(payload: bytes) -> None:
    assert unpack(payload) == payload
