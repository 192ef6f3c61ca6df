"""The texts that people get: plain words, times in Vietnam's, no names of contributors. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hub.api.words import incident_title
from hub.incidents.reads import IncidentView
from hub.notify.hours import VIETNAM, spoken
from hub.notify.model import SEVERITIES, Language, Message, Place
from hub.notify.wording import likely, phrase

ITEMS_MOST = 20
"""A summary names so many incidents; a phone shows no more at a glance."""

Item = tuple[IncidentView, Place]


class Writer:
    """Writes messages in one language; `base_url` is where the pages are, empty where nobody said."""

    def __init__(self, language: Language, base_url: str) -> None:
        self._language = language
        self._base_url = base_url.rstrip("/")

    def opened(self, incident: IncidentView, place: Place, *, escalated: bool = False) -> Message:
        """An incident has opened, or goes on to somebody else because nobody has taken it on."""
        subject = "subject.escalated" if escalated else "subject.opened"
        lines = [
            self._say("line.escalated") if escalated else "",
            *self._facts(incident, place),
            self._say("line.likely", likely=likely(incident.kind, self._language)),
            self._group(incident, place),
            self._link(incident),
        ]
        return self._message(subject, incident, place, lines)

    def closed(self, incident: IncidentView, place: Place) -> Message:
        """An incident that was told of is over."""
        by_hand = incident.closed_how == "by_hand"
        lines = [
            self._say("line.closed_by_hand" if by_hand else "line.closed"),
            *self._facts(incident, place),
        ]
        if incident.closed_at is not None:
            lasted = incident.closed_at - _since(incident)
            lines.append(
                self._say("line.ended", ended=spoken(incident.closed_at), lasted=self._span(lasted))
            )
        return self._message("subject.closed", incident, place, [*lines, self._link(incident)])

    def summary(self, items: Sequence[Item], *, closed: bool) -> Message:
        """Many incidents that came, or ended, at once."""
        over = sum(1 for incident, _ in items if incident.closed_at is not None)
        subject = self._say(
            "subject.summary_closed" if closed else "subject.summary",
            count=len(items),
            area=self._area(items),
        )
        lines = [self._say("line.summary"), *self._items(items, closed=closed)]
        if over and not closed:
            lines.append(self._say("line.gone", count=over))
        return self._plain(subject, [*lines, self._overview()])

    def digest(self, items: Sequence[Item], *, closed_lately: int, now: datetime) -> Message:
        """What is open this morning."""
        day = f"{now.astimezone(VIETNAM):%d/%m/%Y}"
        subject = self._say("subject.digest", day=day, count=len(items))
        first = self._say("line.digest_open", count=len(items)) if items else self._say("line.digest_none")
        lines = [first, *self._items(items, closed=False)]
        if closed_lately:
            lines.append(self._say("line.digest_closed", count=closed_lately))
        return self._plain(subject, [*lines, self._overview()])

    def test(self, channel: str, *, by: str) -> Message:
        """A person tries whether a channel works."""
        lines = [self._say("line.test", channel=channel), self._say("line.test_by", by=by) if by else ""]
        return self._plain(self._say("subject.test"), [*lines, self._overview()])

    def _facts(self, incident: IncidentView, place: Place) -> list[str]:
        return [
            self._say("line.title", title=self._title(incident), severity=self._severity(incident)),
            self._say("line.place", place=self._place(incident, place)),
            self._say("line.poles", count=place.poles) if place.poles > 1 else "",
            self._say("line.since", since=spoken(_since(incident))),
        ]

    def _message(self, subject: str, incident: IncidentView, place: Place, lines: Sequence[str]) -> Message:
        title, where = self._title(incident), self._where(incident, place)
        made = self._plain(self._say(subject, title=title, where=where), lines)
        made.fields.update(
            kind=incident.kind,
            pole=place.pole,
            where=where,
            place=self._place(incident, place),
            since=spoken(_since(incident)),
            ended="" if incident.closed_at is None else spoken(incident.closed_at),
            likely=likely(incident.kind, self._language),
            group=_responsible(incident, place),
            link=self._address(incident),
            title=title,
        )
        return made

    def _plain(self, subject: str, lines: Sequence[str]) -> Message:
        text = "\n".join(line for line in lines if line)
        return Message(subject, text, {"subject": subject, "title": subject, "body": text})

    def _items(self, items: Sequence[Item], *, closed: bool) -> list[str]:
        worst_first = sorted(items, key=lambda item: (-SEVERITIES.index(item[0].severity), _since(item[0])))
        lines = [self._item(incident, place, closed) for incident, place in worst_first[:ITEMS_MOST]]
        if len(items) > ITEMS_MOST:
            lines.append(self._say("line.more", count=len(items) - ITEMS_MOST))
        return lines

    def _item(self, incident: IncidentView, place: Place, closed: bool) -> str:
        title, where = self._title(incident), self._where(incident, place)
        if closed and incident.closed_at is not None:
            return self._say("line.item_closed", title=title, where=where, ended=spoken(incident.closed_at))
        return self._say("line.item", title=title, where=where, since=spoken(_since(incident)))

    def _area(self, items: Sequence[Item]) -> str:
        names = {place.commune_name for _, place in items}
        name = names.pop() if len(names) == 1 else ""
        return self._say("area", area=name) if name else ""

    def _title(self, incident: IncidentView) -> str:
        vi, en = incident_title(incident.kind)
        return en if self._language == "en" else vi

    def _severity(self, incident: IncidentView) -> str:
        return self._say(f"severity.{incident.severity}")

    def _where(self, incident: IncidentView, place: Place) -> str:
        if place.pole:
            return self._say("where.pole", pole=place.pole)
        if place.feeder:
            return self._say("where.feeder", feeder=place.feeder)
        return self._say("where.other", originator=incident.originator)

    def _place(self, incident: IncidentView, place: Place) -> str:
        parts = [
            place.pole or ("" if place.feeder else incident.originator),
            place.at,
            self._say("where.feeder", feeder=place.feeder) if place.feeder else "",
            ", ".join(sorted(place.hamlets)) if len(place.hamlets) <= 3 else "",
            place.commune_name,
        ]
        return ", ".join(part for part in parts if part)

    def _group(self, incident: IncidentView, place: Place) -> str:
        group = _responsible(incident, place)
        return self._say("line.group", group=group) if group else self._say("line.no_group")

    def _link(self, incident: IncidentView) -> str:
        address = self._address(incident)
        return self._say("line.link", link=address) if address else ""

    def _address(self, incident: IncidentView) -> str:
        return f"{self._base_url}/incidents/{incident.id}" if self._base_url else ""

    def _overview(self) -> str:
        return self._say("line.overview", link=f"{self._base_url}/") if self._base_url else ""

    def _span(self, lasted: timedelta) -> str:
        minutes = max(0, round(lasted.total_seconds() / 60))
        if minutes < 60:
            return self._say("span.minutes", n=minutes)
        if minutes < 48 * 60:
            return self._say("span.hours", n=minutes // 60, m=minutes % 60)
        return self._say("span.days", n=minutes // 1440, m=minutes % 1440 // 60)

    def _say(self, name: str, **places: object) -> str:
        return phrase(name, self._language, **places)


Write = Callable[[Language], Writer]


def _since(incident: IncidentView) -> datetime:
    return incident.since_at or incident.opened_at


def _responsible(incident: IncidentView, place: Place) -> str:
    return incident.assigned_group or ", ".join(sorted(place.groups))
