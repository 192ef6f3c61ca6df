"""Thresholds as people see and change them: for one commune, or for the whole hub (commune '').

A commune's own row goes before the hub's, the hub's before what the program brings along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.incidents.catalogue import DEFAULT_RULES
from hub.incidents.reads import Severity
from hub.incidents.tables import incident_rule
from hub.numerals import written
from hub.revision import next_revision

HUB = ""
"""The commune of the rows that hold for all communes without one of their own."""

LONGEST_S = 7 * 86_400.0
"""A hold-off, or a pause before closing, beyond a week would hide what it is for."""

Source = Literal["default", "hub", "commune"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What can be set for one kind; `params` are the kind's own."""

    hold_off_s: float
    clear_after_s: float
    params: Mapping[str, float] = field(default_factory=dict)
    severity: Severity = "major"
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RuleView:
    """One kind's thresholds in force, where they come from, and what would hold without them."""

    kind: str
    now: Thresholds
    source: Source
    inherited: Thresholds
    """What a reset goes back to."""


class RuleRefusedError(ValueError):
    """A threshold out of bounds; `field` names it, texts in English and Vietnamese."""

    def __init__(self, field: str, detail: str, detail_vi: str) -> None:
        super().__init__(f"{field} {detail}")
        self.field = field
        self.detail_vi = detail_vi


def known_rules() -> Mapping[str, Thresholds]:
    """Every kind whose thresholds people may change, with what the program brings along."""
    return {
        rule.kind: Thresholds(
            rule.hold_off_s, rule.clear_after_s, dict(rule.params), rule.severity, rule.enabled
        )
        for rule in DEFAULT_RULES.values()
    }


def bounds_of(param: str) -> tuple[float, float]:
    """The least and the largest value of a kind's own parameter, by the unit in its name."""
    for ending, bounds in _BOUNDS.items():
        if param.endswith(ending):
            return bounds
    return (0.0, 1e6)


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "_share": (0.0, 1.0),
    "_s": (0.0, LONGEST_S),
    "_v": (0.0, 500.0),
    "_w": (0.0, 100_000.0),
    "_c": (-50.0, 150.0),
    "_count": (1.0, 1000.0),
}


def rules_of(conn: Connection, commune: str) -> list[RuleView]:
    """Every known kind as it holds in one commune (or the hub, ''), by kind."""
    rows = conn.execute(select(incident_rule).where(incident_rule.c.commune.in_({HUB, commune}))).all()
    own = {(row.commune, row.kind): row for row in rows}
    return [_view(kind, default, commune, own) for kind, default in sorted(known_rules().items())]


def set_rule(conn: Connection, commune: str, kind: str, wanted: Thresholds) -> tuple[RuleView, RuleView]:
    """Write one kind's thresholds for a commune (or the hub, ''); returns how it was and how it is.

    Raises RuleRefusedError for what is out of bounds and KeyError for a kind that is not known.
    """
    check(kind, wanted)
    next_revision(conn)  # its lock makes two who write at once come one after the other
    before = _one(conn, commune, kind)
    values = {
        "hold_off_s": wanted.hold_off_s,
        "clear_after_s": wanted.clear_after_s,
        "params": dict(wanted.params),
        "severity": wanted.severity,
        "enabled": wanted.enabled,
    }
    here = (incident_rule.c.commune == commune, incident_rule.c.kind == kind)
    if conn.execute(update(incident_rule).where(*here).values(**values)).rowcount == 0:
        conn.execute(insert(incident_rule).values(commune=commune, kind=kind, **values))
    return before, _one(conn, commune, kind)


def reset_rule(conn: Connection, commune: str, kind: str) -> tuple[RuleView, RuleView]:
    """Forget a commune's own thresholds (or the hub's, ''); returns how it was and how it is.

    Raises KeyError for a kind that is not known.
    """
    next_revision(conn)
    before = _one(conn, commune, kind)
    conn.execute(
        delete(incident_rule).where(incident_rule.c.commune == commune, incident_rule.c.kind == kind)
    )
    return before, _one(conn, commune, kind)


def check(kind: str, wanted: Thresholds) -> None:
    """Raises RuleRefusedError for what is out of bounds and KeyError for a kind that is not known."""
    params = known_rules()[kind].params
    for name in ("hold_off_s", "clear_after_s"):
        _check_bounds(name, getattr(wanted, name), (0.0, LONGEST_S))
    if wanted.params.keys() != params.keys():
        needed = ", ".join(sorted(params)) or "–"
        raise RuleRefusedError(
            "params", f"must be exactly: {needed}", f"Các ngưỡng của loại sự cố này là: {needed}."
        )
    for name, value in wanted.params.items():
        _check_bounds(f"params.{name}", value, bounds_of(name))
        opposite = f"clear_{name.removeprefix('fail_')}"
        if name.startswith("fail_") and value > wanted.params.get(opposite, value):
            raise RuleRefusedError(
                f"params.{name}",
                f"must not exceed {opposite}: what opens would close at once",
                "Ngưỡng báo lỗi không được cao hơn ngưỡng hết lỗi, nếu không sự cố vừa mở đã đóng.",
            )


def _check_bounds(name: str, value: float, bounds: tuple[float, float]) -> None:
    low, high = bounds
    if not low <= value <= high:
        raise RuleRefusedError(
            name,
            f"must lie between {written(low, 'en')} and {written(high, 'en')}",
            f"Hãy ghi một số từ {written(low)} đến {written(high)}.",
        )


def _one(conn: Connection, commune: str, kind: str) -> RuleView:
    found = {one.kind: one for one in rules_of(conn, commune)}
    return found[kind]


def _view(
    kind: str, default: Thresholds, commune: str, own: Mapping[tuple[str, str], Row[tuple[object, ...]]]
) -> RuleView:
    of_hub = _read(own.get((HUB, kind)), default)
    if commune == HUB:
        return RuleView(kind, of_hub, "default" if of_hub == default else "hub", default)
    row = own.get((commune, kind))
    if row is not None:
        return RuleView(kind, _read(row, default), "commune", of_hub)
    return RuleView(kind, of_hub, "default" if of_hub == default else "hub", of_hub)


def _read(row: Row[tuple[object, ...]] | None, default: Thresholds) -> Thresholds:
    """A row as thresholds; parameters that are newer than the row come from the default."""
    if row is None:
        return default
    known = {name: value for name, value in row.params.items() if name in default.params}
    return Thresholds(
        row.hold_off_s,
        row.clear_after_s,
        {**default.params, **known},
        row.severity or default.severity,
        row.enabled,
    )
