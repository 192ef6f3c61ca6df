"""What goes to whom and when, decided from changes, routes and the time. Pure.

Openings wait `gather_s` so that those of one storm come together; what is critical does not wait. A message
is judged again when its moment comes (`judge`): an incident that is over, explained by another or in
maintenance by then is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from hub.incidents.reads import IncidentView
from hub.notify.hours import after_quiet
from hub.notify.model import Delivery, Happening, Place, Planned, Route, Status, at_least

BACK_OFF_S = (30, 120, 600, 1800, 3600, 7200, 14_400)
"""Pauses between tries; the last one repeats until the tries are used up."""

OPENINGS = frozenset({"opened", "escalated"})
STANDING: frozenset[Status] = frozenset({"waiting", "sending", "sent", "merged"})


@dataclass(slots=True)
class Plan:
    """What one turn adds; closings come with the opening they answer: it is dropped where it has not begun."""

    new: list[Planned] = field(default_factory=list)
    closings: list[tuple[Delivery, Planned]] = field(default_factory=list)
    unneeded: list[tuple[Delivery, str]] = field(default_factory=list)
    """Waiting messages that nobody needs any more, with the reason."""


def plan(
    happenings: Iterable[Happening],
    routes: Mapping[int, Route],
    told: Mapping[int, Sequence[Delivery]],
    *,
    now: datetime,
    gather_s: float = 0,
) -> Plan:
    """What follows from changes; `told` holds the openings that are stored, by incident."""
    made = Plan()
    for one in happenings:
        before = told.get(one.incident.id, ())
        match one.change.change:
            # `turned`: the same outage has another cause by now, and may be another route's affair.
            case "opened" | "released" | "turned":
                made.new += _openings(one, routes, before, now=now, gather_s=gather_s)
            # History may show that it was over earlier; more than one such step makes one message.
            case "closed" | "corrected" if one.incident.closed_at is not None:
                made.closings += [
                    (opening, _closing(one, opening, routes, now))
                    for opening in before
                    if opening.status in STANDING
                ]
            case "acknowledged":
                made.unneeded += [
                    (each, "acknowledged")
                    for each in before
                    if each.purpose == "escalated" and each.status == "waiting"
                ]
            case _:
                pass
    return made


def concerns(route: Route, incident: IncidentView, place: Place) -> bool:
    """Whether a route wants to know of an incident at all."""
    commune = incident.commune or place.commune
    groups = {incident.assigned_group} if incident.assigned_group else place.groups
    return (
        route.enabled
        # What belongs to no commune, such as the hub's own outage, is everybody's.
        and (not route.commune or not commune or route.commune == commune)
        and (not route.hamlet or route.hamlet in place.hamlets)
        and (not route.group or route.group in groups)
        and (not route.kinds or incident.kind in route.kinds)
        and at_least(incident.severity, route.least_severity)
    )


def _openings(
    one: Happening,
    routes: Mapping[int, Route],
    before: Sequence[Delivery],
    *,
    now: datetime,
    gather_s: float,
) -> list[Planned]:
    incident = one.incident
    if incident.closed_at is not None or incident.quiet_reason is not None:
        return []
    # The same channel hears of an incident once, however many routes lead to it.
    taken = {each.target for each in before if each.status in STANDING and each.purpose == "opened"}
    begin = max(now, incident.notify_after or now)
    if incident.severity != "critical":
        begin += timedelta(seconds=gather_s)
    found: list[Planned] = []
    for route in routes.values():
        if route.for_escalation or not route.at_once or not concerns(route, incident, one.place):
            continue
        due = _awake(route, incident, begin)
        first: Planned | None = None
        for channel in route.channels:
            if channel in taken:
                continue
            taken.add(channel)
            first = Planned(
                key=f"opened:{one.change.id}:{channel}",
                purpose="opened",
                target=channel,
                language=route.language,
                route_id=route.id,
                incident_id=incident.id,
                due_at=due,
            )
            found.append(first)
        if first is not None and incident.acknowledged_at is None:
            found += _escalations(one, route, routes, first, due)
    return found


def _escalations(
    one: Happening, route: Route, routes: Mapping[int, Route], first: Planned, due: datetime
) -> list[Planned]:
    """The chain of routes behind one, each after its own pause; a circle ends where it began."""
    found: list[Planned] = []
    seen = {route.id}
    while route.escalate_to is not None and route.escalate_after_min is not None:
        due += timedelta(minutes=route.escalate_after_min)
        following = routes.get(route.escalate_to)
        if following is None or not following.enabled or following.id in seen:
            break
        route = following
        seen.add(route.id)
        found += [
            Planned(
                key=f"escalated:{one.change.id}:{channel}",
                purpose="escalated",
                target=channel,
                language=route.language,
                route_id=route.id,
                incident_id=one.incident.id,
                after_key=first.key,
                due_at=_awake(route, one.incident, due),
            )
            for channel in route.channels
        ]
    return found


def _closing(one: Happening, opening: Delivery, routes: Mapping[int, Route], now: datetime) -> Planned:
    # To whom the opening went, whatever has become of the route since.
    route = routes.get(opening.route_id or 0)
    return Planned(
        key=f"closed:{opening.id}",
        purpose="closed",
        target=opening.target,
        language=opening.language,
        route_id=opening.route_id,
        incident_id=one.incident.id,
        after_id=opening.id,
        due_at=now if route is None else _awake(route, one.incident, now),
    )


def _awake(route: Route, incident: IncidentView, at: datetime) -> datetime:
    return at if at_least(incident.severity, route.quiet_passes) else after_quiet(route, at)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message whose moment has come goes out."""

    kind: Literal["go", "wait", "drop"]
    why: str = ""
    until: datetime | None = None
    """When to look again, where that is known."""


