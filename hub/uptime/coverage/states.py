"""What a lamp or camera is seen to be in one minute, as one small number; what one sample says of it. Pure.

Time is cut into minutes of the local day (UTC+7 all year). A minute's state is the greatest of what its
samples say: greatest is commutative, associative and idempotent, so it does not matter in which order samples
come, nor whether one comes twice. The order of the numbers is therefore a decision, told in `State`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from protocol import CameraReading, Sample

SLOT_S = 60
SLOTS = 24 * 60
DAY_S = SLOT_S * SLOTS
LOCAL_OFFSET_S = 7 * 3600

LIT_SHARE = 0.2
"""A lamp that draws less than this share of what its level should draw gives no useful light."""


class State(IntEnum):
    """In rising order: where samples of one minute disagree, the later in this list stands.

    What a node can say of `due` outweighs what it can't; a meter outweighs the node's own word; and a minute
    in which a due lamp was seen dark is not a lit one.
    """

    NONE = 0
    """No sample."""
    UNTOLD_LIT_SAID = 1
    """`UNTOLD_*`: the node can't tell whether the lamp is due; the sun at the pole decides when reckoning."""
    UNTOLD_LIT = 2
    UNTOLD_ORDERED_OFF = 3
    UNTOLD_DARK_SAID = 4
    UNTOLD_DARK = 5
    NOT_DUE = 6
    BURNING = 7
    """Not due, and lit all the same."""
    LIT_SAID = 8
    """Due and lit by the node's own word: no meter answers."""
    LIT = 9
    """Due and lit: the meter says so."""
    ORDERED_OFF = 10
    """Due and off by an override: the road is dark because people wanted it."""
    DARK_SAID = 11
    DARK = 12
    UNTOLD_MAINTENANCE = 13
    MAINTENANCE = 14
    """People work at the pole; they have told the node."""
    HEALTHY = 15
    """A camera that answers, with a stream and a picture as far as these were asked."""
    FAULTY = 16
    CAMERA_MAINTENANCE = 17


LETTERS: Mapping[State, str] = {
    State.UNTOLD_LIT_SAID: "y",
    State.UNTOLD_LIT: "Y",
    State.UNTOLD_ORDERED_OFF: "w",
    State.UNTOLD_DARK_SAID: "x",
    State.UNTOLD_DARK: "X",
    State.NOT_DUE: "o",
    State.BURNING: "b",
    State.LIT_SAID: "l",
    State.LIT: "L",
    State.ORDERED_OFF: "s",
    State.DARK_SAID: "d",
    State.DARK: "D",
    State.UNTOLD_MAINTENANCE: "m",
    State.MAINTENANCE: "M",
    State.HEALTHY: "H",
    State.FAULTY: "F",
    State.CAMERA_MAINTENANCE: "C",
}
"""How states stand in the database: `o0-1065 L1066-1439`."""

_GOOD_PICTURES = (None, "ok", "unreadable")
_GOOD_STREAMS = (None, "live")

# Whole numbers for the path that every sample takes: an enum's attribute costs three times as much.
_UNTOLD = tuple(
    int(one) for one in (State.UNTOLD_LIT_SAID, State.UNTOLD_LIT, State.UNTOLD_DARK_SAID, State.UNTOLD_DARK)
)
_DUE = tuple(int(one) for one in (State.LIT_SAID, State.LIT, State.DARK_SAID, State.DARK))
_NOT_DUE = (int(State.BURNING), int(State.BURNING), int(State.NOT_DUE), int(State.NOT_DUE))
_ORDERED = {int(State.DARK_SAID): int(State.ORDERED_OFF), int(State.DARK): int(State.ORDERED_OFF)}
_ORDERED |= {int(State.UNTOLD_DARK_SAID): int(State.UNTOLD_ORDERED_OFF)}
_ORDERED |= {int(State.UNTOLD_DARK): int(State.UNTOLD_ORDERED_OFF)}


def lamp_state(sample: Sample, rated_w: float | None) -> int:
    """What one sample says of its lamp, a number of `State`.

    Lit is measured: at least 20 % of rating × level where the meter answers (a lamp that is told to be off and
    draws 20 % of its rating is lit too). Without a meter or a rating the node's own word counts, and is told
    apart. Dimmed is lit.
    """
    lamp, meter = sample.lamp, sample.meter
    level = lamp.effect_level
    if meter is None or rated_w is None:
        seen = 0 if level > 0 else 2
    else:
        seen = 1 if meter.power_w >= lit_from_w(level, rated_w) else 3
    due = lamp.due
    if due:
        state = _DUE[seen]
    elif due is None:
        state = _UNTOLD[seen]
    else:
        return _NOT_DUE[seen]
    reason = lamp.reason
    if reason == "maintenance":
        return 14 if due else 13
    if level == 0 and seen > 1 and reason == "override":
        return _ORDERED[state]
    return state


def lit_from_w(level: float, rated_w: float | None) -> float:
    """From how many watts on a lamp at this level is seen to be lit; 0 where its rating is not known."""
    return LIT_SHARE * (rated_w or 0.0) * (level if level > 0 else 1.0)


def camera_state(camera: CameraReading, *, maintenance: bool) -> int:
    """What one sample says of one camera, a number of `State`.

    Healthy: its port answers, RTP comes where the stream is asked, the picture is good where it is judged. A
    picture that could not be read proves nothing while the stream lives. A camera without power is faulty.
    """
    if maintenance:
        return int(State.CAMERA_MAINTENANCE)
    good = (
        camera.reachable
        and camera.stream in _GOOD_STREAMS
        and camera.picture in _GOOD_PICTURES
        and camera.powered is not False
    )
    return int(State.HEALTHY if good else State.FAULTY)


def local_day_of(at_s: float) -> int:
    """The local day of a moment (seconds since 1970 UTC), as days since 1970-01-01 in UTC+7."""
    return int((at_s + LOCAL_OFFSET_S) // DAY_S)


def day_start_s(day: int) -> int:
    """The first second (since 1970 UTC) of a local day."""
    return day * DAY_S - LOCAL_OFFSET_S
