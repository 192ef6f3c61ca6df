"""One simulated node: its power, its link, its clock, what it senses and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from edge.inputs.rules import is_too_hot
from protocol import SCHEMA_VERSION, Kind, NodeState, encode
from protocol.messages import CabinetReading, Clock, Event, LampCounters, Sample
from simulators.seeded import seeded
from simulators.truth.layout import Site
from simulators.truth.moment import Moment, at, local_hour
from simulators.truth.outbox import NodeOutbox
from simulators.truth.senses import CameraSense, LampSense

HIGH_C, HYSTERESIS_C = 70.0, 5.0
Words = Iterator[tuple[Kind, bytes]]


class VirtualNode:
    """The world switches `mains`, `alive`, `linked` and the clock; the node says what an agent would say."""

    def __init__(self, site: Site, *, seed: int, heartbeat_s: int) -> None:
        self.site = site
        self.name = site.node
        self.random = seeded(seed, "node", self.name)
        self.lamp = LampSense(site, seed=seed)
        self.cameras = [CameraSense(code, seed=seed) for code in site.pole.cameras]
        self.outbox = NodeOutbox(self.name, self.random)
        self.mains = True
        self.alive = True
        self.linked = True
        self.maintenance = False
        self.hot = False
        self.door_open = False
        self.ended = False
        """Whether its last run came to its own end."""
        self.session: UUID | None = None
        self.clock_off_s = 0.0
        self.clock: Clock = "synced"
        self._heartbeat_s = heartbeat_s
        self._connected_at = at(0)
        self._standing: set[str] = set()
        self._too_hot: bool | None = None
        self._counters_at_s = float("-inf")
        self._burning_s = 0.0
        self._looked_at_s = 0.0

    def state(self, status: Literal["online", "lost", "stopped"], at_s: float) -> bytes:
        """Birth, farewell or will of the session at hand."""
        assert self.session is not None
        return encode(
            NodeState(
                v=SCHEMA_VERSION,
                node=self.name,
                session=self.session,
                status=status,
                time=self._says(at_s),
                connected_at=self._connected_at,
                clock=self.clock,
                heartbeat_s=self._heartbeat_s,
                epoch=self.outbox.epoch,
                queued=self.outbox.queued,
                agent_version="simulated",
                poles=[self.site.pole.code],
            )
        )

    def connect(self, at_s: float) -> bytes:
        """A new session; its birth."""
        self.session = UUID(int=self.random.getrandbits(128))
        self._connected_at = self._says(at_s)
        return self.state("online", at_s)

    def restart(self) -> None:
        """The machine has booted: the agent knows what its notes hold."""
        self.lamp.restart()
        for camera in self.cameras:
            camera.restart()

    def set_clock(self, off_s: float, quality: Clock) -> None:
        """From now on the clock is off by so much. Once it is right, what waits is corrected."""
        self.clock_off_s, self.clock = off_s, quality
        if quality == "synced":
            self.outbox.clock_is_right()

    def unsettled(self, moment: Moment) -> bool:
        """Whether something is on its way to being told, so that the node is worth looking at closely."""
        return self.lamp.unsettled(moment) or any(camera.unsettled for camera in self.cameras)

    def tick(self, moment: Moment, *, can_send: bool) -> Words:
        """Sense everything, keep it, and send it where that is possible."""
        at_s = moment.at_s
        taken_s = at_s - self.random.uniform(0, 5)
        changes: list[tuple[str, bool, str | None, str | None]] = []
        word = self.lamp.look(
            moment,
            supply=self.mains if self.site.senses_mains else None,
            mains=self.mains,
            maintenance=self.maintenance,
        )
        pole = self.site.pole.code
        changes += [(change.kind, change.active, pole, None) for change in word.changes]
        for camera in self.cameras:
            told = camera.look(moment, mains=self.mains, maintenance=self.maintenance)
            changes += [(one.kind, one.active, pole, camera.code) for one in told]
        cabinet = self._cabinet(moment, changes)
        items: list[Event | Sample] = [self._event(taken_s, *change) for change in changes]
        items.append(
            Sample(
                seq=self.outbox.next_seq(),
                pole=pole,
                time=self._says(taken_s),
                clock=self.clock,
                lamp=word.reading,
                meter=word.meter,
                dark=word.dark,
                cameras=[reading for one in self.cameras if (reading := one.reading(moment)) is not None],
                faults=word.faults,
                counters=self._counters(at_s, word.reading.effect_level),
                cabinet=cabinet,
            )
        )
        return self._keep(items, at_s, can_send=can_send)

    def tell(self, kind: str, active: bool, at_s: float, *, can_send: bool) -> Words:
        """An input's word, told at once."""
        (self._standing.add if active else self._standing.discard)(kind)
        return self._keep([self._event(at_s, kind, active, None, None)], at_s, can_send=can_send)

    def tells(self, kind: str) -> bool:
        """Whether this stands by the node's own word."""
        return kind in self._standing

    def keep_reset(self, at_s: float) -> None:
        """It has started anew: told once the hub is reached."""
        cause = "reboot" if self.ended else "power_cut"
        event = self._event(at_s, "device_reset", None, None, None, {"cause": cause})
        self._keep([event], at_s, can_send=False)

    def history(self, at_s: float) -> Words:
        """Everything that waits, as history."""
        return self.outbox.history(self._says(at_s))

    def _keep(self, items: list[Event | Sample], at_s: float, *, can_send: bool) -> Words:
        unsynced = self.clock == "unsynced"
        self.outbox.put(items, wrong_by=timedelta(seconds=self.clock_off_s) if unsynced else None)
        return self.outbox.live(items, self._says(at_s)) if can_send else iter(())

    def _event(
        self,
        at_s: float,
        kind: str,
        active: bool | None,
        pole: str | None,
        camera: str | None,
        detail: dict[str, str | int | float | bool | None] | None = None,
    ) -> Event:
        return Event(
            seq=self.outbox.next_seq(),
            time=self._says(at_s),
            clock=self.clock,
            kind=kind,
            pole=pole,
            camera=camera,
            active=active,
            detail=detail or {},
        )

    def _cabinet(
        self, moment: Moment, changes: list[tuple[str, bool, str | None, str | None]]
    ) -> CabinetReading | None:
        hour = local_hour(moment.at_s)
        heat_c = 38 + (14 * max(0.0, 1 - abs(hour - 14) / 7)) + self.random.gauss(0, 1.5) + 36 * self.hot
        was, self._too_hot = (
            self._too_hot,
            is_too_hot(self._too_hot, heat_c, high_c=HIGH_C, hysteresis_c=HYSTERESIS_C),
        )
        if bool(was) != bool(self._too_hot):
            changes.append(("high_temperature", bool(self._too_hot), None, None))
        return CabinetReading(
            temperature_c=round(heat_c, 1),
            door_open=self.door_open,
            supply_present=self.mains if self.site.senses_mains else None,
        )

    def _counters(self, at_s: float, level: float) -> LampCounters | None:
        self._burning_s += (at_s - self._looked_at_s) * (level > 0)
        self._looked_at_s = at_s
        if at_s - self._counters_at_s < 3600:
            return None
        self._counters_at_s = at_s
        return LampCounters(burning_s=int(self._burning_s), switches=0, energy_wh=0.0, supply_losses=0)

    def _says(self, at_s: float) -> datetime:
        return at(at_s + self.clock_off_s)


def nodes_of(sites: tuple[Site, ...], *, seed: int, heartbeat_s: int) -> Mapping[str, VirtualNode]:
    """One node per site, by name."""
    return {site.node: VirtualNode(site, seed=seed, heartbeat_s=heartbeat_s) for site in sites}
