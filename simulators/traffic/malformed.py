"""Messages that no healthy node sends: what worn cards, foreign devices and mischief put on the wire.

Each comes with the reason under which a hub must keep it aside. They are made from a seed, so that a campaign
can be run again exactly.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from protocol import Kind, pack, topic

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Malformed:
    """One bad message: where it is published, what it holds, and the reason the hub must give."""

    topic: str
    payload: bytes
    reason: str


def malformed(
    count: int,
    *,
    commune: str,
    node: str,
    pole: str,
    now: datetime,
    seed: int,
    megabytes_at_most: int = 50,
) -> Iterator[Malformed]:
    """Yield `count` bad messages under `node`'s own telemetry topic, every kind in turn, shuffled by `seed`.

    At most `megabytes_at_most` of them are one megabyte long: those prove their point early and cost the most.
    """
    rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)
    makers = list(_MAKERS)
    large = 0
    for number in range(count):
        if number % len(makers) == 0:
            rng.shuffle(makers)
        reason, make = makers[number % len(makers)]
        if reason == "too_large":
            large += 1
            if large > megabytes_at_most:
                reason, make = _MAKERS[0]
        good = _good(rng, node=node, pole=pole, now=now, seq=10_000_000 + number)
        yield Malformed(topic(commune, node, Kind.TELEMETRY), make(good, rng), reason)


def _good(rng: random.Random, *, node: str, pole: str, now: datetime, seq: int) -> dict[str, Any]:
    taken = (now - timedelta(seconds=rng.uniform(0, 5))).astimezone(UTC).isoformat()
    return {
        "v": 1,
        "node": node,
        "epoch": str(UUID(int=rng.getrandbits(128), version=4)),
        "sent_at": taken,
        "samples": [
            {
                "seq": seq,
                "pole": pole,
                "time": taken,
                "clock": "synced",
                "lamp": {"effect_level": 1.0, "reason": "photocell"},
                "meter": {"power_w": round(rng.uniform(55, 65), 1), "voltage_v": 224.1},
            }
        ],
    }


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()


def _truncated(good: dict[str, Any], rng: random.Random) -> bytes:
    whole = _dump(good)
    return whole[: rng.randrange(1, len(whole) - 1)]


def _binary(_good: dict[str, Any], rng: random.Random) -> bytes:
    return b"\xff" + rng.randbytes(rng.randrange(1, 400))


def _not_a_number(good: dict[str, Any], rng: random.Random) -> bytes:
    good["samples"][0]["meter"]["power_w"] = rng.choice([float("nan"), float("inf"), float("-inf")])
    return _dump(good)


def _nested(good: dict[str, Any], rng: random.Random) -> bytes:
    return _dump(good)[:-1] + b',"x":' + b"[" * rng.randrange(2_000, 20_000)


def _wrong_type(good: dict[str, Any], rng: random.Random) -> bytes:
    sample = good["samples"][0]
    change: Callable[[], None] = rng.choice(
        [
            lambda: sample["meter"].update(power_w="sixty"),
            lambda: sample.update(time=1_700_000_000),
            lambda: sample.update(lamp=[]),
            lambda: sample.pop("clock"),
            lambda: sample.update(pole={"code": "TG-0001"}),
            lambda: good.update(samples={"0": sample}),
            lambda: good.update(epoch="yesterday"),
        ]
    )
    change()
    return _dump(good)


def _out_of_range(good: dict[str, Any], rng: random.Random) -> bytes:
    sample = good["samples"][0]
    change: Callable[[], None] = rng.choice(
        [
            lambda: sample["meter"].update(power_w=-5),
            lambda: sample["meter"].update(voltage_v=22_400),
            lambda: sample["lamp"].update(effect_level=100),
            lambda: sample.update(seq=0),
            lambda: good.update(samples=[]),
        ]
    )
    change()
    return _dump(good)


def _wrong_unit(good: dict[str, Any], rng: random.Random) -> bytes:
    good["samples"][0]["meter"][rng.choice(["power_kw", "voltage_mv", "energy_kwh"])] = 0.061
    return _dump(good)


def _wrong_node(good: dict[str, Any], _rng: random.Random) -> bytes:
    good["node"] = "somebody-else"
    return _dump(good)


def _year_1970(good: dict[str, Any], rng: random.Random) -> bytes:
    good["samples"][0]["time"] = f"1970-01-01T00:{rng.randrange(60):02d}:00+00:00"
    return _dump(good)


def _year_2100(good: dict[str, Any], rng: random.Random) -> bytes:
    good["samples"][0]["time"] = f"2100-{rng.randrange(1, 13):02d}-01T00:00:00+00:00"
    return _dump(good)


def _foreign_pole(good: dict[str, Any], _rng: random.Random) -> bytes:
    good["samples"][0]["pole"] = "ZZ-9999"
    return _dump(good)


def _badly_packed(good: dict[str, Any], rng: random.Random) -> bytes:
    packed = pack(_dump(good))
    return rng.choice([packed[: rng.randrange(1, len(packed))], packed + b"!", b"\x02" + packed[1:]])


def _megabyte(good: dict[str, Any], _rng: random.Random) -> bytes:
    good["padding"] = "x" * MEGABYTE
    return _dump(good)


_MAKERS: tuple[tuple[str, Callable[[dict[str, Any], random.Random], bytes]], ...] = (
    ("not_json", _truncated),
    ("not_json", _binary),
    ("not_json", _not_a_number),
    ("not_json", _nested),
    ("bad_packing", _badly_packed),
    ("wrong_type", _wrong_type),
    ("out_of_range", _out_of_range),
    ("wrong_unit", _wrong_unit),
    ("wrong_node", _wrong_node),
    ("implausible_time", _year_1970),
    ("implausible_time", _year_2100),
    ("foreign_pole", _foreign_pole),
    ("too_large", _megabyte),
)
REASONS = tuple(sorted({reason for reason, _ in _MAKERS}))
"""Every reason this module can provoke."""
