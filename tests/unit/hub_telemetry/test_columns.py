"""What is packed comes back as it was, to the bit; joined columns hold each sample once."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.telemetry.columns import samples as columns
from hub.telemetry.columns import sums as rollups
from hub.telemetry.columns.packing import DamagedBlockError, Packer, Unpacker
from hub.telemetry.columns.sums import Sums
from hub.telemetry.port import CameraPoint, Point

WHOLE = st.integers(-(2**52), 2**52)
MEASURED = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-500, 500).map(lambda value: round(value, 2)),
    st.sampled_from([0.0, -0.0, 0.1, 230.5, 1e308, 5e-324]),
)
MAYBE = st.none() | MEASURED
WORD = st.text(st.characters(codec="utf-8"), max_size=12)
CAMERA = st.builds(CameraPoint, camera=WORD, reachable=st.booleans(), latency_ms=MAYBE)


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    made = []
    for seq in range(1, draw(st.integers(1, 12)) + 1):
        time_ms = draw(st.integers(0, 2**45))
        made.append(
            Point(
                node="tg-0001",
                epoch=draw(st.sampled_from(["a", "b"])),
                seq=seq,
                commune="tram-than",
                pole="TG-0001",
                time_ms=time_ms,
                received_ms=draw(st.integers(0, 2**45)),
                clock=draw(st.sampled_from(["synced", "unsynced"])),
                historical=draw(st.booleans()),
                effect_level=draw(st.floats(0, 1)),
                reason=draw(WORD),
                commanded_level=draw(MAYBE),
                power_w=draw(MAYBE),
                voltage_v=draw(MAYBE),
                current_a=draw(MAYBE),
                power_factor=draw(MAYBE),
                energy_wh=draw(MAYBE),
                dark=draw(st.none() | st.booleans()),
                cameras=tuple(draw(st.lists(CAMERA, max_size=3))),
            )
        )
    return made


@settings(max_examples=50, deadline=None)
@given(st.lists(WHOLE, max_size=40), st.lists(MAYBE, max_size=40), st.lists(WORD, max_size=5))
def test_columns_come_back_to_the_bit(
    whole: list[int], measured: list[float | None], words: list[str]
) -> None:
    packer = Packer()
    packer.ints(np.array(whole, np.int64))
    packer.floats(np.array(measured, np.float64))
    packer.words(words)
    data = Unpacker(packer.finish())
    assert data.ints().tolist() == whole
    for found, given_ in zip(data.floats().tolist(), measured, strict=True):
        if given_ is None:
            assert math.isnan(found)
        else:
            assert struct.pack("<d", found) == struct.pack("<d", given_)
    assert data.words() == words


@settings(max_examples=30, deadline=None)
@given(points())
def test_points_come_back_with_every_field(made: list[Point]) -> None:
    sources = {"a": 1, "b": 2}
    found = columns.from_points(made, [sources[point.epoch] for point in made])
    back = columns.unpack(columns.pack(found))
    names = {number: ("tg-0001", epoch, "tram-than") for epoch, number in sources.items()}
    assert columns.to_points(back, "TG-0001", names) == made


@settings(max_examples=30, deadline=None)
@given(points(), st.data())
def test_in_whatever_pieces_points_come_they_are_the_same_block_and_sums(
    made: list[Point], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(made)))
    overlap = data.draw(st.integers(0, cut))
    span = max(point.time_ms for point in made) + 1

    def fold(pieces: list[list[Point]]) -> tuple[bytes, Sums]:
        held = columns.from_points([], [])
        sums = Sums.empty(7)
        for piece in pieces:
            new = columns.without_doubles(columns.from_points(piece, [1] * len(piece)))
            fresh = columns.beyond(new, held)
            held = columns.joined(held, fresh)
            sums.add(_finite(fresh), start_ms=0, width_ms=-(-span // 7))
        return columns.pack(held), sums

    whole, sums = fold([made])
    pieces, added = fold([made[overlap:], made[:cut], made])
    assert columns.unpack(pieces).seq.tolist() == columns.unpack(whole).seq.tolist()
    assert (added.samples == sums.samples).all()
    assert (added.counts == sums.counts).all()
    assert (added.totals == sums.totals).all()
    back = rollups.unpack(rollups.pack(sums))
    assert (back.samples == sums.samples).all()
    assert (back.totals == sums.totals).all()


def _finite(samples: columns.Samples) -> columns.Samples:
    """Values such as a meter gives: sums are whole numbers below 2⁵³."""
    samples.floats = {name: np.clip(values, -1e5, 1e5) for name, values in samples.floats.items()}
    return samples


@pytest.mark.parametrize(
    "spoil", [lambda block: block[:-9], lambda block: b"\x07" + block[1:], lambda _: b""]
)
def test_a_damaged_block_is_told_and_not_taken_for_data(spoil: object) -> None:
    packer = Packer()
    packer.ints(np.arange(1000) ** 2)
    assert callable(spoil)
    with pytest.raises(DamagedBlockError):
        Unpacker(spoil(packer.finish())).ints()


def test_constant_and_regular_columns_cost_next_to_nothing() -> None:
    packer = Packer()
    packer.ints(np.full(2880, 7))
    packer.ints(1_700_000_000_000 + np.arange(2880) * 30_000)
    assert len(packer.finish()) < 60
