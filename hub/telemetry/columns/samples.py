"""Samples of one pole as columns: made from points, joined without doubles, packed, and made points
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub.telemetry.columns.packing import Floats, Ints, Packer, Unpacker
from hub.telemetry.port import CameraPoint, Point

FLOATS = (
    "effect_level",
    "commanded_level",
    "power_w",
    "voltage_v",
    "current_a",
    "power_factor",
    "energy_wh",
)
_UNKNOWN = 2
"""Beside 0 and 1 in the column `dark`."""


@dataclass(slots=True)
class Cameras:
    """The camera checks of all samples, one after the other; `each` says how many a sample has."""

    each: Ints
    name: Ints
    reachable: Ints
    latency_ms: Floats


@dataclass(slots=True)
class Samples:
    """Columns of equal length, ordered by (time, source, seq) once joined. `words` holds reasons and
    cameras.

    `source` numbers (node, epoch); `dark` is 0, 1 or 2 for unknown; floats are NaN where unknown.
    """

    time_ms: Ints
    source: Ints
    seq: Ints
    received_ms: Ints
    synced: Ints
    historical: Ints
    dark: Ints
    reason: Ints
    floats: dict[str, Floats]
    cameras: Cameras
    words: list[str]

    def __len__(self) -> int:
        return len(self.time_ms)

    def datable(self) -> Ints:
        """Positions of the samples whose time is known: history of a wrong clock is left out of charts."""
        return np.nonzero((self.synced == 1) | (self.historical == 0))[0]

    def camera_share(self) -> Floats:
        """The share of each sample's cameras that answered; NaN for a sample without cameras."""
        if not len(self.cameras.name):
            return np.full(len(self), np.nan)
        owner = np.repeat(np.arange(len(self)), self.cameras.each)
        answered = np.bincount(owner, weights=self.cameras.reachable, minlength=len(self))
        with np.errstate(invalid="ignore"):
            share: Floats = answered / np.where(self.cameras.each == 0, np.nan, self.cameras.each)
        return share


def from_points(points: Sequence[Point], sources: Sequence[int]) -> Samples:
    """Columns in the order of `points`; `sources` holds the number of each point's (node, epoch)."""
    words: dict[str, int] = {}
    checks = [camera for point in points for camera in point.cameras]
    return Samples(
        time_ms=_ints(point.time_ms for point in points),
        source=_ints(sources),
        seq=_ints(point.seq for point in points),
        received_ms=_ints(point.received_ms for point in points),
        synced=_ints(point.clock == "synced" for point in points),
        historical=_ints(point.historical for point in points),
        dark=_ints(_UNKNOWN if point.dark is None else point.dark for point in points),
        reason=_ints(words.setdefault(point.reason, len(words)) for point in points),
        floats={
            name: np.array([getattr(point, name) for point in points], dtype=np.float64) for name in FLOATS
        },
        cameras=Cameras(
            each=_ints(len(point.cameras) for point in points),
            name=_ints(words.setdefault(check.camera, len(words)) for check in checks),
            reachable=_ints(check.reachable for check in checks),
            latency_ms=np.array([check.latency_ms for check in checks], dtype=np.float64),
        ),
        words=list(words),
    )


def to_points(samples: Samples, pole: str, sources: Mapping[int, tuple[str, str, str]]) -> list[Point]:
    """The points again, all fields as they were; `sources` gives (node, epoch, commune) for a number."""
    columns = {name: _known(values) for name, values in samples.floats.items()}
    checks = [
        CameraPoint(samples.words[name], bool(reachable), latency_ms)
        for name, reachable, latency_ms in zip(
            samples.cameras.name, samples.cameras.reachable, _known(samples.cameras.latency_ms), strict=True
        )
    ]
    ends = np.cumsum(samples.cameras.each)
    found = []
    for at in range(len(samples)):
        node, epoch, commune = sources[int(samples.source[at])]
        dark = int(samples.dark[at])
        end = int(ends[at])
        found.append(
            Point(
                node=node,
                epoch=epoch,
                seq=int(samples.seq[at]),
                commune=commune,
                pole=pole,
                time_ms=int(samples.time_ms[at]),
                received_ms=int(samples.received_ms[at]),
                clock="synced" if samples.synced[at] else "unsynced",
                historical=bool(samples.historical[at]),
                effect_level=columns["effect_level"][at] or 0.0,
                reason=samples.words[int(samples.reason[at])],
                commanded_level=columns["commanded_level"][at],
                power_w=columns["power_w"][at],
                voltage_v=columns["voltage_v"][at],
                current_a=columns["current_a"][at],
                power_factor=columns["power_factor"][at],
                energy_wh=columns["energy_wh"][at],
                dark=None if dark == _UNKNOWN else bool(dark),
                cameras=tuple(checks[end - int(samples.cameras.each[at]) : end]),
            )
        )
    return found


