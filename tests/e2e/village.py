"""The simulated commune of Trạm Thản in a true hub: real database, real ingest; only the broker is lists.

What a node would say is encoded, delivered and committed by the hub's own committer, so that a page sees
what it would see of a real node.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine

from hub.db import open_database
from hub.funding.importing import import_entries
from hub.ingest.committing.chores import ChoreList
from hub.ingest.committing.committer import Clocks, Committer
from hub.ingest.committing.outbox import SqlOutbox
from hub.ingest.judging.registry_directory import RegistryDirectory
from hub.ingest.link.port import InMemoryLink
from hub.ingest.lock import IngestLock
from hub.migrations.runner import upgrade
from hub.registry.importing import import_registry
from hub.settings import IngestSettings
from hub.telemetry.embedded import EmbeddedStore
from hub.telemetry.port import Point
from protocol import (
    CameraReading,
    Command,
    Config,
    Event,
    EventMessage,
    Kind,
    LampReading,
    Message,
    MeterReading,
    NodeState,
    Receipt,
    Sample,
    Telemetry,
    decode,
    encode,
    topic,
)
from simulators.commune import PoleSite, load_commune
from simulators.files import write_scenario_files

HOLD_OFF = timedelta(minutes=5)
"""Longer than any incident is held off before it opens."""

HEARTBEAT_S = 3600
"""Long, so that no pole falls silent while a slow machine runs the tests."""

SEED = 219


def found_commune(folder: Path) -> None:
    """Make the hub's database in `folder`, with the commune's poles and money imported."""
    files = write_scenario_files(load_commune("tram-than", seed=SEED), folder, seed=SEED)
    engine = open_database(f"sqlite:///{folder / 'hub.db'}")
    upgrade(engine)
    now = datetime.now(UTC)
    with engine.begin() as conn:
        assert import_registry(conn, files.registry.read_bytes(), now=now).stored
        assert import_entries(conn, files.funding.read_bytes(), by="import", now=now).stored
    engine.dispose()


class Village:
    """219 poles with their money in the hub's database under `folder`, and the nodes' voices."""

    def __init__(self, folder: Path) -> None:
        self.database_url = f"sqlite:///{folder / 'hub.db'}"
        self.telemetry_url = f"sqlite:///{folder / 'telemetry.db'}"
        self.sites = {site.code: site for site in load_commune("tram-than", seed=SEED).poles}
        self.engine = open_database(self.database_url)
        self._behind = HOLD_OFF
        self.link = InMemoryLink()
        self._lock = IngestLock(self.engine)
        self._committer = _committer(
            self.engine, self._lock, self.link, Clocks(self.now, self._monotonic_s)
        )
        self._epoch = uuid4()
        self._seq = defaultdict[str, "count[int]"](lambda: count(1))
        self._born: set[str] = set()

    def close(self) -> None:
        """Let go of the database."""
        self._lock.release()
        self.engine.dispose()

    def now(self) -> datetime:
        """The village's time: some minutes behind at first, so that incidents can ripen without waiting."""
        return datetime.now(UTC) - self._behind

    def come_to_the_present(self) -> None:
        """Let the minutes pass by which the village is behind."""
        self._behind = timedelta(0)

    def commit(self) -> None:
        """One round of the hub's ingest: what was said is committed, commands go out."""
        self._committer.step()

    def samples(
        self, *codes: str, level: float = 1.0, power_w: float | None = None, **lamp: object
    ) -> None:
        """Each pole's node says what its lamp does now; without `power_w` it draws what it should."""
        for code in codes:
            self._sample(self.sites[code], level, power_w, lamp)
        self.commit()

    def tells(self, code: str, *, cameras: list[CameraReading] | None = None, **more: Any) -> None:
        """A lit pole's sample with whatever else a sample can tell."""
        site = self.sites[code]
        self._birth(site)
        sample = Sample(
            seq=next(self._seq[site.node]),
            pole=code,
            time=self.now(),
            clock="synced",
            lamp=more.pop("lamp", LampReading(effect_level=1.0, reason="photocell")),
            meter=MeterReading(power_w=site.lamp_rated_w, voltage_v=229.0),
            cameras=cameras or [],
            **more,
        )
        message = Telemetry(v=1, node=site.node, epoch=self._epoch, sent_at=self.now(), samples=[sample])
        self._say(site, Kind.TELEMETRY, message)
        self.commit()

    def event(self, code: str, kind: str, **more: Any) -> None:
        """The pole's node tells an event."""
        site = self.sites[code]
        self._birth(site)
        event = Event(seq=next(self._seq[site.node]), time=self.now(), clock="synced", kind=kind, **more)
        message = EventMessage(v=1, node=site.node, epoch=self._epoch, sent_at=self.now(), events=[event])
        self._say(site, Kind.EVENT, message)
        self.commit()

    def runs(self, code: str, version: int) -> None:
        """The pole's node reports the configuration in force."""
        self._say(self.sites[code], Kind.STATE, self._state(self.sites[code], "online", version))
        self.commit()

    def sent_config(self, code: str) -> Config | None:
        """The newest configuration that the hub handed to the broker for this pole's node."""
        wanted = topic("tram-than", self.sites[code].node, Kind.CONFIG)
        found = [one.payload for one in self.link.published if one.topic == wanted]
        return decode(Kind.CONFIG, found[-1]) if found else None

    def silence(self, code: str) -> None:
        """The broker tells the node's last will."""
        site = self.sites[code]
        self._birth(site)
        self._say(site, Kind.STATE, self._state(site, "lost"))
        self.commit()

    def garbage(self, code: str, payload: bytes) -> None:
        """The pole's node sends something that no decoder takes."""
        site = self.sites[code]
        self.link.deliver(topic("tram-than", site.node, Kind.TELEMETRY), payload, at=self.now().timestamp())
        self.commit()

    def sent_command(self, code: str) -> Command | None:
        """The newest command that the hub handed to the broker for this pole."""
        wanted = topic("tram-than", self.sites[code].node, Kind.COMMAND)
        found = [one.payload for one in self.link.published if one.topic == wanted]
        return decode(Kind.COMMAND, found[-1]) if found else None

    def receipt(
        self,
        command: Command,
        status: str,
        *,
        level: float | None,
        power_w: float | None,
        reason: str = "",
    ) -> None:
        """The node says what became of a command."""
        site = self.sites[command.pole]
        message = Receipt(
            v=1,
            node=site.node,
            epoch=self._epoch,
            seq=next(self._seq[site.node]),
            time=self.now(),
            clock="synced",
            command=command.id,
            pole=command.pole,
            status=status,  # type: ignore[arg-type]  # the codec checks it
            level=level,
            power_w=power_w,
            reason=reason,
        )
        self._say(site, Kind.RECEIPT, message)
        self.commit()

    def write_last_night(self, code: str) -> None:
        """24 hours of telemetry straight into the store: lit at 57 W for the last twelve of them."""
        site, store = self.sites[code], EmbeddedStore(Path(self.telemetry_url.removeprefix("sqlite:///")))
        now, epoch = self.now(), str(uuid4())
        try:
            store.write(1, [_point(site, epoch, seq, now) for seq in range(1, 24 * 12 + 1)])
        finally:
            store.close()

    def _monotonic_s(self) -> float:
        return time.monotonic() - self._behind.total_seconds()

    def _sample(self, site: PoleSite, level: float, power_w: float | None, lamp: dict[str, object]) -> None:
        self._birth(site)
        drawn_w = site.lamp_rated_w * level if power_w is None else power_w
        sample = Sample(
            seq=next(self._seq[site.node]),
            pole=site.code,
            time=self.now(),
            clock="synced",
            lamp=LampReading(effect_level=level, **{"reason": "photocell", **lamp}),  # type: ignore[arg-type]
            meter=MeterReading(power_w=drawn_w, voltage_v=229.0),
            cameras=[CameraReading(camera=camera, reachable=True) for camera in site.cameras],
        )
        message = Telemetry(v=1, node=site.node, epoch=self._epoch, sent_at=self.now(), samples=[sample])
        self._say(site, Kind.TELEMETRY, message)

    def _birth(self, site: PoleSite) -> None:
        if site.node not in self._born:
            self._born.add(site.node)
            self._say(site, Kind.STATE, self._state(site, "online"))

    def _state(self, site: PoleSite, status: str, config_version: int = 0) -> NodeState:
        return NodeState(
            v=1,
            node=site.node,
            session=UUID(int=len(site.node)),
            status=status,  # type: ignore[arg-type]  # the codec checks it
            time=self.now(),
            connected_at=self.now(),
            clock="synced",
            heartbeat_s=HEARTBEAT_S,
            epoch=self._epoch,
            agent_version="0.1.0",
            config_version=config_version,
            poles=[site.code],
        )

    def _say(self, site: PoleSite, kind: Kind, message: Message) -> None:
        self.link.deliver(topic("tram-than", site.node, kind), encode(message), at=self.now().timestamp())


