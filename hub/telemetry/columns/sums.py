"""Sums per interval, from which means come: whole numbers, so that the order of arrival changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub.telemetry.columns.packing import Floats, Ints, Packer, Unpacker
from hub.telemetry.columns.samples import Samples

METRICS = ("power_w", "voltage_v", "level", "camera_reachable")
SCALES = (1000, 1000, 10_000, 10_000)
"""Sums are of mW, mV and ten-thousandths."""
_MOST = 1e9
"""No lamp takes more; an absurd value must not overflow the sum of its hour."""


@dataclass(slots=True)
class Sums:
    """For `slots` intervals: per metric how many values (`counts`) and their scaled sum (`totals`).

    Both have one row per metric, in the order of METRICS; `samples` counts per interval what was
    filed at all.
    """

    samples: Ints
    counts: Ints
    totals: Ints

    @classmethod
    def empty(cls, slots: int) -> Sums:
        """Nothing yet, for so many intervals."""
        shape = (len(METRICS), slots)
        return cls(np.zeros(slots, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64))

    def add(self, samples: Samples, *, start_ms: int, width_ms: int) -> None:
        """Add each datable sample to the interval that it falls into; all must fall into one."""
        at = samples.datable()
        slot = (samples.time_ms[at] - start_ms) // width_ms
        if not len(slot):
            return
        first = int(slot.min())
        slot -= first
        slots = int(slot.max()) + 1
        span = slice(first, first + slots)
        self.samples[span] += np.bincount(slot)
        for row, (values, scale) in enumerate(zip(metrics(samples), SCALES, strict=True)):
            found = values[at]
            known = np.isfinite(found)
            where, amounts = slot[known], np.rint(np.clip(found[known], -_MOST, _MOST) * scale)
            self.counts[row, span] += np.bincount(where, minlength=slots)
            totals = np.bincount(where, weights=amounts, minlength=slots)
            self.totals[row, span] += totals.astype(np.int64)


def metrics(samples: Samples) -> tuple[Floats, Floats, Floats, Floats]:
    """The columns of METRICS."""
    floats = samples.floats
    return floats["power_w"], floats["voltage_v"], floats["effect_level"], samples.camera_share()


def pack(sums: Sums) -> bytes:
    """One block of the intervals that hold something."""
    packer = Packer()
    at = np.nonzero(sums.samples)[0].astype(np.int64)
    packer.ints(np.array([len(sums.samples)], np.int64))
    packer.ints(at)
    packer.ints(sums.samples[at])
    for row in range(len(METRICS)):
        # Mostly every sample has every metric: then this column is all zeros.
        packer.ints(sums.samples[at] - sums.counts[row][at])
        packer.ints(sums.totals[row][at])
    return packer.finish()


def unpack(block: bytes) -> Sums:
    """The sums of a block; raises DamagedBlockError."""
    data = Unpacker(block)
    sums = Sums.empty(int(data.ints()[0]))
    at = data.ints()
    sums.samples[at] = samples = data.ints()
    for row in range(len(METRICS)):
        sums.counts[row][at] = samples - data.ints()
        sums.totals[row][at] = data.ints()
    return sums
