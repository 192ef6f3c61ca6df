"""When a hung camera is switched off and on again: pure policy, with the time as an argument."""

from __future__ import annotations

from dataclasses import dataclass, replace

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class PowerRules:
    """Bounds of the policy. Times are seconds."""

    after_rounds: int = 5
    """So many rounds running without port or stream make a hung camera."""
    first_pause_s: float = 600.0
    longest_pause_s: float = 6 * 3600.0
    per_day: int = 4
    """In any 24 hours; a camera that needs more has another fault than being hung."""


@dataclass(frozen=True, slots=True)
class PowerState:
    """What the policy remembers of one camera. Times are of the steady clock."""

    hung_rounds: int = 0
    tries: int = 0
    """Cycles since it was last well."""
    not_before_s: float = float("-inf")
    cycles_s: tuple[float, ...] = ()
    """Those of the last 24 hours, whoever wanted them."""


def see(
    state: PowerState,
    *,
    hung: bool | None,
    allowed: bool,
    now_s: float,
    rules: PowerRules,
) -> tuple[PowerState, bool]:
    """Take in one round; True: cycle it now (and tell `cycled`).

    `hung` is None when nothing is known of this round. `allowed` is False in maintenance and without
    mains: a camera without supply is not hung, and nobody's hands are near a relay that moves.
    """
    if hung is None:
        return state, False
    if not hung:
        return replace(state, hung_rounds=0, tries=0, not_before_s=float("-inf")), False
    if not allowed:
        return replace(state, hung_rounds=0), False
    state = replace(
        state,
        hung_rounds=state.hung_rounds + 1,
        cycles_s=tuple(at_s for at_s in state.cycles_s if now_s - at_s < DAY_S),
    )
    due = (
        state.hung_rounds >= rules.after_rounds
        and now_s >= state.not_before_s
        and len(state.cycles_s) < rules.per_day
    )
    return state, due


def cycled(state: PowerState, *, now_s: float, rules: PowerRules) -> PowerState:
    """After a cycle, by the policy or by command: it gets its time to start, and the next pause is longer."""
    pause_s = min(rules.longest_pause_s, rules.first_pause_s * 2**state.tries)
    return PowerState(
        hung_rounds=0,
        tries=state.tries + 1,
        not_before_s=now_s + pause_s,
        cycles_s=(*(at_s for at_s in state.cycles_s if now_s - at_s < DAY_S), now_s),
    )
