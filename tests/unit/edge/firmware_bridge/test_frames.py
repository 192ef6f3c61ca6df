import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.firmware_bridge.modbus.frames import (
    Refusal,
    Reply,
    Request,
    bare,
    bits_of,
    crc16,
    find_reply,
    identification_of,
    read_bits,
    read_identification,
    read_registers,
    registers_of,
    write_coil,
    write_coils,
    write_register,
    write_registers,
)

units = st.integers(1, 247)
words = st.integers(0, 0xFFFF)
requests = st.one_of(
    st.builds(read_bits, units, st.sampled_from([1, 2]), words, st.integers(1, 64)),
    st.builds(read_registers, units, st.sampled_from([3, 4]), words, st.integers(1, 60)),
    st.builds(write_coil, units, words, st.booleans()),
    st.builds(write_register, units, words, words),
    st.builds(write_coils, units, words, st.lists(st.booleans(), min_size=1, max_size=20)),
    st.builds(write_registers, units, words, st.lists(words, min_size=1, max_size=20)),
    st.builds(bare, units, st.just(0x42)),
    st.builds(read_identification, units),
)


def framed(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + crc16(body)


def replied(request: Request, content: bytes = b"") -> bytes:
    """A right reply to this request; `content` is cut or filled to its length."""
    if request.reply_size is None:
        body = b"\x0e\x01\x01\x00\x00\x02\x00\x02ab\x01\x01c"
    else:
        fill = content.ljust(request.reply_size, b"\x5a")
        body = (request.reply_head + fill)[: request.reply_size]
    frame = bytes([request.unit, request.function]) + body
    return frame + crc16(frame)


@pytest.mark.parametrize(
    ("request_", "frame"),
    [
        (read_registers(1, 4, 0, 10), "01 04 00 00 00 0A 70 0D"),
        (read_registers(1, 4, 0x0156, 2), "01 04 01 56 00 02 90 27"),
        (read_registers(1, 3, 0x000C, 2), "01 03 00 0C 00 02 04 08"),
        (write_registers(1, 0x0016, [0x3F80, 0]), "01 10 00 16 00 02 04 3F 80 00 00 7F 75"),
        (write_coil(1, 0, True), "01 05 00 00 FF 00 8C 3A"),
        (write_coil(1, 2, True), "01 05 00 02 FF 00 2D FA"),
        (read_bits(1, 1, 0, 8), "01 01 00 00 00 08 3D CC"),
        (bare(1, 0x42), "01 42 80 11"),
    ],
)
def test_requests_are_as_the_manuals_show_them(request_: Request, frame: str) -> None:
    assert request_.frame() == bytes.fromhex(frame)


def test_the_check_sum_of_the_specifications_example() -> None:
    assert crc16(bytes.fromhex("02 07")) == bytes.fromhex("41 12")


def test_coils_and_registers_are_written_as_the_specification_packs_them() -> None:
    # Modbus Application Protocol 1.1b3, 6.11: ten coils from 20 on, CD 01.
    states = [bool(0x01CD >> place & 1) for place in range(10)]
    assert write_coils(0x11, 0x13, states).frame()[:-2] == bytes.fromhex("11 0F 00 13 00 0A 02 CD 01")
    assert write_register(0x11, 1, 3).frame()[:-2] == bytes.fromhex("11 06 00 01 00 03")


def test_registers_and_bits_are_read_out_of_their_replies() -> None:
    found = find_reply(framed("01 04 04 43 66 33 34"), read_registers(1, 4, 0, 2))
    assert isinstance(found, Reply)
    assert struct.unpack(">f", struct.pack(">2H", *registers_of(found)))[0] == pytest.approx(230.2)
    found = find_reply(framed("11 01 02 CD 01"), read_bits(0x11, 1, 0x13, 10))
    assert isinstance(found, Reply)
    assert bits_of(found, 10) == [True, False, True, True, False, False, True, True, True, False]


def test_maker_product_and_revision_are_read_out_of_an_identification() -> None:
    text = b"\x2b\x0e\x01\x01\x00\x00\x03\x00\x07EPsolar\x01\x06Tracer\x02\x03V01"
    found = find_reply(framed("07" + text.hex()), read_identification(7))
    assert isinstance(found, Reply)
    assert identification_of(found) == {0: "EPsolar", 1: "Tracer", 2: "V01"}


@given(requests, st.binary(max_size=130), st.binary(max_size=30), st.binary(max_size=30))
def test_a_reply_is_found_between_whatever_noise(
    request: Request, content: bytes, before: bytes, after: bytes
) -> None:
    right = replied(request, content)
    found = find_reply(before + right + after, request)
    assert isinstance(found, Reply | Refusal)
    if find_reply(before + right[:-1], request) is None:
        assert found == Reply(right[2:-2])


@given(requests, st.binary(max_size=130), st.data())
def test_half_a_reply_is_none(request: Request, content: bytes, data: st.DataObject) -> None:
    right = replied(request, content)
    cut = data.draw(st.integers(0, len(right) - 1))
    assert find_reply(right[:cut], request) is None


@given(requests, st.binary(max_size=130), st.data())
def test_a_flipped_bit_is_never_a_reply(request: Request, content: bytes, data: st.DataObject) -> None:
    right = bytearray(replied(request, content))
    place = data.draw(st.integers(0, len(right) - 1))
    right[place] ^= 1 << data.draw(st.integers(0, 7))
    assert find_reply(bytes(right), request) is None


@given(requests, st.binary(max_size=300))
@example(read_identification(1), bytes.fromhex("01 2B 0E 01 01 00 00 FF 00 FF"))
def test_no_input_makes_it_raise_or_take_what_is_no_frame(request: Request, received: bytes) -> None:
    found = find_reply(received, request)
    if isinstance(found, Reply):
        frame = bytes([request.unit, request.function]) + found.body
        assert frame + crc16(frame) in received
        assert found.body.startswith(request.reply_head)
    elif isinstance(found, Refusal):
        frame = bytes([request.unit, request.function | 0x80, found.code])
        assert frame + crc16(frame) in received


@given(units, st.binary(max_size=60))
def test_a_found_identification_can_be_read_whatever_its_objects_are(unit: int, content: bytes) -> None:
    frame = bytes([unit, 0x2B, 0x0E, 1]) + content
    found = find_reply(frame + crc16(frame), read_identification(unit))
    if isinstance(found, Reply):
        assert len(identification_of(found)) <= found.body[5]


@given(requests, requests)
def test_what_belongs_to_another_unit_or_shape_is_not_ours(ours: Request, others: Request) -> None:
    reply = replied(others)
    if ours.shape != others.shape:
        assert find_reply(reply, ours) is None


def test_a_write_is_confirmed_by_its_own_value_only() -> None:
    """A late word for `on` must not confirm `off`."""
    assert find_reply(write_coil(1, 2, True).frame(), write_coil(1, 2, False)) is None
    assert find_reply(write_register(1, 0, 1000).frame(), write_register(1, 0, 200)) is None


def test_a_refusal_names_its_code() -> None:
    assert find_reply(b"\x00" + framed("01 84 02"), read_registers(1, 4, 0, 10)) == Refusal(2)
    assert str(Refusal(2)) == "exception 2 (illegal address)"