GO = Verdict("go")


def judge(
    delivery: Delivery, incident: IncidentView | None, after: Status | None, *, now: datetime
) -> Verdict:
    """Judge a due message anew; `after` is what became of the opening that it follows."""
    if delivery.purpose == "closed":
        if after == "sent":
            return GO
        return Verdict("wait") if after in STANDING else Verdict("drop", "the opening never arrived")
    if delivery.purpose in OPENINGS:
        if incident is None:
            return Verdict("drop", "there is no such incident")
        if delivery.unsure:
            # Somebody may have got it already, and is then to hear that it is over: so it goes again.
            return GO
        if incident.closed_at is not None:
            return Verdict("drop", "over before it was told")
        if incident.quiet_reason is not None:
            return Verdict("drop", f"quiet: {incident.quiet_reason}")
        if delivery.purpose == "escalated" and incident.acknowledged_at is not None:
            return Verdict("drop", "acknowledged")
        if delivery.purpose == "escalated" and after == "dropped":
            return Verdict("drop", "the opening was not told")
        not_before = incident.notify_after
        if not_before is not None and not_before > now:
            return Verdict("wait", until=not_before)
    return GO


def shares(due: Sequence[Delivery], *, allowed: int, storm_over: int) -> list[list[Delivery]]:
    """How the due messages of one target go out now: one by one, or as one summary where they are many.

    More openings (or closings) than `storm_over`, or than the target may be sent at the moment, share one
    message. What does not fit into `allowed` stays for later.
    """
    out: list[list[Delivery]] = []
    for purposes in (OPENINGS, {"closed"}):
        alike = [one for one in due if one.purpose in purposes and one.tries == 0]
        if len(alike) > min(storm_over, max(allowed, 1)):
            out.append(alike)
        else:
            out += [[one] for one in alike]
    singles = [one for one in due if one.purpose not in OPENINGS | {"closed"} or one.tries]
    out += [[one] for one in singles]
    return out[: max(allowed, 0)]


def next_try(tries: int, *, tries_max: int, retry_after_s: float | None, now: datetime) -> datetime | None:
    """When a message that failed in passing is tried again; None when it is given up.

    `tries` counts those made. A receiver's own Retry-After is heeded up to four hours.
    """
    if tries >= tries_max:
        return None
    pause_s = float(BACK_OFF_S[min(tries, len(BACK_OFF_S)) - 1])
    if retry_after_s is not None:
        pause_s = max(pause_s, min(retry_after_s, BACK_OFF_S[-1]))
    return now + timedelta(seconds=pause_s)
