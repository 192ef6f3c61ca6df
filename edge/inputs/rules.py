"""What an input's readings mean: pure decisions, time as an argument. None is always "not known"."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Word:
    """What is believed of a contact, and another word that is on trial since a moment."""

    believed: bool | None = None
    trial: bool | None = None
    trial_since_s: float = 0.0


def follow(word: Word, reading: bool | None, *, now_s: float, hold_s: float) -> Word:
    """The word after one more reading: believed once it has held for `hold_s`, the first one too.

    An input that does not answer is believed nothing of.
    """
    if reading is None:
        return Word()
    if reading == word.believed:
        return Word(believed=reading)
    if reading != word.trial:
        word = replace(word, trial=reading, trial_since_s=now_s)
    if now_s - word.trial_since_s >= hold_s:
        return Word(believed=reading)
    return word


def is_too_hot(
    was: bool | None, temperature_c: float | None, *, high_c: float, hysteresis_c: float
) -> bool | None:
    """Whether `high_temperature` stands: from `high_c` on, until `hysteresis_c` below it."""
    if temperature_c is None:
        return None
    return temperature_c >= (high_c - hysteresis_c if was else high_c)


@dataclass(frozen=True, slots=True)
class Motion:
    """Since when a motion sensor has seen motion without a pause."""

    moving_since_s: float | None = None

    def stuck(self, *, now_s: float, stuck_after_s: float) -> bool:
        """No crowd moves for hours without a pause: a sensor that says so is broken, or its wire is cut."""
        return self.moving_since_s is not None and now_s - self.moving_since_s >= stuck_after_s


def follow_motion(motion: Motion, reading: bool | None, *, now_s: float) -> Motion:
    """The motion after one more reading; a sensor that does not answer neither begins nor ends one."""
    if reading is None:
        return motion
    if not reading:
        return Motion()
    return motion if motion.moving_since_s is not None else Motion(now_s)


@dataclass(frozen=True, slots=True)
class Supply:
    """The mains as far as it matters for a shutdown.

    `seen` since the start: a node that was started without mains (a technician's battery, a cut wire) is
    not shut down, or it could never be started.
    """

    seen: bool = False
    lost_since_s: float | None = None
    asked_at_s: float | None = None
    """When the shutdown was last asked for."""

    def asked(self, now_s: float) -> Supply:
        """The same after the shutdown was asked for."""
        return replace(self, asked_at_s=now_s)


def follow_supply(supply: Supply, present: bool | None, *, now_s: float) -> Supply:
    """The supply after one more believed word. Not knowing stops the count as mains does."""
    if present is not False:
        return Supply(seen=supply.seen or present is True)
    if supply.lost_since_s is None and supply.seen:
        return replace(supply, lost_since_s=now_s)
    return supply


def shutdown_is_due(supply: Supply, *, now_s: float, after_s: float, again_after_s: float = 60.0) -> bool:
    """Whether to ask for the shutdown now; one that did not come about is asked for again."""
    if supply.lost_since_s is None or now_s - supply.lost_since_s < after_s:
        return False
    return supply.asked_at_s is None or now_s - supply.asked_at_s >= again_after_s
