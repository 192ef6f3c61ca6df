"""The codec takes what the contract says, ignores what is newer, and refuses the rest with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol import DecodeError, Kind, decode, decode_envelope, decode_sample, encode, message_type, seq_of
from protocol.codec import MAX_BYTES
from protocol.examples import golden

GOLDEN = golden()
LIT = GOLDEN["telemetry-one-lit-lamp"][1]


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _with(change: Any) -> bytes:
    message = json.loads(json.dumps(LIT))
    change(message)
    return _bytes(message)


def test_every_kind_has_a_golden_message() -> None:
    assert {kind for kind, _ in GOLDEN.values()} == set(Kind)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_message_survives_both_ways(name: str) -> None:
    kind, plain = GOLDEN[name]
    message = decode(kind, _bytes(plain), node=plain["node"])
    assert isinstance(message, message_type(kind))
    assert json.loads(encode(message)) == plain


def _sprinkle(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{k: _sprinkle(v) for k, v in value.items()}, "from_the_future": {"deep": [1, None]}}
    return [_sprinkle(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in GOLDEN if not name.startswith(("event", "stored"))])
def test_fields_of_a_newer_peer_are_ignored_at_every_depth(name: str) -> None:
    kind, plain = GOLDEN[name]
    assert decode(kind, _bytes(_sprinkle(plain))) == decode(kind, _bytes(plain))


@pytest.mark.parametrize(
    ("change", "reason", "place"),
    [
        (lambda m: m.update(v=2), "out_of_range", "$.v"),
        (lambda m: m.update(epoch="today"), "wrong_type", "$.epoch"),
        (lambda m: m.update(samples=[]), "out_of_range", "$.samples"),
        (lambda m: m["samples"][0].update(seq=0), "out_of_range", "$.samples[0].seq"),
        (lambda m: m["samples"][0].update(seq="1"), "wrong_type", "$.samples[0].seq"),
        (lambda m: m["samples"][0].update(time="2026-11-21T12:00:00"), "wrong_type", "$.samples[0].time"),
        (lambda m: m["samples"][0].update(time=1_700_000_000), "wrong_type", "$.samples[0].time"),
        (lambda m: m["samples"][0].update(pole="tg 42"), "wrong_type", "$.samples[0].pole"),
        (lambda m: m["samples"][0]["lamp"].update(effect_level=80), "out_of_range", "effect_level"),
        (lambda m: m["samples"][0]["meter"].update(power_w=-1), "out_of_range", "power_w"),
        (lambda m: m["samples"][0]["meter"].update(power_w="61"), "wrong_type", "power_w"),
        (lambda m: m["samples"][0]["meter"].pop("power_w"), "wrong_type", "power_w"),
        (lambda m: m["samples"][0]["meter"].update(power_kw=0.06), "wrong_unit", "power_kw"),
        (lambda m: m["samples"][0]["meter"].update(energy_kwh=1), "wrong_unit", "energy_kwh"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason_and_place(
    change: Any, reason: str, place: str
) -> None:
    with pytest.raises(DecodeError) as refused:
        decode(Kind.TELEMETRY, _with(change))
    assert refused.value.reason == reason
    assert place in refused.value.detail


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\x00\x80",
        _bytes(LIT)[:97],
        b'{"unknown":' + b"[" * 20_000,
        _bytes(LIT).replace(b"61.2", b"NaN"),
        _bytes(LIT).replace(b"61.2", b"Infinity"),
    ],
    ids=["empty", "binary", "truncated", "deep", "nan", "infinity"],
)
def test_what_is_not_json_is_refused_as_such(payload: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode(Kind.TELEMETRY, payload)
    assert refused.value.reason == "not_json"


def test_a_number_beyond_any_float_is_out_of_range() -> None:
    with pytest.raises(DecodeError) as refused:
        decode(Kind.TELEMETRY, _bytes(LIT).replace(b"61.2", b"1e999"))
    assert refused.value.reason == "out_of_range"


def test_a_payload_over_the_limit_is_refused_before_decoding() -> None:
    padded = _with(lambda m: m.update(padding="x" * MAX_BYTES))
    with pytest.raises(DecodeError) as refused:
        decode(Kind.TELEMETRY, padded)
    assert refused.value.reason == "too_large"


def test_a_message_in_another_nodes_name_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode(Kind.TELEMETRY, _bytes(LIT), node="tg-0043")
    assert refused.value.reason == "wrong_node"
    assert "tg-0042" in refused.value.detail


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("until"),
        lambda m: m.pop("level"),
        lambda m: m.update(until="2026-11-21T12:00:00Z"),
        lambda m: m.update(expires_at="2026-11-21T12:00:00Z"),
        lambda m: m.update(action="lamp_auto"),
    ],
    ids=["no end", "no level", "end before start", "expired at birth", "auto with level"],
)
def test_a_command_without_a_sound_end_is_refused(change: Any) -> None:
    command = dict(GOLDEN["command-override"][1])
    change(command)
    with pytest.raises(DecodeError):
        decode(Kind.COMMAND, _bytes(command))


def test_one_bad_sample_does_not_take_its_neighbours_along() -> None:
    plain = json.loads(json.dumps(GOLDEN["telemetry-cabinet-two-poles-two-cameras"][1]))
    plain["samples"][0]["meter"]["power_w"] = "much"
    envelope = decode_envelope(_bytes(plain), node="tg-tu-01")
    assert seq_of(envelope.samples[0]) == 7
    with pytest.raises(DecodeError):
        decode_sample(envelope.samples[0])
    assert decode_sample(envelope.samples[1]).seq == 8


@pytest.mark.parametrize("raw", [{}, {"seq": "7"}, {"seq": 0}, {"seq": 2**60}])
def test_a_seq_that_cannot_be_read_is_not_guessed(raw: dict[str, Any]) -> None:
    plain = {**LIT, "samples": [raw]}
    assert seq_of(decode_envelope(_bytes(plain), node="tg-0042").samples[0]) is None