def without_doubles(samples: Samples) -> Samples:
    """Ordered, and of each (source, seq) the first alone."""
    order = np.lexsort((samples.seq, samples.source))
    source, seq = samples.source[order], samples.seq[order]
    repeated = np.zeros(len(order), bool)
    repeated[1:] = (source[1:] == source[:-1]) & (seq[1:] == seq[:-1])
    kept = order[~repeated]
    return take(samples, kept[np.lexsort((samples.seq[kept], samples.source[kept], samples.time_ms[kept]))])


def beyond(samples: Samples, known: Samples) -> Samples:
    """Those of `samples` whose (source, seq) `known` does not hold."""
    if not len(known):
        return samples
    pairs = np.concatenate((_pairs(known), _pairs(samples)))
    _, numbers = np.unique(pairs, return_inverse=True)
    held = np.isin(numbers[len(known) :], numbers[: len(known)])
    return take(samples, np.nonzero(~held)[0])


def joined(first: Samples, second: Samples) -> Samples:
    """Both, ordered by (time, source, seq); neither may hold what the other does."""
    words = {word: number for number, word in enumerate(first.words)}
    moved = np.array([words.setdefault(word, len(words)) for word in second.words], dtype=np.int64)
    both = Samples(
        time_ms=np.concatenate((first.time_ms, second.time_ms)),
        source=np.concatenate((first.source, second.source)),
        seq=np.concatenate((first.seq, second.seq)),
        received_ms=np.concatenate((first.received_ms, second.received_ms)),
        synced=np.concatenate((first.synced, second.synced)),
        historical=np.concatenate((first.historical, second.historical)),
        dark=np.concatenate((first.dark, second.dark)),
        reason=np.concatenate((first.reason, moved[second.reason])),
        floats={name: np.concatenate((first.floats[name], second.floats[name])) for name in FLOATS},
        cameras=Cameras(
            each=np.concatenate((first.cameras.each, second.cameras.each)),
            name=np.concatenate((first.cameras.name, moved[second.cameras.name])),
            reachable=np.concatenate((first.cameras.reachable, second.cameras.reachable)),
            latency_ms=np.concatenate((first.cameras.latency_ms, second.cameras.latency_ms)),
        ),
        words=list(words),
    )
    return take(both, np.lexsort((both.seq, both.source, both.time_ms)))


def take(samples: Samples, at: Ints) -> Samples:
    """The samples at these positions, in this order."""
    each = samples.cameras.each
    counts = each[at]
    starts = np.repeat((np.cumsum(each) - each)[at], counts)
    checks = starts + np.arange(len(starts)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Samples(
        time_ms=samples.time_ms[at],
        source=samples.source[at],
        seq=samples.seq[at],
        received_ms=samples.received_ms[at],
        synced=samples.synced[at],
        historical=samples.historical[at],
        dark=samples.dark[at],
        reason=samples.reason[at],
        floats={name: values[at] for name, values in samples.floats.items()},
        cameras=Cameras(
            each=counts,
            name=samples.cameras.name[checks],
            reachable=samples.cameras.reachable[checks],
            latency_ms=samples.cameras.latency_ms[checks],
        ),
        words=samples.words,
    )


def pack(samples: Samples) -> bytes:
    """One block; `unpack` gives the same columns."""
    packer = Packer()
    packer.ints(samples.time_ms)
    packer.ints(samples.source)
    packer.ints(samples.seq)
    # Its distance from the sample's time is what is small.
    packer.ints(samples.received_ms - samples.time_ms)
    packer.ints(samples.synced + 2 * samples.historical + 4 * samples.dark)
    packer.words(samples.words)
    packer.ints(samples.reason)
    for name in FLOATS:
        packer.floats(samples.floats[name])
    packer.ints(samples.cameras.each)
    packer.ints(samples.cameras.name)
    packer.ints(samples.cameras.reachable)
    packer.floats(samples.cameras.latency_ms)
    return packer.finish()


def unpack(block: bytes) -> Samples:
    """The columns of a block; raises DamagedBlockError."""
    data = Unpacker(block)
    time_ms, source, seq = data.ints(), data.ints(), data.ints()
    received_ms = data.ints() + time_ms
    flags = data.ints()
    words, reason = data.words(), data.ints()
    floats = {name: data.floats() for name in FLOATS}
    each, name, reachable, latency_ms = data.ints(), data.ints(), data.ints(), data.floats()
    return Samples(
        time_ms=time_ms,
        source=source,
        seq=seq,
        received_ms=received_ms,
        synced=flags & 1,
        historical=flags >> 1 & 1,
        dark=flags >> 2,
        reason=reason,
        floats=floats,
        cameras=Cameras(each, name, reachable, latency_ms),
        words=words,
    )


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _pairs(samples: Samples) -> np.typing.NDArray[np.complex128]:
    # Both are far below 2⁵³, so that a pair is exact as one complex number.
    pairs: np.typing.NDArray[np.complex128] = samples.source + 1j * samples.seq
    return pairs


def _known(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]
