"""What is wrong with a picture: decided from thumbnails alone, no time, no network, no file.

The main idea is a matched filter: of the structures that this camera usually shows at this hour, how much
is in the picture now? Rain, insects, headlights and people add to a picture and hardly weaken what is
known of it; a cover, a turned camera and a lens out of focus do.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from edge.camera.picture.thumbnail import (
    COARSE,
    MARGIN,
    Thumbnail,
    changed_pixels,
    covariance,
    free_blocks,
    variance,
)
from edge.camera.picture.words import Light, Picture, Region

DARK_LEVEL = 24
"""A picture in which 99 of 100 pixels stay below this, of 255, shows nothing."""
FROZEN_PIXELS = 5
"""Of 22,800: sensor noise changes hundreds even in the quietest night."""
FLAT_VARIANCE = 1.0
"""Coarse structures of less than one grey level."""
KNOWN_COARSE, KNOWN_FINE = 5.0, 2.0
"""Variance from which a block of the usual view counts as having structures."""
FEW_BLOCKS = 6
"""With fewer known blocks than this a view says too little to be compared with."""
SEEN_GAIN, SEEN_LIKENESS = 0.3, 0.3
LOST_SHARE = 0.25
"""More than this share of the known blocks gone in two pictures running: something stands before the lens,
or it is turned. Headlights take other blocks in the next picture."""
MOST_SHARE, TURNED_SHARE = 0.55, 0.75
"""A turned camera loses nearly all of its usual view."""
SHARP_GAIN, SURELY_BLURRED = 0.35, 0.22
"""Median share of the fine structures that must be left of what the coarse ones let expect."""
ELSEWHERE_LIKENESS = 0.45
ELSEWHERE_SHARP, HARDLY_SHARP = 0.35, 0.12
"""How sharp, against the usual view, lost blocks must be to show another place rather than a cover."""
VEIL_GAIN, VEIL_BRIGHTER = 0.6, 1.6
"""Known structures weakened and the whole picture brighter than usual, two pictures running: something near
the lens shines in the lamp's or the infrared light, as a spider's web does."""
LEARN_LOST, LEARN_GAIN = 0.2, 0.65
"""Only what looks much like the usual view is taken into it: a cover that comes slowly is never learnt."""
MAX_SHIFT = (12, 5)
"""In pixels of 40 × 22: 30 % of the width, 22 % of the height."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the picture shows, and the figures behind it."""

    picture: Picture | None
    """None: nothing can be said (a dark road without light, or no usual view yet)."""
    figures: dict[str, float]
    learn: bool = False
    """Whether the usual view may take this picture in."""


@dataclass(frozen=True, slots=True)
class _Compared:
    known: int
    lost: frozenset[int]
    gain: float
    sharp: float
    brighter: float
    """Mean grey level against the usual one."""

    @property
    def veiled(self) -> bool:
        return self.gain < VEIL_GAIN and self.brighter > VEIL_BRIGHTER