@contextmanager
def village(folder: Path) -> Iterator[Village]:
    """An evening: every lamp burns but five, one node is silent, one lamp burns out of turn."""
    found = Village(folder)
    try:
        lit = [code for code in found.sites if code not in {*DARK, *OFF, STUCK_ON, SILENT}]
        found.samples(*lit)
        found.samples(*DARK, power_w=0.6)
        found.samples(*OFF, level=0.0, power_w=0.3)
        found.samples(STUCK_ON, level=0.0, power_w=41.0)
        found.silence(SILENT)
        found.come_to_the_present()
        found.samples(*DARK, power_w=0.6)
        yield found
    finally:
        found.close()


DARK = ("TG-0023", "TG-0088", "TG-0089")
OFF = ("TG-0060", "TG-0061")
STUCK_ON = "TG-0207"
SILENT = "TG-0120"


def _committer(engine: Engine, lock: IngestLock, link: InMemoryLink, clocks: Clocks) -> Committer:
    settings = IngestSettings(linger_ms=0)
    chores = ChoreList(engine, SqlOutbox(engine), link, settings, lambda: True)
    return Committer(engine, lock, link, RegistryDirectory(engine), chores, settings, clocks)


def _point(site: PoleSite, epoch: str, seq: int, now: datetime) -> Point:
    at = now - timedelta(minutes=5 * (24 * 12 - seq))
    level = 1.0 if now - at < timedelta(hours=12) else 0.0
    return Point(
        node=site.node,
        epoch=epoch,
        seq=seq,
        commune="tram-than",
        pole=site.code,
        time_ms=int(at.timestamp() * 1000),
        received_ms=int(at.timestamp() * 1000),
        clock="synced",
        historical=False,
        effect_level=level,
        reason="photocell",
        commanded_level=None,
        power_w=57.0 * level,
        voltage_v=228.0,
        current_a=None,
        power_factor=None,
        energy_wh=None,
        dark=None,
        cameras=(),
    )