def judge(
    now: Thumbnail,
    *,
    previous: Thumbnail | None,
    usual: Thumbnail | None,
    light: Light,
    overlays: list[Region],
    pixel_true: bool = True,
) -> Verdict:
    """Judge one picture; one that is not `pixel_true` is never called frozen.

    `previous` is the picture of the round before, `usual` the mean of many good ones of the same hour and
    light; without it only dark, frozen and wholly covered are told.
    """
    figures = {"mean": round(now.mean, 1), "bright": float(now.level_at(0.99))}
    if now.level_at(0.99) <= DARK_LEVEL:
        return Verdict("dark" if light.enough else None, figures)
    free = free_blocks(overlays)
    if pixel_true and previous is not None and now.level_at(0.95) - now.level_at(0.05) >= 6:
        figures["changed"] = float(changed_pixels(now, previous, overlays))
        if figures["changed"] <= FROZEN_PIXELS:
            return Verdict("frozen", figures)
    structure = sorted(variance(block) for block, is_free in zip(now.coarse, free, strict=True) if is_free)
    figures["structure"] = round(structure[len(structure) * 9 // 10], 2)
    if figures["structure"] < FLAT_VARIANCE:
        return Verdict("covered" if light.enough else None, figures)
    if usual is None:
        return Verdict("ok", figures, learn=light.enough is True)
    return _against_usual(now, previous, usual, free, figures)


def _against_usual(
    now: Thumbnail,
    previous: Thumbnail | None,
    usual: Thumbnail,
    free: list[bool],
    figures: dict[str, float],
) -> Verdict:
    compared = _compare(now, usual, free)
    figures |= {"known": float(compared.known), "gain": round(compared.gain, 2)}
    if compared.known < FEW_BLOCKS:
        return Verdict("ok", figures, learn=True)
    alike = len(compared.lost) <= LEARN_LOST * compared.known and compared.gain >= LEARN_GAIN
    lost = compared.lost
    if previous is not None and not alike:
        before = _compare(previous, usual, free)
        lost &= before.lost
        if compared.veiled and before.veiled:
            figures["brighter"] = round(compared.brighter, 2)
            return Verdict("covered", figures)
    lost_share = len(lost) / compared.known
    figures |= {"lost": round(lost_share, 2), "sharp": round(compared.sharp, 2)}
    if lost_share <= LOST_SHARE:
        if compared.sharp < SHARP_GAIN:
            return Verdict("defocused", figures)
        return Verdict("ok", figures, learn=alike)
    lost_sharp = _sharpness(now, previous, usual, lost)
    figures["lost_sharp"] = round(lost_sharp, 2)
    blurred = compared.sharp < SURELY_BLURRED
    if lost_sharp < HARDLY_SHARP:
        return Verdict("defocused" if blurred and lost_share < TURNED_SHARE else "covered", figures)
    if lost_share >= MOST_SHARE and blurred:
        # What still seems to be in its place is so by chance: its details are not the usual ones.
        return Verdict("moved", figures)
    if lost_share < TURNED_SHARE:
        return Verdict("covered", figures)
    if lost_sharp < ELSEWHERE_SHARP:
        figures["elsewhere"] = round(_best_shift(now, usual), 2)
        if figures["elsewhere"] < ELSEWHERE_LIKENESS:
            return Verdict("covered", figures)
    return Verdict("moved", figures)


def _compare(now: Thumbnail, usual: Thumbnail, free: list[bool]) -> _Compared:
    lost, gains, sharps, known = [], [], [], 0
    for number, is_free in enumerate(free):
        expected = variance(usual.coarse[number])
        if not is_free or expected < KNOWN_COARSE:
            continue
        known += 1
        shared = covariance(now.coarse[number], usual.coarse[number])
        gain = shared / expected
        likeness = shared / (expected * max(variance(now.coarse[number]), 1e-6)) ** 0.5
        gains.append(gain)
        if gain < SEEN_GAIN or likeness < SEEN_LIKENESS:
            lost.append(number)
            continue
        fine = variance(usual.fine[number])
        if fine >= KNOWN_FINE:
            sharps.append(covariance(now.fine[number], usual.fine[number]) / fine / gain)
    return _Compared(
        known,
        frozenset(lost),
        median(gains) if gains else 0.0,
        median(sharps) if len(sharps) >= 3 else 1.0,
        now.mean / max(usual.mean, 1.0),
    )


def _sharpness(
    now: Thumbnail, previous: Thumbnail | None, usual: Thumbnail, numbers: frozenset[int]
) -> float:
    """Fine structures in these blocks against the usual ones, without noise, which never comes twice."""
    has = expected = 0.0
    for number in numbers:
        block = now.fine[number]
        signal = variance(block) if previous is None else covariance(block, previous.fine[number])
        has += max(0.0, signal)
        expected += variance(usual.fine[number])
    return has / max(expected, 1e-6)


def _best_shift(now: Thumbnail, usual: Thumbnail) -> float:
    """The best likeness of the views over all shifts that are more than a little."""
    one, other = (picture.coarse_image.reduce(2) for picture in (now, usual))
    top, bottom = MARGIN // COARSE // 2 + 1, one.height - MARGIN // COARSE // 2 - 1
    best = 0.0
    for dx in range(-MAX_SHIFT[0], MAX_SHIFT[0] + 1):
        for dy in range(-MAX_SHIFT[1], MAX_SHIFT[1] + 1):
            if abs(dx) < 2 and abs(dy) < 2:
                continue
            left, right = max(0, dx), one.width + min(0, dx)
            upper, lower = max(top, top + dy), min(bottom, bottom + dy)
            here = one.crop((left, upper, right, lower)).tobytes()
            there = other.crop((left - dx, upper - dy, right - dx, lower - dy)).tobytes()
            spread = variance(here) * variance(there)
            if spread > 1:
                best = max(best, covariance(here, there) / spread**0.5)
    return best
